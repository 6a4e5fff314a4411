/**
 * The two tokens of a session: a short-lived signed access token, checked without any I/O, and an opaque refresh token,
 * of which only the hash is stored. An access token says who someone was when it was signed; that the session still
 * lives is asked elsewhere (at once on writes, within 60 s on reads: contract.md 3).
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { CompactSign, compactVerify, errors, importJWK, jwtVerify, SignJWT } from 'jose';
import { AppError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { isUuid } from '../../core/id.ts';
import { type PublicJwk, readSigningKeys, wrongSetting } from '../../core/signing-keys.ts';
import { shareOf, WeighedMap } from '../../data/weighed.ts';
import { isRole, type Role } from '../permissions.ts';

export type { Role } from '../permissions.ts';

/** Who a request acts as. Ids are bare UUIDs; `expiresAt` is in milliseconds since 1970, on a whole second. */
export type AccessClaims = { userId: string; companyId: string; sessionId: string; role: Role; expiresAt: number };

/** The keys of one deployment. Opaque to callers; made by `loadKeys`. */
export type TokenKeys = {
  readonly kid: string;
  readonly signing: CryptoKey;
  /** All live keys by `kid`; a key taken out of the setting is no longer here, and its tokens are refused. */
  readonly verifying: ReadonlyMap<string, CryptoKey>;
  readonly published: readonly PublicJwk[];
  /**
   * Tokens whose signature these very keys have verified, which costs more than the rest of a cached answer (50 µs); those used
   * longest ago go first. Plain data.
   */
  readonly verified: WeighedMap<AccessClaims>;
};

const ALGORITHM = 'ES256';
const ISSUER = 'clientsplus';
const AUDIENCE = 'clientsplus-api';
/** RFC 9068 2.1: keeps any other JWT signed with the same key from passing as an access token. */
const TYPE = 'at+jwt';
export const LIFETIME_SECONDS = 10 * 60;
/** What whoever sends something else than a token or a key of ours is told. */
export const NOT_VALID = 'The token or key is not valid.';

/** What a token names, and the principal that hangs on it, beside its text (measured: bench/heap.ts). */
const CLAIMS_BYTES = 2500;
/** Checked first, because jose overlooks white space: each spelling of one token would take a place among the verified. */
const COMPACT_JWS = /^[\w-]{1,1024}\.[\w-]{1,1024}\.[\w-]{86}$/;

const REFRESH_TOKEN = /^cpr_[\w-]{43}$/;

/** The last keys loaded: a value and never a promise, which another request of the isolate might wait for in vain. */
let loaded: { privateJwk: string; publicJwks: string; keys: TokenKeys } | null = null;

/**
 * Imports the keys, once per isolate: the same settings answer the same object, with its verified tokens.
 *
 * @throws Error as readSigningKeys, which the settings were checked by; and of a key that is none
 */
export async function loadKeys(privateJwk: string, publicJwks: string): Promise<TokenKeys> {
  if (loaded?.privateJwk === privateJwk && loaded.publicJwks === publicJwks) return loaded.keys;
  const { own, published } = readSigningKeys(privateJwk, publicJwks);
  const verifying = new Map<string, CryptoKey>();
  for (const jwk of published) verifying.set(jwk.kid, await importKey('JWT_PUBLIC_KEYS', jwk));
  const signing = await importKey('JWT_PRIVATE_KEY', own);
  await checkPair(signing, verifying.get(own.kid));

  const keys: TokenKeys = { kid: own.kid, signing, verifying, published, verified: new WeighedMap(shareOf('tokens')) };
  loaded = { privateJwk, publicJwks, keys };
  return keys;
}

/**
 * Signs an access token, valid for ten minutes from `now` (milliseconds since 1970).
 *
 * @returns the compact JWT and its lifetime in seconds, the `expiresIn` of the sign-in answers.
 */
export async function signAccess(
  keys: TokenKeys,
  claims: Omit<AccessClaims, 'expiresAt'>,
  now: number,
): Promise<{ token: string; expiresIn: number }> {
  const issuedAt = Math.floor(now / 1000);
  // RFC 9068 2.2 requires client_id and jti; our one client is the API's own sign-in.
  const token = await new SignJWT({
    cid: claims.companyId,
    sid: claims.sessionId,
    role: claims.role,
    client_id: ISSUER,
  })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: keys.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(claims.userId)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME_SECONDS)
    .sign(keys.signing);
  return { token, expiresIn: LIFETIME_SECONDS };
}

