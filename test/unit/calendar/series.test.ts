import { beforeAll, describe, expect, it } from 'vitest';
import { planWork } from '../../../src/calendar/booking.ts';
import type { Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import { occurrences } from '../../../src/calendar/recurrence.ts';
import { parseRule, ruleText } from '../../../src/calendar/rrule.ts';
import { affected, judgeSeries, localStarts, occurrenceOf, reach } from '../../../src/calendar/series.ts';
import { takenOf } from '../../../src/calendar/taken.ts';
import { localOf, localText, minuteOf } from '../../../src/core/civil.ts';
import { type Offsets, offsetsOf } from '../../../src/core/offsets.ts';

const starts = (text: string, from: string): string[] =>
  occurrences(parseRule(text), localOf(from), null).map(localText);

describe('occurrences', () => {
  it.each([
    ['FREQ=WEEKLY;COUNT=3', '2026-03-25T09:00', ['2026-03-25T09:00', '2026-04-01T09:00', '2026-04-08T09:00']],
    [
      'rrule:freq=weekly;byday=mo,fr;count=3;',
      '2026-03-25T09:00',
      ['2026-03-27T09:00', '2026-03-30T09:00', '2026-04-03T09:00'],
    ],
    ['FREQ=MONTHLY;COUNT=3', '2026-01-31T18:00', ['2026-01-31T18:00', '2026-03-31T18:00', '2026-05-31T18:00']],
    ['FREQ=MONTHLY;BYDAY=-1FR;COUNT=2', '2026-01-01T08:00', ['2026-01-30T08:00', '2026-02-27T08:00']],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2',
      '2026-01-01T08:00',
      ['2026-01-30T08:00', '2026-02-27T08:00'],
    ],
    ['FREQ=YEARLY;COUNT=2', '2028-02-29T08:00', ['2028-02-29T08:00', '2032-02-29T08:00']],
  ])('%s from %s', (text, first, expected) => expect(starts(text, first)).toEqual(expected));

  it.each([
    ['20260408', 3],
    ['20260408T085959', 2],
    ['20260408T090000', 3],
    // Vienna is two hours ahead by then.
    ['20260408T070000Z', 3],
    ['20260408T065959Z', 2],
  ])('until %s', async (until, count) => {
    const rule = parseRule(`FREQ=WEEKLY;UNTIL=${until}`);
    const { first, last } = reach(rule, '2026-03-25T09:00');
    const offsets = offsetsOf('Europe/Vienna', first, last);
    expect(localStarts(offsets, rule, '2026-03-25T09:00')).toHaveLength(count);
    expect(parseRule(ruleText(rule))).toEqual(rule);
  });

  it.each([
    'FREQ=DAILY',
    'FREQ=DAILY;COUNT=367',
    'FREQ=DAILY;COUNT=0',
    'FREQ=DAILY;UNTIL=20270401',
    'FREQ=DAILY;UNTIL=20260230',
    'FREQ=DAILY;UNTIL=20260301;COUNT=2',
    'FREQ=DAILY;UNTIL=20260101',
    'FREQ=YEARLY;COUNT=60',
    'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1',
    'FREQ=HOURLY;COUNT=2',
    'FREQ=DAILY;BYHOUR=9;COUNT=2',
    'FREQ=WEEKLY;BYDAY=1MO;COUNT=2',
    'FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2',
    'FREQ=WEEKLY;BYDAY=XX;COUNT=2',
    'FREQ=WEEKLY;BYSETPOS=1;COUNT=2',
    'FREQ=WEEKLY;FREQ=DAILY;COUNT=2',
    'INTERVAL=2;COUNT=2',
    'every week',
    '',
  ])('%j is refused', (text) => {
    const run = () => {
      const rule = parseRule(text);
      return localStarts({ timeZone: 'UTC', at: [Number.NEGATIVE_INFINITY], offset: [0] }, rule, '2026-03-25T09:00');
    };
    expect(run).toThrow(
      expect.objectContaining({ code: 'invalid_rrule', faults: [expect.objectContaining({ pointer: '/rrule' })] }),
    );
  });
});

describe('edits', () => {
  it('reach one, those from it on, or all', () => {
    const all = ['2026-03-23T09:00', '2026-03-30T09:00', '2026-04-06T09:00'].map((localStart) => ({ localStart }));
    const reached = (scope: 'THIS' | 'FOLLOWING' | 'ALL') =>
      affected(all, '2026-03-30T09:00', scope).map((each) => all.indexOf(each));
    expect([reached('THIS'), reached('FOLLOWING'), reached('ALL')]).toEqual([[1], [1, 2], [0, 1, 2]]);
  });
});

