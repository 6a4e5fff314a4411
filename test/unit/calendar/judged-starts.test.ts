import { expect, it } from 'vitest';
import { nearestStarts, planWork } from '../../../src/calendar/booking.ts';
import { judgeStart } from '../../../src/calendar/presence.ts';
import { minuteOf } from '../../../src/core/civil.ts';
import { offsetsOf } from '../../../src/core/offsets.ts';
import { catalogue, request } from './booking-salon.ts';

const offsets = offsetsOf('Europe/Vienna', minuteOf('2026-03-01T00:00:00Z'), minuteOf('2026-12-01T00:00:00Z'));

it('judgeStart prefers nothing, names who is taken and knows which resources would be had', () => {
  const start = minuteOf('2026-10-27T08:00:00Z');
  const work = planWork(catalogue, { ...request, resources: [{ kind: 'basin', resourceId: 'basin-1' }] });
  const judge = (busy: Record<string, number[]>) =>
    judgeStart(catalogue, offsets, work, start, new Map(Object.entries(busy)));
  expect(judge({})).toEqual({ absent: [], taken: [], chosen: ['basin-1', 'chair-1'] });
  // While the colour develops, Ana is free.
  expect(judge({ ana: [start + 30, start + 70], 'chair-1': [start - 6, start - 4] })).toEqual({
    ...{ absent: [], taken: [] },
    chosen: ['basin-1', 'chair-2'],
  });
  const all = { ana: [start + 30, start + 71], 'basin-1': [start + 124, start + 130] };
  const chairs = { 'chair-1': [start, start + 1], 'chair-2': [start, start + 1] };
  expect(judge({ ...all, ...chairs }).taken).toEqual([
    { staffId: 'ana' },
    { resourceId: 'basin-1' },
    { kind: 'chair' },
  ]);
});

it('whoever ignores hours has what is closed, too', () => {
  const start = minuteOf('2026-10-27T08:00:00Z');
  const closed = [{ weekday: 7, start: '09:00', end: '10:00' }];
  const known = {
    ...catalogue,
    resources: catalogue.resources.map((each) => (each.id === 'chair-2' ? { ...each, workingHours: closed } : each)),
  };
  const busy = new Map([['chair-1', [start, start + 1]]]);
  const work = planWork(known, request);
  const judged = (anyTime: boolean) => judgeStart(known, offsets, work, start, busy, anyTime);
  expect(judged(false).taken).toEqual([{ kind: 'chair' }]);
  expect(judged(true)).toMatchObject({ absent: [], taken: [] });
  expect(judged(true).chosen).toContain('chair-2');
});

it('nearestStarts are those around, in order of time', () => {
  expect(nearestStarts([100, 10, 40, 50, 70, 60], 55, 4)).toEqual([40, 50, 60, 70]);
  expect(nearestStarts([], 55)).toEqual([]);
});
