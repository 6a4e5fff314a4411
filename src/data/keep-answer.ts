import { behind } from './ctx.ts';
import type { EdgeTier } from './edge.ts';
import type { MemoryTier } from './memory.ts';
import type { Read } from './read.ts';
import { type RedisStore, tell } from './redis.ts';
import { type CachedAnswer, encodeEntry } from './tier.ts';

/** Larger entries are not sent to Redis, bytes: each would be charged, kept and carried for one reader or few. */
const LARGEST_SENT = 256 * 1024;

/** Puts an answer into every tier: into memory at once, into the others behind it. */
export function keepAnswer(
  { ctx, plan }: Pick<Read, 'ctx' | 'plan'>,
  { memory, edge, redis }: { memory: MemoryTier; edge: EdgeTier | null; redis: RedisStore },
  { entry, body }: { entry: CachedAnswer; body: string },
): void {
  // Of no state's life: no reading will ever vouch for it.
  if (entry.incarnation === null) return;
  memory.set(ctx, plan.key, entry);
  const seconds = Math.max(1, Math.ceil((entry.expiresAt - entry.storedAt) / 1000));
  // In a turn of its own: encoding and sending would come before the answer.
  const sent = new Promise((turn) => setTimeout(turn, 0)).then(async () => {
    const copied = edge?.set(behind(ctx), plan.key, entry);
    if (entry.body.byteLength <= LARGEST_SENT)
      await tell(redis, behind(ctx), (p) => p.set(plan.key, encodeEntry(entry, body), { ex: seconds }));
    await copied;
  });
  ctx.waitUntil(sent);
}
