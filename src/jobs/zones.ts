import { sql } from 'drizzle-orm';
import { DAY_MINUTES } from '../core/civil.ts';
import { offsetsOf } from '../core/offsets.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';

/** At most once in this time, seconds. */
const EVERY = 600;
/** Zones of one run: to ask for the years of one takes some milliseconds. */
const MOST = 8;
/** Years that are told: of last year, this one and so many after it. */
const AHEAD = 10;

/** A zone as `app.tell_zones` takes it, in minutes since 1970. */
type ToldZone = { name: string; from: number; until: number; changes: number[]; offsets: number[] };

const newYear = (year: number): number => Date.UTC(year, 0, 1) / 60_000;

function zoneIn(name: string, year: number): ToldZone {
  const [from, until] = [newYear(year - 1), newYear(year + AHEAD + 1)];
  // Offsets come with the two days around.
  const { at, offset } = offsetsOf(name, from + 3 * DAY_MINUTES, until - 3 * DAY_MINUTES);
  const changes = at.flatMap((minute, i) =>
    i > 0 && offset[i] !== offset[i - 1] ? [{ minute, to: offset[i] ?? 0 }] : [],
  );
  return {
    name,
    from,
    until,
    changes: changes.map(({ minute }) => minute),
    offsets: [offset[0] ?? 0, ...changes.map(({ to }) => to)],
  };
}

/**
 * Tells Postgres what this runtime knows of the zones that are in use, those told longest ago first. Null when it was not yet time.
 * @returns those that were told otherwise before, or not at all
 */
export async function tellZones(ctx: Ctx, { redis, jobs }: Deps): Promise<string[] | null> {
  const due = await redis.trip(
    ctx,
    (p) => p.set(redis.key('zones'), '1', { nx: true, ex: EVERY }),
    ([set]) => set === 'OK',
  );
  if (due !== true) return null;
  const [names] = await jobs.batch(ctx, { name: 'zones' }, [
    sql<{ zone: string }>`select zone from app.zones_in_use(${MOST}::int) z (zone)`,
  ]);
  const year = new Date(ctx.now()).getUTCFullYear();
  const zones = names.map(({ zone }) => zoneIn(zone, year));
  const [changed] = await jobs.batch(ctx, { name: 'zones' }, [
    sql<{ zone: string }>`select zone from app.tell_zones(${JSON.stringify(zones)}::jsonb) z (zone)`,
  ]);
  return changed.map(({ zone }) => zone);
}
