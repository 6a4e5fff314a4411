import { expect } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/core/errors.ts';
import type { Reply } from './api.ts';

type Fault = { pointer?: string; parameter?: string; code: string; detail: string };

const MEMBERS = ['type', 'title', 'status', 'code', 'detail', 'instance', 'requestId'];

/** What no problem document may show: stacks, SQL, drivers. */
export const LEAKS =
  /\bat \w+ \(|\.(?:ts|js):\d|\bselect |\binsert |neon|postgres|redis|upstash|zod|undefined|\[object/i;

/**
 * Checks that an answer is the problem document of contract 2 for this code, with exactly its members and those of
 * `extra` (RFC 9457, 3.2), and answers its faults.
 */
export function expectProblem(reply: Reply, code: ErrorCode, extra: readonly string[] = []): Fault[] {
  const { status, title } = ERROR_CODES[code];
  expect([reply.status, reply.json.code], reply.text).toEqual([status, code]);
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  const { errors, ...rest } = reply.json;
  expect(Object.keys(rest).sort()).toEqual([...MEMBERS, ...extra].sort());
  expect(rest).toMatchObject({ title, status });
  expect(rest.type).toBe(`/docs#${code}`);
  expect(rest.requestId).toBe(reply.headers.get('request-id'));
  expect(String(rest.instance)).toMatch(/^\/api\/v1\//);
  expect(String(rest.detail)).not.toBe('');
  // Not where it was asked: a secret in a path spells what it will by chance.
  expect(reply.text.replace(JSON.stringify(rest.instance), '')).not.toMatch(LEAKS);
  if (errors === undefined) return [];
  const faults = errors as Fault[];
  expect(faults.length).toBeGreaterThan(0);
  for (const { code: own, detail, ...place } of faults) {
    expect(own).toMatch(/^[a-z_]+$/);
    expect(detail).not.toBe('');
    const [name, ...others] = Object.keys(place);
    expect(others).toEqual([]);
    expect(['pointer', 'parameter']).toContain(name);
  }
  return faults;
}

/** What an answer says apart from this one request: status, headers and body without ids, times and quotas. */
export function gist(reply: Reply): { status: number; headers: Record<string, string>; text: string } {
  const volatile = /^(?:request-id|x-response-time|server-timing|ratelimit|revision|content-length|date)$/;
  const headers = Object.fromEntries([...reply.headers].filter(([name]) => !volatile.test(name)));
  const text = reply.text
    .replaceAll(/\b[a-z]{2,4}_[0-9a-z]{26}\b/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<at>');
  return { status: reply.status, headers, text };
}
