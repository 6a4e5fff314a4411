import { expect, test } from 'vitest';
import { yearOffsets } from '../../../src/core/transitions.ts';
import { openStage } from '../../database/support.ts';

// Every zone that a branch may have, as Postgres knows it and as the runtime does. Where they differ the clock of whoever books
// counts (app.local_at); what is over is the same everywhere.

const YEARS = [1973, 1985, 2000, 2010, 2018, 2022, 2025, 2026, 2027, 2030, 2037];
const HOUR = 60;

test('differ in what is to come at most, and say where', { timeout: 120_000 }, async () => {
  const stage = await openStage();
  try {
    const rows = await stage.sql<{ zone: string; year: number; offsets: number[] }>(
      `select zone, year, (select array_agg(round(extract(epoch from (t at time zone zone) - (t at time zone 'UTC')) / 60)::int order by t)
          from generate_series(make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC'), make_timestamptz(year, 12, 31, 23, 0, 0, 'UTC'), interval '3 hours') t) as offsets
        from unnest($1::text[]) zone, unnest($2::int[]) year`,
      [Intl.supportedValuesOf('timeZone'), YEARS],
    );
    expect(rows.length).toBeGreaterThan(400 * YEARS.length);
    const differing = rows.flatMap(({ zone, year, offsets }) => {
      const { offset, changes } = yearOffsets(zone, year);
      const first = Date.UTC(year, 0, 1) / 60_000;
      const wrong = offsets.filter((theirs, i) => {
        const minute = first + i * 3 * HOUR;
        return theirs !== (changes.filter(({ at }) => at <= minute).at(-1)?.offset ?? offset);
      });
      return wrong.length === 0 ? [] : [{ zone, year, days: wrong.length / 8 }];
    });
    for (const { zone, year, days } of differing) console.log(`${zone} ${year}: another time on ${days} days`);
    expect(differing.filter(({ year }) => year <= 2025)).toEqual([]);
    // A few governments a year; more would be a fault of ours.
    expect(new Set(differing.map(({ zone }) => zone)).size).toBeLessThan(20);
  } finally {
    await stage.close();
  }
});