describe('judgeSeries', () => {
  const HOUR: Service = {
    ...{ id: 'hour', name: 'Hour', isActive: true, durationMinutes: 60, price: null, taxes: [], staff: [] },
    ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], requires: ['room'] },
    ...{ leadTimeMinutes: null, horizonDays: null },
  };
  const ANA: StaffMember = { id: 'ana', isActive: true, branchIds: ['b'], serviceIds: ['hour'], workingHours: [] };
  const catalogue = {
    revision: 1,
    branch: {
      id: 'b',
      timeZone: 'Europe/Vienna',
      isActive: true,
      openingHours: [],
      holidays: [{ date: '2026-03-27' }],
    },
    services: new Map([['hour', HOUR]]),
    staff: new Map([['ana', ANA]]),
    resources: ['one', 'two'].map((id) => ({ id, kind: 'room', branchId: 'b', isActive: true, workingHours: [] })),
    timeOff: new Map<string, number[]>(),
  };
  const work = planWork(catalogue, { branchId: 'b', staffId: 'ana', services: [{ serviceId: 'hour' }] });
  let offsets: Offsets;
  beforeAll(async () => {
    offsets = offsetsOf('Europe/Vienna', minuteOf('2026-03-01T00:00:00Z'), minuteOf('2026-12-01T00:00:00Z'));
  });
  const judge = (rule: string, from: string, busy: Record<string, number[]>, options = {}) => {
    const local = localStarts(offsets, parseRule(rule), from);
    return judged(catalogue, work, local, busy, options);
  };
  const judged = (
    known: typeof catalogue,
    of: typeof work,
    starts: readonly number[],
    busy: Record<string, number[]> = {},
    options = {},
  ) => {
    const candidates = starts.map((local, i) => ({ id: `${i}`, local, work: of }));
    const taken = takenOf(new Map(Object.entries(busy)));
    return judgeSeries(known, { offsets, told: offsets }, candidates, taken, options).map(occurrenceOf);
  };

  it('keeps local time across the change, and says what is wrong with each', () => {
    const taken = minuteOf('2026-03-26T08:30:00Z');
    expect(judge('FREQ=DAILY;COUNT=5', '2026-03-26T09:00', { ana: [taken, taken + 1] })).toEqual([
      { localStart: '2026-03-26T09:00', startsAt: '2026-03-26T08:00:00.000Z', verdict: 'SLOT_TAKEN' },
      { localStart: '2026-03-27T09:00', startsAt: '2026-03-27T08:00:00.000Z', verdict: 'OUTSIDE_WORKING_HOURS' },
      { localStart: '2026-03-28T09:00', startsAt: '2026-03-28T08:00:00.000Z', verdict: 'OK' },
      { localStart: '2026-03-29T09:00', startsAt: '2026-03-29T07:00:00.000Z', verdict: 'OK' },
      { localStart: '2026-03-30T09:00', startsAt: '2026-03-30T07:00:00.000Z', verdict: 'OK' },
    ]);
  });

  it('asks no clock for what it does not show, or shows twice', () => {
    const verdicts = (from: string, options = {}) =>
      judge('FREQ=WEEKLY;COUNT=2', from, {}, options).map(({ startsAt, verdict }) => [startsAt, verdict]);
    expect(verdicts('2026-03-22T02:30')).toEqual([
      ['2026-03-22T01:30:00.000Z', 'OK'],
      [null, 'NONEXISTENT'],
    ]);
    expect(verdicts('2026-10-18T02:30')[1]).toEqual([null, 'AMBIGUOUS']);
    expect(verdicts('2026-10-18T02:30', { fold: 'LATER' })[1]).toEqual(['2026-10-25T01:30:00.000Z', 'OK']);
  });

  it('counts a series among what is taken, also by the resources it would have', () => {
    const long = { ...HOUR, durationMinutes: 1500 };
    const services = new Map([['hour', long]]);
    const days = planWork(
      { ...catalogue, services },
      { branchId: 'b', staffId: 'ana', services: [{ serviceId: 'hour' }] },
    );
    const local = localStarts(offsets, parseRule('FREQ=DAILY;COUNT=4'), '2026-05-04T09:00');
    const run = (options = {}) => judged(catalogue, days, local, {}, options).map(({ verdict }) => verdict);
    expect(run()).toEqual(['OK', 'SLOT_TAKEN', 'OK', 'SLOT_TAKEN']);
    expect(run({ allowOverlap: true })).toEqual(['OK', 'OK', 'OK', 'OK']);
    // The staff member is free meanwhile, the one room is not.
    const develops = new Map([['hour', { ...long, processing: [{ afterMinutes: 10, minutes: 1480 }] }]]);
    const oneRoom = { ...catalogue, services: develops, resources: catalogue.resources.slice(0, 1) };
    const alone = planWork(oneRoom, { branchId: 'b', staffId: 'ana', services: [{ serviceId: 'hour' }] });
    expect(judged(oneRoom, alone, local.slice(0, 2))[1]?.verdict).toBe('SLOT_TAKEN');
    expect(judged(catalogue, alone, local.slice(0, 2))[1]?.verdict).toBe('OK');
    const busy = { one: [0, 1e9], two: [0, 1e9] };
    expect(judge('FREQ=DAILY;COUNT=1', '2026-05-04T09:00', busy)[0]?.verdict).toBe('SLOT_TAKEN');
    expect(judge('FREQ=DAILY;COUNT=1', '2026-05-04T09:00', { one: [0, 1e9] })[0]?.verdict).toBe('OK');
    expect(judge('FREQ=DAILY;COUNT=1', '2026-03-27T09:00', {}, { ignoreWorkingHours: true })[0]?.verdict).toBe('OK');
  });
});
