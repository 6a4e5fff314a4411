import { createHmac } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { canonicalJson } from '../core/json.ts';
import type { Claim } from '../data/log.ts';
import type { AppContext } from '../http/context.ts';
import type { Settings } from '../settings.ts';

/**
 * The Idempotency-Key header (IETF draft): 1 to 255 visible ASCII, bare or as a quoted string.
 * @returns null when there is none
 * @throws AppError invalid_idempotency_key
 */
export function keyOf(c: AppContext): string | null {
  const header = c.req.header('Idempotency-Key');
  if (header === undefined) return null;
  const text = /^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim();
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  const detail = 'Idempotency-Key must be 1 to 255 visible ASCII characters.';
  throw new AppError('invalid_idempotency_key', detail, {
    faults: [{ parameter: 'Idempotency-Key', code: 'invalid_idempotency_key', detail }],
  });
}

/** What tells one request with a key from another; the body is added by whoever reads it. */
export type Fingerprint = { update(part: string | Uint8Array): Fingerprint; digest(): Uint8Array };

/** Which secret a fingerprint was made with, four bytes: after a rotation those of before cannot be compared. */
const secretNames = new WeakMap<Settings, Buffer>();

function nameOfSecret(settings: Settings): Buffer {
  const known = secretNames.get(settings);
  if (known !== undefined) return known;
  const name = createHmac('sha256', settings.cursorSecret).update('idempotency').digest().subarray(0, 4);
  secretNames.set(settings, name);
  return name;
}

/**
 * Keyed: a body may hold a password or a list of people, and whoever reads the database must not be able to try guesses
 * against it.
 */
export function fingerprintOf(c: AppContext): Fingerprint {
  const { settings } = c.env.deps;
  const hmac = createHmac('sha256', settings.cursorSecret).update(`idempotency\n${c.req.path}\n`);
  const fingerprint: Fingerprint = {
    update(part) {
      hmac.update(part);
      return fingerprint;
    },
    digest: () => Buffer.concat([nameOfSecret(settings), hmac.digest()]),
  };
  return fingerprint;
}

/** The claim of a request with a JSON body. @throws AppError invalid_idempotency_key, idempotency_key_required */
export function claimOf(
  c: AppContext,
  route: { needsKey?: boolean; secret?: boolean },
  value: unknown,
): Claim | undefined {
  if (c.req.method !== 'POST' || route.secret === true) return undefined;
  const key = keyOf(c);
  if (key === null) {
    if (route.needsKey === true) throw new AppError('idempotency_key_required');
    return undefined;
  }
  const fingerprint = fingerprintOf(c)
    .update(canonicalJson(value ?? null))
    .digest();
  // Its percent-encoding was undone, and Postgres holds no NUL.
  return { route: c.req.path.replaceAll('\0', '%00'), key, fingerprint };
}

/** A row where a request with this key was answered: to be read beside what a plan is made from. */
export const isAnswered = (companyId: string, actor: string, { route, key }: Claim): SQL =>
  sql`select 1 from idempotency_keys where company_id = ${companyId}::uuid and actor = ${actor} and route = ${route} and key = ${key}`;
