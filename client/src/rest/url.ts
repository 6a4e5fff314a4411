const BASE = '/api/v1';

/** `/clients/{id}` with its id. */
export const filled = (path: string, parts: Record<string, unknown> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name])));

/** What is undefined is not asked. */
export function withQuery(path: string, query: Record<string, unknown> = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  if (pairs.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(pairs)}`;
}

/** Where the API is: its paths begin with what this leaves out. @throws TypeError where that is no address */
export function originOf(url: string): string {
  if (!/^https?:\/\/[^/]/.test(url)) throw new TypeError(`url must be like https://api.example.com, not ${url}.`);
  return url.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

export const urlOf = (origin: string, path: string): string => `${origin}${BASE}${path}`;
