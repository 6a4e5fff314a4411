import { AppError } from './errors.ts';

/** Far above what any body of ours needs, far below where recursion would exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * JSON with one spelling per value: keys in UTF-16 order, no white space (RFC 8785), for fingerprints. Takes what
 * JSON.parse gives; members that are undefined are left out. Deeper than 64 → AppError `invalid_body`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth === MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join()}]`;
  const members: string[] = [];
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object).sort()) {
    if (object[key] !== undefined) members.push(`${JSON.stringify(key)}:${write(object[key], depth + 1)}`);
  }
  return `{${members.join()}}`;
}

/**
 * JSON Merge Patch (RFC 7396): null removes a member, objects merge, anything else replaces. Mutates neither argument;
 * parts that no patch touched are shared. Deeper than 64 → AppError `invalid_body`.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, 0);
}

function merge(target: unknown, patch: unknown, depth: number): unknown {
  if (!isObject(patch)) return patch;
  if (depth === MAX_DEPTH) throw tooDeep();
  // A Map, not an object: callers choose the keys, and assigning to `__proto__` would set the prototype instead.
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value, depth + 1));
  }
  return Object.fromEntries(merged);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tooDeep(): AppError {
  const detail = `The body is nested deeper than ${MAX_DEPTH} levels.`;
  return new AppError('invalid_body', detail, { faults: [{ pointer: '', code: 'too_deep', detail }] });
}

/** A JSON pointer (RFC 6901) to what is reached by these steps. */
export const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
