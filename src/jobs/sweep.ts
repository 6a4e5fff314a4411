import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { tell } from '../data/redis.ts';
import { callRoom } from '../data/rooms.ts';
import { tagsKey } from '../data/tags.ts';

const CHUNK = 200;
/** Rooms that catch up at a time. */
const AT_ONCE = 6;

/** A head that moved; without a company it only says from where the next sweep goes on. */
type Moved = { next_since: string } & (
  | { company_id: string; epoch: string; revision: string }
  | { company_id: null; epoch: null; revision: null }
);

/**
 * Has the watch look whether Redis was set back, then finds companies whose log moved without an announcement: writes made in SQL, restores, double faults. Compares the
 * heads that moved since the last sweep with what Redis knows, and lets the rooms of those behind catch up.
 * @returns how many companies were behind
 */
export async function sweep(ctx: Ctx, deps: Deps): Promise<number> {
  await callRoom(ctx, () => deps.watch().beat(false)).catch(() => ctx.note('roomError', 'beat'));
  const marker = deps.redis.key('sweep');
  const since = await deps.redis.trip(
    ctx,
    (p) => p.get(marker),
    ([text]) => ({ at: typeof text === 'string' ? Number(text) : null }),
  );
  // Without Redis there is nothing to be stale; the next minute tries again.
  if (since === null) return 0;
  const [rows] = await deps.jobs.batch(ctx, { name: 'sweep' }, [
    sql<Moved>`select company_id, epoch, revision, next_since from app.moved_heads(${since.at}::bigint)`,
  ]);
  const heads = rows.filter((row) => row.company_id !== null);
  let behind = 0;
  let told = true;
  for (let i = 0; i < heads.length; i += CHUNK) {
    const chunk = heads.slice(i, i + CHUNK);
    const known = await deps.redis.trip(
      ctx,
      (p) => {
        for (const head of chunk) p.hmget(tagsKey(deps.redis, head.company_id), 'epoch', 'head');
      },
      (answers) => answers as (string | null)[][],
    );
    if (known === null) return behind;
    const late = chunk.filter((head, j) => {
      const [epoch, revision] = known[j] ?? [];
      // Redis knowing nothing is not stale: the next reader starts from the database.
      return typeof epoch === 'string' && (epoch !== head.epoch || Number(revision) < Number(head.revision));
    });
    behind += late.length;
    for (let j = 0; j < late.length; j += AT_ONCE) {
      const caught = await Promise.all(late.slice(j, j + AT_ONCE).map((head) => catchUp(head.company_id)));
      told = caught.every(Boolean) && told;
    }
  }
  const next = rows[0]?.next_since;
  if (told && next !== undefined) await tell(deps.redis, ctx, (p) => p.set(marker, String(next)));
  return behind;

  function catchUp(companyId: string): Promise<boolean> {
    return callRoom(ctx, () => deps.rooms(companyId).catchUp(companyId)).catch(() => false);
  }
}
