import { formatETag, judge } from '../core/revision.ts';
import type { ReadAnswer, ReadDemand, ReadPlan } from './answer.ts';
import type { Ctx } from './ctx.ts';
import type { EdgeTier } from './edge.ts';
import type { MemoryTier } from './memory.ts';
import type { TagMemory, TagRow } from './tags.ts';
import type { CachedAnswer } from './tier.ts';

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
  if (entry === null) return null;
  const { epoch, incarnation, revision: newest } = entry;
  const etag = formatETag({ epoch, incarnation, newest, representation: plan.representation }, entry.validUntil);
  return {
    status: 200,
    body: entry.body,
    revision: entry.revision,
    etag,
    link: entry.link,
    outcome: 'STALE',
    tier: 'memory',
    stored: false,
  };
}
