import { expect, test } from 'vitest';
import { dateOf } from '../../../src/core/civil.ts';
import { dayBounds, localAt, offsetsOf } from '../../../src/core/offsets.ts';
import { yearOffsets } from '../../../src/core/transitions.ts';
import { openStage } from '../../database/support.ts';

// Every zone that a branch may have, as Postgres knows it and as the runtime does. Where they differ what the runtime told counts
// (app.zones, app.local_at); what is over is the same everywhere.

const YEARS = [1973, 1985, 2000, 2010, 2018, 2022, 2025, 2026, 2027, 2030, 2037];
const HOUR = 60;

test('differ in what is to come at most, and say where', { timeout: 300_000 }, async () => {
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

    // Told, they are the same, at each change and around it; days begin when the clock first shows them.
    const told = await stage.sql<{ zone: string; year: number; at: number[]; offsets: number[]; starts: number[] }>(
      `select zone, year, array_agg(m order by m) as at,
          array_agg(round(extract(epoch from app.local_at(zone, app.at_minute(m)) - (app.at_minute(m) at time zone 'UTC')) / 60)::int order by m) as offsets,
          (select array_agg((extract(epoch from app.reached_at(zone, d)) / 60)::int order by d)
            from generate_series(make_timestamp(year, 1, 3, 0, 0, 0), make_timestamp(year, 12, 29, 0, 0, 0), interval '1 day') d) as starts
        from jsonb_to_recordset($1) x (zone text, year int, at bigint[]), unnest(x.at) m group by 1, 2`,
      [
        JSON.stringify(
          Intl.supportedValuesOf('timeZone').flatMap((zone) =>
            [2026, 2031].map((year) => {
              const around = yearOffsets(zone, year).changes.flatMap(({ at }) => [at - 1, at, at + 1]);
              return { zone, year, at: [Date.UTC(year, 0, 1) / 60_000, ...around] };
            }),
          ),
        ),
      ],
    );
    for (const { zone, year, at, offsets, starts } of told) {
      const known = offsetsOf(zone, Date.UTC(year, 0, 3) / 60_000, Date.UTC(year, 11, 29) / 60_000);
      const minutes = at.map(Number);
      expect(offsets, `${zone} ${year}`).toEqual(minutes.map((minute) => localAt(known, minute) - minute));
      const days = starts.map((_, n) => dateOf(Date.UTC(year, 0, 3) / 86_400_000 + n));
      expect(starts, `${zone} ${year}`).toEqual(days.map((day) => dayBounds(known, day).start));
    }
  } finally {
    await stage.close();
  }
});
