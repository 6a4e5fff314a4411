import { timingSafeEqual } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { seal, unseal } from '../../core/sealed.ts';
import { behind, type Ctx } from '../../data/ctx.ts';
import type { Deps } from '../../data/deps.ts';
import { snapshot } from '../../data/log.ts';
import { bytea } from '../../data/query.ts';
import { tell } from '../../data/redis.ts';
import { shareOf, WeighedMap } from '../../data/weighed.ts';
import type { AppContext, CredentialCheck, Principal } from '../../http/context.ts';
import { HOLDS, holds, holdsStill } from '../holds.ts';
import { scopesAllow } from '../permissions.ts';
import { countBehind, keyOf, learn, readCounts, refuseKnown } from '../sign-in/counts.ts';
import { unknownLimits } from '../sign-in/limits.ts';
import { NOT_VALID } from '../sign-in/tokens.ts';
import { decodeRecord, encodeRecord, type KeyRecord } from './record.ts';
import { type KeyClaim, parseKey } from './secret.ts';

/** A key is stamped as used at most once in this time, ms. */
const STAMP = 60_000;
/** A key beside its scopes, and a scope beside its text: objects, the hash and its buffer (measured: bench/heap.ts). */
const KEY_BYTES = 450;
const SCOPE_BYTES = 32;
/** Two ids, and the hash and its buffer, beside the text. */
const CLAIM_BYTES = 400;

type Held = KeyRecord & { until: number };
type LivingKey = { scopes: string[]; expires_at: string | null };

/** Keys that were vouched for, by id, and until when (ms). Bounded plain data. */
const vouched = new WeighedMap<Held>(shareOf('keys'));
/** What the texts of keys that were vouched for say: to read and hash one took a quarter of a cached answer. Plain data. */
const claims = new WeighedMap<KeyClaim>(shareOf('keyClaims'));
/** When this isolate last stamped a key (ms). Bounded plain data. */
const stamped = new WeighedMap<number>(shareOf('stamps'));

const recordKey = ({ redis }: Deps, keyId: string): string => redis.key('key', keyId);

/**
 * The caller that an API key claims to be. Memory vouches for it, or the trip to Redis that the request makes anyway,
 * or Postgres; until then it is not `proven`.
 * @throws AppError unauthenticated for what is no key at all, counted by address; rate_limited after too many
 */
export function keyPrincipal(c: AppContext, text: string): Principal {
  const claim = claims.get(text) ?? parseKey(text);
  if (claim !== null) return principalOfKey(c, text, claim);
  refuseKnown(c.env, unknownLimits(c));
  countUnknown(c);
  throw new AppError('unauthenticated', NOT_VALID);
}

