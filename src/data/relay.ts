import { announceToRedis } from './announce.ts';
import type { Ctx } from './context.ts';
import type { Doors } from './doors.ts';
import { changesAfter, readChange, rowsOf, snapshot } from './log.ts';
import { touchedTags } from './registry.ts';

/** How far a relay has announced. */
export type Position = { epoch: string; revision: number };

/** Revisions per trip to the log. */
const CHUNK = 500;

/**
 * Announces to Redis what the log holds after `from`: the way out for everything committed but not announced.
 * Without a position, or with one of another epoch, it cannot know which tags were touched, so it announces an empty
 * range at the head: that raises the floor wherever Redis is behind.
 * @returns the position reached, or null when Redis did not take it
 * @throws AppError when Postgres cannot be read
 */
export async function announceFromLog(
  ctx: Ctx,
  doors: Doors,
  companyId: string,
  from: Position | null,
): Promise<Position | null> {
  let position = from;
  for (;;) {
    const after = position?.revision ?? Number.MAX_SAFE_INTEGER;
    const { epoch, revision, results } = await snapshot(ctx, doors.read, companyId, 'relay', (db) => [
      db.execute(changesAfter(after, CHUNK)),
    ]);
    const changes = position?.epoch === epoch ? rowsOf(results[0]).map(readChange) : [];
    const contiguous = changes[0]?.revision === (position?.revision ?? 0) + 1;
    const last = contiguous ? (changes.at(-1)?.revision ?? revision) : revision;
    const told = await announceToRedis(ctx, doors.redis, doors.tags, doors.settings.environment, companyId, {
      epoch,
      first: contiguous ? (position?.revision ?? 0) + 1 : revision + 1,
      last,
      tags: contiguous ? touchedTags(doors.registry, changes) : {},
    });
    if (!told) return null;
    position = { epoch, revision: last };
    if (last >= revision) return position;
  }
}
