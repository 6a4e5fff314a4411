import { beforeAll, describe, expect, it } from 'vitest';
import { freeStarts, freeStartsOfWork, offeredUntil } from '../../../src/calendar/availability.ts';
import type { Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import { partsOf, shapeOf } from '../../../src/calendar/parts.ts';
import type { AvailabilityQuestion } from '../../../src/calendar/sweep.ts';
import { openings } from '../../../src/calendar/working-time.ts';
import { instantTexts, minuteOf } from '../../../src/core/civil.ts';
import { type Offsets, offsetsOf } from '../../../src/core/offsets.ts';

const CUT: Service = {
  ...{ id: 'cut', name: 'Cut', isActive: true, durationMinutes: 60, price: null, taxes: [], staff: [] },
  ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], requires: [] },
  ...{ leadTimeMinutes: null, horizonDays: null },
};
const ANA: StaffMember = { id: 'ana', isActive: true, branchIds: ['b'], serviceIds: ['cut'], workingHours: [] };

let question: AvailabilityQuestion;
let offsets: Offsets;
beforeAll(async () => {
  const day = minuteOf('2026-10-25T00:00:00Z');
  offsets = offsetsOf('Europe/Vienna', day, day + 1440);
  question = {
    branch: {
      ...{ id: 'b', timeZone: 'Europe/Vienna', isActive: true, holidays: [] },
      openingHours: [{ weekday: 7, start: '01:00', end: '04:00' }],
    },
    ...{ offsets, services: [CUT], staff: [ANA], resources: [], from: '2026-10-25', to: '2026-10-26' },
    ...{ stepMinutes: 60, now: 0, timeOff: new Map(), busy: new Map() },
  };
});
const starts = (changed: Partial<AvailabilityQuestion> = {}) =>
  freeStarts({ ...question, ...changed }).map((each) => [each.staffId, ...instantTexts(each.starts)]);

describe('free starts', () => {
  it('are four from one to four, as clocks show two o’clock twice', () => {
    const all = ['2026-10-24T23:00', '2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'];
    expect(starts()).toEqual([['ana', ...all.map((each) => `${each}:00.000Z`)]]);
  });

  it('are found in order where the fold parts one interval around the next', () => {
    const hours = [
      { weekday: 7, start: '01:00', end: '02:15' },
      { weekday: 7, start: '02:15', end: '02:30' },
    ];
    const found = openings(offsets, question.branch, hours, '2026-10-25', '2026-10-26');
    const first = minuteOf('2026-10-24T23:00:00Z');
    expect(found.map((each) => each - first)).toEqual([0, 75, 75, 90, 120, 135, 135, 150]);
  });

  it('are of whoever works here and offers it all', () => {
    const others = [
      { ...ANA, id: 'gone', isActive: false },
      { ...ANA, id: 'elsewhere', branchIds: ['c'] },
      { ...ANA, id: 'other', serviceIds: [] },
      { ...ANA, id: 'free', workingHours: [{ weekday: 7, start: '01:00', end: '04:00', branchId: 'c' }] },
    ];
    expect(starts({ staff: [...others, ANA] }).map(([id, ...rest]) => [id, rest.length])).toEqual([
      ['free', 0],
      ['ana', 4],
    ]);
  });

  it('of planned work need the very resource that it names', () => {
    const chairs = ['one', 'two'].map((id) => ({ id, kind: 'chair', branchId: 'b', isActive: true, workingHours: [] }));
    const shape = shapeOf(partsOf([{ service: CUT, staffId: 'ana' }]), [['chair']]);
    const asked = { ...question, resources: chairs, busy: new Map([['one', [0, 1e9]]]) };
    const count = (resourceId: string | null) =>
      freeStartsOfWork(asked, { shape, resources: [{ kind: 'chair', resourceId }] }).length;
    expect([count('one'), count('two'), count(null)]).toEqual([0, 4, 4]);
    expect(freeStartsOfWork({ ...asked, staff: [] }, { shape, resources: [] })).toEqual([]);
  });

  it('say until when the clock leaves them as they are', () => {
    const first = minuteOf('2026-10-25T00:00:00Z');
    const now = Date.parse('2026-10-24T10:00:00Z');
    const until = (changed: Partial<Service>) =>
      offeredUntil([{ ...CUT, ...changed }], offsets, now, [{ starts: [first] }, { starts: [] }]);
    expect(until({})).toBeNull();
    expect(until({ leadTimeMinutes: 30 })).toBe(Date.parse('2026-10-24T23:30:00.001Z'));
    expect(until({ horizonDays: 3 })).toBe(Date.parse('2026-10-24T22:00:00Z'));
    expect(until({ horizonDays: 3, leadTimeMinutes: 180 })).toBe(Date.parse('2026-10-24T21:00:00.001Z'));
    expect(offeredUntil([{ ...CUT, leadTimeMinutes: 5 }], offsets, now, [])).toBeNull();
  });
});