function principalOfKey(c: AppContext, text: string, claim: KeyClaim): Principal {
  const { ctx, deps } = c.env;
  const { companyId, keyId, hash } = claim;
  const key = recordKey(deps, keyId);
  let held: Held | null = null;
  const living = (candidate: Held | null, now: number): boolean =>
    candidate !== null && holds(candidate.until, now) && (candidate.expiresAt === null || now < candidate.expiresAt);
  const take = (candidate: Held | null, now: number): void => {
    if (candidate !== null && living(candidate, now) && timingSafeEqual(candidate.hash, hash)) held = candidate;
  };
  const vouch = (record: Held): void => {
    remember(keyId, record);
    claims.set(text, claim, CLAIM_BYTES);
  };
  take(vouched.get(keyId) ?? null, ctx.now());

  const credential: CredentialCheck = {
    known: (now) => living(held, now),
    ask: (pipeline) => pipeline.mget(key, ...unknownLimits(c).map((limit) => keyOf(c.env, limit))),
    learn(answer, now) {
      if (!Array.isArray(answer)) throw new Error('shape');
      const counts = readCounts(answer.slice(1));
      for (const [i, limit] of unknownLimits(c).entries()) learn(keyOf(c.env, limit), counts[i] ?? 0);
      const record = decodeRecord(unseal(deps.settings.cursorSecret, key, answer[0], now));
      if (record === null) return;
      take({ ...record, until: now + HOLDS }, now);
      if (held !== null) vouch(held);
    },
    beforeAsking: () => refuseKnown(c.env, unknownLimits(c)),
    statement: () => sql<LivingKey>`select scopes, expires_at from app.living_key(${keyId}::uuid, ${bytea(hash)})`,
    settle(at, _deps, [row]: readonly LivingKey[]) {
      if (row === undefined) throw new AppError('unauthenticated', NOT_VALID);
      const expiresAt = row.expires_at === null ? null : Date.parse(row.expires_at);
      const record: KeyRecord = { hash, scopes: row.scopes, expiresAt };
      held = { ...record, until: at.now() + HOLDS };
      vouch(held);
      keepRecord(at, deps, key, record, ctx.startedAt);
    },
  };
  return {
    companyId,
    actor: `API_KEY:${keyId}`,
    credentialId: keyId,
    userId: null,
    role: null,
    credential,
    get proven() {
      return held !== null;
    },
    async prove() {
      const at = ctx.now();
      await deps.redis.trip(
        ctx,
        (p) => credential.ask(p),
        ([answer]) => credential.learn(answer, at),
      );
      if (held !== null) return;
      credential.beforeAsking?.();
      try {
        const { rows } = await snapshot(ctx, { database: deps.read, companyId, name: 'key' }, [credential.statement()]);
        credential.settle(ctx, deps, rows[0]);
      } catch (error) {
        if (isUnknown(error)) countUnknown(c);
        throw error;
      }
    },
    answered(failure) {
      if (held !== null) stamp(ctx, deps, companyId, keyId);
      else if (isUnknown(failure)) countUnknown(c);
    },
    may: (permission) => held !== null && scopesAllow(held.scopes, permission),
    grant: () => ({ scopes: held?.scopes ?? [] }),
    expiresAt: () => held?.expiresAt ?? null,
    // Its scopes never change, so that it may was settled above; that it lives is asked again.
    writer: () => ({ actor: `API_KEY:${keyId}`, credential: { key: keyId } }),
  };
}

/** A key was revoked: its readers stop at once here and wherever Redis is asked, elsewhere when the check runs out. */
export async function forgetKey(ctx: Ctx, deps: Deps, keyId: string): Promise<void> {
  vouched.delete(keyId);
  await tell(deps.redis, ctx, (p) => p.del(recordKey(deps, keyId)));
}

function keepRecord(ctx: Ctx, deps: Deps, key: string, record: KeyRecord, askedAt: number): void {
  const px = holdsStill(askedAt, ctx.now());
  if (px === 0) return;
  const sealed = seal(deps.settings.cursorSecret, key, encodeRecord(record), askedAt + HOLDS);
  ctx.waitUntil(tell(deps.redis, behind(ctx), (p) => p.set(key, sealed, { px })));
}

/** Behind the answer and unlogged: who used a key when is worth neither a wait nor a revision. */
function stamp(ctx: Ctx, deps: Deps, companyId: string, keyId: string): void {
  const now = ctx.now();
  if (now - (stamped.get(keyId) ?? 0) < STAMP) return;
  stamped.set(keyId, now, 16);
  const statement = sql`select app.stamp_key(${companyId}::uuid, ${keyId}::uuid)`;
  ctx.waitUntil(deps.auth.batch(behind(ctx), { name: 'stampKey' }, [statement]).catch(() => undefined));
}

const countUnknown = (c: AppContext): void => countBehind(c.env, unknownLimits(c));

/** A revoked key was somebody's: only those that never were count as guesses. */
const isUnknown = (error: unknown): boolean => error instanceof AppError && error.code === 'unauthenticated';

function remember(keyId: string, held: Held): void {
  const scopes = held.scopes.reduce((sum, scope) => sum + scope.length + SCOPE_BYTES, 0);
  vouched.set(keyId, held, KEY_BYTES + scopes);
}
