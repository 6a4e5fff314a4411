import { announceToRedis } from './announce.ts';
import type { Ctx } from './ctx.ts';
import type { Deps } from './deps.ts';
import { changesAfter, readChange, snapshot } from './log.ts';
import { isBefore, type Position } from './position.ts';
import { tell } from './redis.ts';
import { touchedTags } from './registry.ts';
import { tagsKey } from './tags.ts';

/** Revisions that are announced with their tags; beyond, the floor speaks for them. Rows with both images may be large. */
const MOST_NAMED = 40;

/** How far Redis has heard of a company: null when it knows nothing of it. Undefined when it cannot be asked. */
export function announcedHead(ctx: Ctx, deps: Deps, companyId: string): Promise<Position | null | undefined> {
  return deps.redis
    .trip(
      ctx,
      (p) => p.hmget(tagsKey(deps.redis, companyId), 'epoch', 'head'),
      ([answer]) => {
        const [epoch, head] = (answer ?? []) as (string | null)[];
        return { at: typeof epoch === 'string' ? { epoch, revision: Number(head) } : null };
      },
    )
    .then((found) => (found === null ? undefined : found.at));
}

/**
 * Announces to Redis what the log holds beyond what Redis knows: the way out for everything committed but not announced.
 * A few revisions are announced with the tags they touched. More, or a state that was lost, or one of another epoch, are
 * not walked through: an empty range at the head raises the floor at once.
 * @param least where the company is known to be; while Postgres cannot be read, the floor is raised to it
 * @returns the position reached, or null when Redis did not take it
 * @throws AppError when Postgres cannot be read
 */
export async function announceFromLog(
  ctx: Ctx,
  deps: Deps,
  companyId: string,
  least: Position | null = null,
): Promise<Position | null> {
  const known = await announcedHead(ctx, deps, companyId);
  if (known === undefined) return null;
  const after = known?.revision ?? Number.MAX_SAFE_INTEGER;
  const call = { database: deps.read, companyId, name: 'relay' };
  const { epoch, revision, rows } = await snapshot(ctx, call, [changesAfter(after, MOST_NAMED)]).catch(
    async (error: unknown) => {
      if (known !== null && least !== null && isBefore(known, least)) {
        const empty = { companyId, epoch: least.epoch, first: least.revision + 1, last: least.revision, tags: {} };
        await announceToRedis({ ctx, deps }, empty);
      }
      throw error;
    },
  );
  const reached = { epoch, revision };
  if (known?.epoch === epoch && known.revision >= revision) return reached;
  // An epoch that a clock ahead of time made looks newer than the one that followed it; to lose a state is always safe.
  if (known !== null && known.epoch > epoch && !(await forgetState(ctx, deps, companyId))) return null;
  const changes = known?.epoch === epoch ? rows[0].map(readChange) : [];
  const complete = changes[0]?.revision === after + 1 && changes.at(-1)?.revision === revision;
  const range = complete
    ? { epoch, first: after + 1, last: revision, tags: touchedTags(deps.registry, changes) }
    : { epoch, first: revision + 1, last: revision, tags: {} };
  return (await announceToRedis({ ctx, deps }, { companyId, ...range })) ? reached : null;
}

const forgetState = (ctx: Ctx, { redis }: Deps, companyId: string): Promise<boolean> =>
  tell(redis, ctx, (p) => p.del(tagsKey(redis, companyId)));
