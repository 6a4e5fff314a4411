import { formatETag, judge } from '../core/revision.ts';
import type { ReadAnswer, ReadDemand, ReadPlan } from './answer.ts';
import type { Ctx } from './ctx.ts';
import type { EdgeTier } from './edge.ts';
import type { MemoryTier } from './memory.ts';
import type { TagMemory, TagRow } from './tags.ts';
import type { CachedAnswer, Tier } from './tier.ts';

/**
 * An entry that writes have outdated, where its route allows answers of that age. Its state was the company's when it began to be
 * computed, which is what its age counts from. What the clock, a gap or an erasure has ended is not answered, and whoever says what
 * they have seen is answered exactly.
 */
export function outdated(
  { ctx, plan, demand }: { ctx: Ctx; plan: ReadPlan; demand: ReadDemand },
  row: TagRow,
  { entry, tier }: { entry: CachedAnswer | null; tier: Tier['name'] },
): ReadAnswer | null {
  if (plan.maxStale === undefined || entry === null || demand.min > 0) return null;
  const now = ctx.now();
  const age = now - entry.storedAt;
  // One from the future is of a clock that stepped back: nothing says how old it is.
  if (age < 0 || age > plan.maxStale || (entry.validUntil !== null && now >= entry.validUntil)) return null;
  return judge(entry, row, now) === 'tag' ? answerOf(plan, entry, tier) : null;
}

/** What an outdated entry says, named by its own revision, at which it is exactly true. */
function answerOf(plan: ReadPlan, entry: CachedAnswer, tier: ReadAnswer['tier']): ReadAnswer {
  const { epoch, incarnation, revision, validUntil, body, link } = entry;
  const etag = formatETag({ epoch, incarnation, newest: revision, representation: plan.representation }, validUntil);
  return { status: 200, body, revision, etag, link, outcome: 'STALE', tier, stored: false };
}

/**
 * An entry that is known to be outdated, for the time when nobody can compute a newer one; null when there is none.
 *
 * Outdated is not erased. An entry is answered only where a reading of Redis, made just now, says that it is of the tag
 * state's present life, that no gap lies after it and that nobody was erased since. Without such a reading nobody can know,
 * and nothing is answered.
 * @param left the entry that Redis had, and a reading of the tag ERASED
 */
export async function stale(
  { ctx, plan, demand }: { ctx: Ctx; plan: ReadPlan; demand: ReadDemand },
  { memory, edge, tags }: { memory: MemoryTier; edge: EdgeTier | null; tags: TagMemory },
  { found, row }: { found: CachedAnswer | null; row: TagRow | null },
): Promise<ReadAnswer | null> {
  // A Redis that is behind what was seen here may not have heard of an erasure either.
  if (row === null || row.head < tags.newest(plan.companyId)) return null;
  const may = (entry: CachedAnswer | null): CachedAnswer | null => {
    if (entry === null || entry.revision < demand.min) return null;
    const verdict = judge(entry, row, ctx.now());
    return verdict === 'valid' || verdict === 'clock' ? entry : null;
  };
  const entry = may(memory.get(ctx, plan.key)) ?? may(found) ?? may((await edge?.get(ctx, plan.key)) ?? null);
  return entry === null ? null : answerOf(plan, entry, null);
}
