import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import { yearOffsets } from '../../../src/core/transitions.ts';

const minutes = (nanoseconds: number): number => Math.round(nanoseconds / 60_000_000_000);

/** The same as Temporal tells it. */
function told(zone: string, year: number): ReturnType<typeof yearOffsets> {
  const first = Temporal.Instant.from(`${year}-01-01T00:00Z`).toZonedDateTimeISO(zone);
  const end = Temporal.Instant.from(`${year + 1}-01-01T00:00Z`).epochMilliseconds;
  const changes: { at: number; offset: number }[] = [];
  let next = first.getTimeZoneTransition('next');
  while (next !== null && next.epochMilliseconds < end) {
    changes.push({ at: Math.ceil(next.epochMilliseconds / 60_000), offset: minutes(next.offsetNanoseconds) });
    next = next.getTimeZoneTransition('next');
  }
  return { offset: minutes(first.offsetNanoseconds), changes };
}

test.each([
  ['America/Recife', 2000, 'summer time of a week'],
  ['Africa/Casablanca', 2026, 'none in Ramadan'],
  ['Pacific/Apia', 2011, 'a day left out'],
  ['Antarctica/Troll', 2026, 'two hours'],
  ['Asia/Kathmandu', 1986, 'a quarter of an hour'],
  ['Africa/Monrovia', 1972, 'seconds'],
  ['UTC', 2026, 'never'],
])('%s in %i changes its clocks as Temporal says: %s', (zone, year) => {
  expect(yearOffsets(zone, year)).toEqual(told(zone, year));
});

test('every zone has in every year the offsets that Temporal tells', () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC');
  fc.assert(
    fc.property(zone, fc.integer({ min: 1970, max: 2100 }), (name, year) => {
      expect(yearOffsets(name, year)).toEqual(told(name, year));
    }),
    { numRuns: 150 },
  );
});
