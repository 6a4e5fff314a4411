import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import {
  dateOf,
  dayOf,
  instantsJson,
  instantTexts,
  localOf,
  localText,
  minuteOf,
  timeOf,
  weekdayOf,
} from '../../../src/core/civil.ts';
import {
  aroundGap,
  dayBounds,
  localAt,
  localDateAt,
  minutesAt,
  offsetsOf,
  whileLocal,
} from '../../../src/core/offsets.ts';

const minutes = (...instants: string[]): number[] => instants.map((text) => Date.parse(text) / 60_000);
const YEAR = minutes('2026-01-01T00:00Z', '2027-12-31T00:00Z') as [number, number];

describe('civil time', () => {
  it('agrees with Temporal on days and weekdays of all years', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 2_932_896 }), (day) => {
        const date = Temporal.PlainDate.from('1970-01-01').add({ days: day });
        expect(dateOf(day)).toBe(date.toString());
        expect(dayOf(date.toString())).toBe(day);
        expect(weekdayOf(day)).toBe(date.dayOfWeek);
      }),
    );
  });

  it('reads and writes times', () => {
    expect([timeOf('00:00'), timeOf('09:30'), timeOf('24:00')]).toEqual([0, 570, 1440]);
    expect(localText(localOf('2026-11-01T01:30'))).toBe('2026-11-01T01:30');
    expect(localText(localOf('1969-12-31T23:59:30'))).toBe('1969-12-31T23:59');
    expect(minuteOf('2026-11-01T01:30:59.999Z')).toBe(minutes('2026-11-01T01:30Z')[0]);
    const texts = ['2026-11-01T23:59:00.000Z', '2026-11-02T00:00:00.000Z', '2026-10-31T07:05:00.000Z'];
    expect(instantTexts(texts.map(minuteOf))).toEqual(texts);
    for (const some of [texts, texts.slice(1), []]) expect(instantsJson(some.map(minuteOf))).toBe(JSON.stringify(some));
  });
});

describe('offsets', () => {
  it.each([
    ['America/New_York', '2026-03-08T02:30', ['2026-03-08T06:30Z', '2026-03-08T07:30Z']],
    ['Europe/Vienna', '2026-03-29T02:00', ['2026-03-29T00:00Z', '2026-03-29T01:00Z']],
    ['Australia/Lord_Howe', '2026-10-04T02:15', ['2026-10-03T15:15Z', '2026-10-03T15:45Z']],
  ])('%s has no %s', async (zone, local, around) => {
    const offsets = offsetsOf(zone, ...YEAR);
    expect(minutesAt(offsets, localOf(local))).toEqual([]);
    expect(aroundGap(offsets, localOf(local))).toEqual(minutes(...around));
  });

  it.each([
    ['America/New_York', '2026-11-01T01:30', ['2026-11-01T05:30Z', '2026-11-01T06:30Z']],
    ['Australia/Lord_Howe', '2026-04-05T01:45', ['2026-04-04T14:45Z', '2026-04-04T15:15Z']],
    ['Africa/Casablanca', '2026-02-15T02:30', ['2026-02-15T01:30Z', '2026-02-15T02:30Z']],
  ])('%s has %s twice', async (zone, local, both) => {
    const offsets = offsetsOf(zone, ...YEAR);
    expect(minutesAt(offsets, localOf(local))).toEqual(minutes(...both));
    expect(aroundGap(offsets, localOf(local))).toEqual([]);
  });

  it.each([
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['America/New_York', '2026-11-02', 24],
    ['Europe/Vienna', '2026-10-25', 25],
    // Midnight itself is in the gap, or in the fold.
    ['Asia/Beirut', '2026-03-29', 23],
    ['America/Havana', '2026-11-01', 25],
    ['Pacific/Apia', '2011-12-30', 0],
  ])('a day of %s, %s, has %i hours', async (zone, date, hours) => {
    const near = dayOf(date) * 1440;
    const { start, end } = dayBounds(offsetsOf(zone, near, near + 1440), date);
    expect((end - start) / 60).toBe(hours);
  });

  it('a time of day lasts as long as the wall clock shows it', async () => {
    const offsets = offsetsOf('America/New_York', ...YEAR);
    const lengths = (date: string, start: string, end: string) => {
      const spans = whileLocal(offsets, localOf(`${date}T${start}`), localOf(`${date}T${end}`));
      return spans.flatMap((at, i) => (i % 2 === 0 ? [] : [at - (spans[i - 1] ?? 0)]));
    };
    expect(lengths('2026-03-08', '01:00', '04:00')).toEqual([120]);
    expect(lengths('2026-03-08', '02:15', '02:45')).toEqual([]);
    expect(lengths('2026-03-08', '02:30', '04:00')).toEqual([60]);
    expect(lengths('2026-11-01', '00:00', '04:00')).toEqual([300]);
    expect(lengths('2026-11-01', '00:00', '01:30')).toEqual([90, 30]);
    expect(lengths('2026-11-01', '01:15', '01:45')).toEqual([30, 30]);
  });

  it('agrees with Temporal wherever and whenever', async () => {
    const zones = ['America/New_York', 'Europe/Vienna', 'Australia/Lord_Howe', 'Africa/Casablanca', 'America/St_Johns'];
    const minute = fc.integer({ min: minutes('1975-01-01T00:00Z')[0] ?? 0, max: minutes('2040-01-01T00:00Z')[0] ?? 0 });
    // Half of them near a change of New York's and Vienna's clocks.
    const changes = minutes('2026-03-08T07:00Z', '2026-11-01T06:00Z', '2026-03-29T01:00Z', '2026-10-25T01:00Z');
    const near = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -180, max: 180 })).map(([a, b]) => a + b);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...zones), fc.oneof(minute, near), async (zone, at) => {
        const offsets = offsetsOf(zone, at, at);
        const zoned = Temporal.Instant.fromEpochMilliseconds(at * 60_000).toZonedDateTimeISO(zone);
        expect(localText(localAt(offsets, at))).toBe(zoned.toPlainDateTime().toString().slice(0, 16));
        expect(localDateAt(offsets, at)).toBe(zoned.toPlainDate().toString());
        // The same reading as UTC's falls into gaps as well.
        const plain = Temporal.Instant.fromEpochMilliseconds(at * 60_000)
          .toZonedDateTimeISO('UTC')
          .toPlainDateTime();
        const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' });
        const later = plain.toZonedDateTime(zone, { disambiguation: 'later' });
        const expected = [...new Set([earlier, later].map((each) => each.epochMilliseconds / 60_000))];
        const exists = earlier.toPlainDateTime().equals(plain);
        expect(minutesAt(offsets, at)).toEqual(exists ? expected : []);
        if (!exists) expect(aroundGap(offsets, at)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