/**
 * Checks an access token: signature by a live key, type, issuer, audience, expiry at `now` (milliseconds since 1970).
 * Does no I/O. A token seen before skips the signature, never the expiry.
 *
 * @throws AppError `token_expired` for a token that was ours and is over, `unauthenticated` for everything else.
 */
export async function verifyAccess(keys: TokenKeys, token: string, now: number): Promise<AccessClaims> {
  const known = keys.verified.get(token);
  if (known !== undefined) {
    if (now < known.expiresAt) return known;
    keys.verified.delete(token);
    throw new AppError('token_expired');
  }
  const claims = await verifySignature(keys, token, now);
  keys.verified.set(token, claims, CLAIMS_BYTES);
  return claims;
}

/** The claims of a token that these very settings have verified before and that is not over yet; at once, without a promise. */
export function recallAccess(privateJwk: string, publicJwks: string, token: string, now: number): AccessClaims | null {
  if (loaded?.privateJwk !== privateJwk || loaded.publicJwks !== publicJwks) return null;
  const known = loaded.keys.verified.get(token);
  return known !== undefined && now < known.expiresAt ? known : null;
}

/** The body of `GET /.well-known/jwks.json`: all live keys, public parts only. */
export function publicJwks(keys: TokenKeys): { keys: PublicJwk[] } {
  return { keys: keys.published.map((jwk) => ({ ...jwk, alg: ALGORITHM, use: 'sig' })) };
}

/** A new refresh token, `cpr_` and 32 random bytes in base64url, with the hash to store in its stead. */
export function newRefreshToken(): { token: string; hash: Uint8Array } {
  const token = `cpr_${randomBytes(32).toString('base64url')}`;
  return { token, hash: sha256(token) };
}

/** The stored form of a refresh token: its SHA-256, 32 bytes (256 random bits need no slow hash); null when malformed. */
export function hashRefreshToken(token: string): Uint8Array | null {
  return REFRESH_TOKEN.test(token) ? sha256(token) : null;
}

async function verifySignature(keys: TokenKeys, token: string, now: number): Promise<AccessClaims> {
  if (!COMPACT_JWS.test(token)) throw new AppError('unauthenticated', NOT_VALID);
  try {
    const { payload } = await jwtVerify(token, ({ kid }) => verifyingKey(keys, kid), {
      // Fixed, so that neither `none` nor an HMAC keyed with the public key is ever tried (RFC 8725 3.1).
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp'],
      currentDate: new Date(now),
    });
    const { sub, cid, sid, role, exp } = payload;
    if (!isUuid(sub) || !isUuid(cid) || !isUuid(sid) || !isRole(role)) throw new errors.JWTInvalid('claims');
    // Frozen, because all requests with this token share it.
    return Object.freeze({ userId: sub, companyId: cid, sessionId: sid, role, expiresAt: Number(exp) * 1000 });
  } catch (error) {
    // Only the words: jose's error holds the payload, which has no business in a log.
    const cause = error instanceof Error ? error.message : undefined;
    if (error instanceof errors.JWTExpired) throw new AppError('token_expired', undefined, { cause });
    throw new AppError('unauthenticated', NOT_VALID, { cause });
  }
}

function verifyingKey(keys: TokenKeys, kid: string | undefined): CryptoKey {
  const key = kid === undefined ? undefined : keys.verifying.get(kid);
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key;
}

/** What is said of the private key holds only if it signs what its public half verifies. */
async function checkPair(signing: CryptoKey, verifying: CryptoKey | undefined): Promise<void> {
  const probe = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg: ALGORITHM }).sign(signing);
  const isPair = verifying !== undefined && (await compactVerify(probe, verifying).catch(() => null)) !== null;
  if (!isPair) throw wrongSetting('JWT_PRIVATE_KEY', 'is not the private half of its x and y');
}

async function importKey(setting: string, jwk: PublicJwk): Promise<CryptoKey> {
  const key = await importJWK(jwk, ALGORITHM).catch(() => null);
  if (key === null || key instanceof Uint8Array) throw wrongSetting(setting, 'holds a key that is no point of P-256');
  return key;
}
