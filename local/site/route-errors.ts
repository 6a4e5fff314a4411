import type { ErrorCode } from '../../src/core/errors.ts';
import type { RouteSpec } from '../../src/http/route.ts';

/** Every error code a route can answer: those all routes of its kind share, and those it declares. */
export function errorsOf(spec: RouteSpec): ErrorCode[] {
  return [...new Set([...ofAll(spec), ...ofCallers(spec), ...ofReads(spec), ...ofWrites(spec), ...spec.errors])];
}

function ofAll(spec: RouteSpec): ErrorCode[] {
  const own: ErrorCode[] = ['unknown_parameter', 'internal_error'];
  return spec.awaitsDatabase === false ? own : [...own, 'busy', 'database_unavailable'];
}

function ofCallers(spec: RouteSpec): ErrorCode[] {
  if (spec.anonymous === true) return [];
  const codes: ErrorCode[] = ['unauthenticated', 'token_expired', 'rate_limited'];
  // What a user does to their own session says itself what it answers once that session has ended.
  if (spec.permission !== undefined || spec.method === 'get') codes.push('session_revoked');
  if (spec.permission !== undefined) codes.push('forbidden');
  return codes;
}

function ofReads(spec: RouteSpec): ErrorCode[] {
  if (spec.method !== 'get' || spec.anonymous === true) return [];
  const parameters = spec.list ?? spec.query ?? spec.detail;
  return [
    'invalid_min_revision',
    'revision_ahead',
    ...(parameters === undefined ? [] : ['invalid_parameter' as const]),
  ];
}

function ofWrites(spec: RouteSpec): ErrorCode[] {
  if (spec.method === 'get') return [];
  const codes: ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];
  // A verb without a body takes an empty one, and so refuses another as any verb does.
  if (spec.file === undefined) codes.push('malformed_json', 'invalid_body');
  if ((spec.body !== undefined && spec.optionalBody !== true) || spec.file !== undefined) codes.push('empty_body');
  if (takesKey(spec)) codes.push('invalid_idempotency_key', 'idempotency_key_reused');
  // Whoever writes in a SQL console takes locks in another order, and one of the two is told to try again.
  if (spec.permission !== undefined) codes.push('conflict');
  return codes;
}

/** Whether an Idempotency-Key has an effect here. */
export const takesKey = (spec: RouteSpec): boolean =>
  spec.method === 'post' && spec.anonymous !== true && spec.ignoresKey !== true;
