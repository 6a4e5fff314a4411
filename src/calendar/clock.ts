import { type SQL, sql } from 'drizzle-orm';
import type { Offsets } from '../core/offsets.ts';

/**
 * What this write knows of zones, so that what it stores in local time is what it was planned by: Postgres has zones of its own, and
 * either may be older than the world (`app.local_at`). A zone changes a few times a year.
 */
export const adoptClock = ({ timeZone, at, offset }: Offsets): SQL => {
  const known = at.map((from, i) => [Number.isFinite(from) ? from : null, offset[i] ?? 0]);
  return sql`select set_config('app.clock', ${JSON.stringify({ [timeZone]: known })}, true)`;
};
