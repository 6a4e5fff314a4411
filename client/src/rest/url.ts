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

export const urlOf = (origin: string, path: string): string => `${origin.replace(/\/$/, '')}${BASE}${path}`;
