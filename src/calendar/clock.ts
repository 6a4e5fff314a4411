import { type SQL, sql } from 'drizzle-orm';
import { DAY_MINUTES } from '../core/civil.ts';
import { localAt, type Offsets } from '../core/offsets.ts';
import type { Clock } from './known-offsets.ts';

/**
 * What this write knows of zones, so that what it stores in local time is what it was planned by: Postgres has zones of its own, and
 * either may be older than the world (`app.local_at`). A zone changes a few times a year.
 */
export const adoptClock = ({ timeZone, at, offset }: Offsets): SQL => {
  const known = at.map((from, i): [number | null, number] => [Number.isFinite(from) ? from : null, offset[i] ?? 0]);
  return adopt({ [timeZone]: known });
};

/** The same of any zones. */
export const adopt = (clock: Clock): SQL => sql`select set_config('app.clock', ${JSON.stringify(clock)}, true)`;

/** A start that was planned in a zone, minutes since 1970. */
export type Told = { offsets: Offsets; start: number };

/** The same of many, near their starts alone: those of a bulk may lie centuries apart. */
export const adoptClocks = (all: readonly Told[]): SQL => {
  const zones = [...Map.groupBy(all, ({ offsets }) => offsets.timeZone)];
  const known = zones.map(([timeZone, told]): [string, Clock[string]] => [timeZone, knownNear(told)]);
  return adopt(Object.fromEntries(known));
};

/** From which minute on which offset holds, in order; what only repeats the one before is left out. */
function knownNear(all: readonly Told[]): [from: number, offset: number][] {
  const known = new Map<number, number>();
  for (const { offsets, start } of all) {
    const [first, last] = [start - DAY_MINUTES, start + 4 * DAY_MINUTES];
    for (const minute of [first, ...offsets.at.filter((each) => each > first && each <= last)])
      known.set(minute, localAt(offsets, minute) - minute);
  }
  const inOrder = [...known].sort(([a], [b]) => a - b);
  return inOrder.filter(([, offset], i) => offset !== inOrder[i - 1]?.[1]);
}
