import type { Loaded } from './answer.ts';
import { behind } from './ctx.ts';
import type { EdgeTier } from './edge.ts';
import type { MemoryTier } from './memory.ts';
import type { Read } from './read.ts';
import { type RedisStore, tell } from './redis.ts';
import type { TagRow } from './tags.ts';
import { type CachedAnswer, encodeEntry, entryOf } from './tier.ts';

/** Larger entries are not sent to Redis, bytes: each would be charged, kept and carried for one reader or few. */
const LARGEST_SENT = 256 * 1024;

/** An answer with the reading of its own epoch that its snapshot came after, and when it was begun. Whoever shares the one takes the others too. */
export type Computed = { loaded: Loaded; row: TagRow | null; at: number };

/** Of the isolate: of forty who shared a page of ten megabytes each wrote it out, and nobody else had a turn meanwhile. */
const made = new WeakMap<Computed, CachedAnswer>();

/**
 * The entry of an answer, put into every tier: into memory at once, into the others behind it. Made and put once, however many share
 * the computation.
 */
export function keepAnswer(
  { ctx, plan }: Pick<Read, 'ctx' | 'plan'>,
  { memory, edge, redis }: { memory: MemoryTier; edge: EdgeTier | null; redis: RedisStore },
  computed: Computed,
): CachedAnswer {
  const known = made.get(computed);
  if (known !== undefined) return known;
  const { loaded, row, at } = computed;
  const entry = entryOf(loaded, row?.incarnation ?? null, plan.ttl, at);
  made.set(computed, entry);
  // Of no state's life: no reading will ever vouch for it.
  if (entry.incarnation === null) return entry;
  memory.set(ctx, plan.key, entry);
  const seconds = Math.max(1, Math.ceil((entry.expiresAt - entry.storedAt) / 1000));
  // In a turn of its own: encoding and sending would come before the answer.
  const sent = new Promise((turn) => setTimeout(turn, 0)).then(async () => {
    const copied = edge?.set(behind(ctx), plan.key, entry);
    const { body } = loaded;
    if (typeof body === 'string' && entry.body.byteLength <= LARGEST_SENT)
      await tell(redis, behind(ctx), (p) => p.set(plan.key, encodeEntry(entry, body), { ex: seconds }));
    await copied;
  });
  ctx.waitUntil(sent);
  return entry;
}
