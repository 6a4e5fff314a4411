import { beforeAll, describe, expect, it } from 'vitest';
import { planBooking, planWork } from '../../../src/calendar/booking.ts';
import { minuteOf } from '../../../src/core/civil.ts';
import { AppError } from '../../../src/core/errors.ts';
import { type Offsets, offsetsOf } from '../../../src/core/offsets.ts';
import { ANA, BO, both, COLOUR, CUT, catalogue, EUR, request } from './booking-salon.ts';

const at = (startsAt: string) => ({ ...request, start: { startsAt } });

let offsets: Offsets;
let newYork: Offsets;
beforeAll(async () => {
  const around = [minuteOf('2026-03-01T00:00:00Z'), minuteOf('2026-12-01T00:00:00Z')] as const;
  offsets = offsetsOf('Europe/Vienna', ...around);
  newYork = offsetsOf('America/New_York', ...around);
});

function refusal(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('planBooking', () => {
  it('freezes what was booked, and says when, for how much and what it rests on', () => {
    const plan = planBooking(catalogue, at('2026-10-24T22:30:00.000Z'), offsets);
    expect(plan).toMatchObject({
      ...{ startsAt: '2026-10-24T22:30:00.000Z', endsAt: '2026-10-25T00:20:00.000Z', price: EUR(13_000) },
      ...{ timeZone: 'Europe/Vienna', localDate: '2026-10-25', localStart: '2026-10-25T00:30' },
    });
    expect(plan.parts).toEqual([
      {
        ...{ serviceId: 'colour', staffId: 'ana', name: 'Colour', startOffsetMinutes: 0, durationMinutes: 90 },
        ...{ bufferBeforeMinutes: 5, bufferAfterMinutes: 10, processing: COLOUR.processing, price: EUR(9000) },
        taxes: COLOUR.taxes,
      },
      {
        ...{ serviceId: 'cut', staffId: 'bo', name: 'Cut', startOffsetMinutes: 90, durationMinutes: 20 },
        ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 15, processing: [], price: EUR(4000), taxes: CUT.taxes },
      },
    ]);
    expect(plan.shape.staff).toEqual(
      new Map([
        ['ana', { present: [0, 90], busy: [-5, 30, 70, 100] }],
        ['bo', { present: [90, 110], busy: [90, 125] }],
      ]),
    );
    expect(plan.shape.occupied).toEqual({ start: -5, end: 125 });
    // Both want a chair, which is one; each of another kind.
    expect(plan.resources).toEqual([
      { kind: 'chair', resourceId: null },
      { kind: 'basin', resourceId: null },
    ]);
    expect(plan.guard).toEqual({
      since: 41,
      entities: {
        ...{ branch: ['vienna'], service: ['colour', 'cut'], staff: ['ana', 'bo'] },
        resource: ['chair-1', 'chair-2', 'basin-1'],
        'time-off': { staff_id: ['ana', 'bo'], resource_id: ['chair-1', 'chair-2', 'basin-1'] },
      },
    });
  });

  it('takes one staff member for several services with the buffers of the first and the last', () => {
    const services = [{ serviceId: 'colour' }, { serviceId: 'cut' }];
    const { shape } = planWork(catalogue, { branchId: 'vienna', staffId: 'ana', services });
    expect(shape.staff).toEqual(new Map([['ana', { present: [0, 120], busy: [-5, 30, 70, 135] }]]));
  });

  it('lets a faster member have no more processing than fits, and a price told on the day make none', () => {
    const quick = { ...COLOUR, staff: [{ staffId: 'ana', durationMinutes: 50 }], price: null };
    const services = new Map([['colour', quick]]);
    const plan = planWork({ ...catalogue, services }, { ...request, services: both.slice(0, 1) });
    expect(plan.parts[0]?.processing).toEqual([{ afterMinutes: 30, minutes: 20 }]);
    expect(plan.price).toBeNull();
    const some = new Map([
      ['colour', quick],
      ['cut', CUT],
    ]);
    expect(planWork({ ...catalogue, services: some }, request).price).toBeNull();
  });

  it('names resources that are asked for, and as many more as are needed', () => {
    const resources = [{ kind: 'chair', resourceId: 'chair-2' }];
    expect(planWork(catalogue, { ...request, resources }).resources).toEqual([
      { kind: 'chair', resourceId: 'chair-2' },
      { kind: 'basin', resourceId: null },
    ]);
  });

  it.each([
    ['2026-10-26T09:00:00Z', [{ staffId: 'ana' }, { staffId: 'bo' }]],
    // Bo's part would end after six.
    ['2026-10-27T15:20:00Z', [{ staffId: 'bo' }]],
    ['2026-10-27T10:00:00Z', [{ staffId: 'ana' }]],
    // Her part, or its buffer, ends where her time off begins, or begins where it ends.
    ['2026-10-27T09:30:00Z', null],
    ['2026-10-27T12:00:00Z', null],
  ])('at %s hours and time off keep away %j', (startsAt, absent) => {
    const plan = () => planBooking(catalogue, at(startsAt), offsets);
    if (absent === null) expect(plan().startsAt).toBe(startsAt.replace('Z', '.000Z'));
    else expect(refusal(plan)).toMatchObject({ code: 'outside_working_hours', absent });
    const anyway = planBooking(catalogue, { ...at(startsAt), ignoreWorkingHours: true }, offsets);
    expect(Object.keys(anyway.guard.entities)).toEqual(['branch', 'service', 'staff', 'resource']);
  });

  it('resolves local time, and refuses what is none or two', () => {
    const local = (localStart: string, fold?: 'EARLIER' | 'LATER') => ({ ...request, start: { localStart, fold } });
    expect(planBooking(catalogue, local('2026-10-27T09:30:00'), offsets).startsAt).toBe('2026-10-27T08:30:00.000Z');
    expect(refusal(() => planBooking(catalogue, local('2026-10-25T02:30'), offsets))).toMatchObject({
      code: 'ambiguous_local_time',
      extra: { instants: ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'] },
    });
    const later = planBooking(catalogue, local('2026-10-25T02:30', 'LATER'), offsets);
    expect(later).toMatchObject({ startsAt: '2026-10-25T01:30:00.000Z', localStart: '2026-10-25T02:30' });
    expect(planBooking(catalogue, local('2026-10-25T02:30', 'EARLIER'), offsets).startsAt).toBe(
      '2026-10-25T00:30:00.000Z',
    );
    expect(refusal(() => planBooking(catalogue, local('2026-03-29T02:30'), offsets))).toMatchObject({
      code: 'nonexistent_local_time',
      extra: { suggestions: ['2026-03-29T00:30:00.000Z', '2026-03-29T01:30:00.000Z'] },
    });
    // Told in another zone, shown in the branch's.
    const told = planBooking(catalogue, local('2026-10-27T03:30'), offsets, newYork);
    expect(told).toMatchObject({ startsAt: '2026-10-27T07:30:00.000Z', localStart: '2026-10-27T08:30' });
  });

  it.each([
    ['2026-10-27T09:30:30Z', '/startsAt'],
    ['2026-10-27T09:30:00.500Z', '/startsAt'],
  ])('%s is no whole minute', (startsAt, pointer) => {
    const fault = refusal(() => planBooking(catalogue, at(startsAt), offsets));
    expect(fault).toMatchObject({ code: 'invalid_body', faults: [{ pointer, code: 'invalid_format' }] });
  });

  it('names all references of the first kind of fault', () => {
    const none = { branchId: 'vienna', staffId: 'cy', services: [{ serviceId: 'x' }, { serviceId: 'y' }] };
    expect(refusal(() => planWork({ ...catalogue, branch: null }, none))).toMatchObject({
      code: 'unknown_reference',
      faults: ['/branchId', '/services/0/serviceId', '/staffId', '/services/1/serviceId'].map((pointer) => ({
        pointer,
      })),
    });
    const away = new Map([
      ['ana', { ...ANA, isActive: false }],
      ['bo', BO],
    ]);
    expect(refusal(() => planWork({ ...catalogue, staff: away }, request))).toMatchObject({
      code: 'invalid_body',
      faults: [{ pointer: '/services/0/staffId', code: 'inactive' }],
    });
    const nobody = { branchId: 'vienna', services: [{ serviceId: 'cut' }, { serviceId: 'cut' }] };
    expect(refusal(() => planWork(catalogue, nobody)).faults).toMatchObject([
      { pointer: '/staffId', code: 'required' },
    ]);
    const half = { ...nobody, services: [{ serviceId: 'cut' }, { serviceId: 'cut', staffId: 'ana' }] };
    expect(refusal(() => planWork(catalogue, half)).faults).toMatchObject([
      { pointer: '/services/0/staffId', code: 'required' },
    ]);
    const wrong = { ...request, services: [{ serviceId: 'colour' }] };
    expect(refusal(() => planWork(catalogue, wrong))).toMatchObject({
      code: 'not_offered',
      faults: [{ pointer: '/staffId' }],
    });
    const elsewhere = new Map([
      ['ana', { ...ANA, branchIds: ['graz'] }],
      ['bo', BO],
    ]);
    expect(refusal(() => planWork({ ...catalogue, staff: elsewhere }, request)).code).toBe('not_offered');
  });

  it('refuses resources that are unknown, named twice or too few', () => {
    const asking = (...ids: string[]) => ({
      ...request,
      resources: ids.map((resourceId) => ({ kind: 'chair', resourceId })),
    });
    expect(refusal(() => planWork(catalogue, asking('basin-1')))).toMatchObject({
      code: 'unknown_reference',
      faults: [{ pointer: '/resources/0/resourceId' }],
    });
    expect(refusal(() => planWork(catalogue, asking('chair-1', 'chair-1')))).toMatchObject({
      code: 'invalid_body',
      faults: [{ pointer: '/resources/1/resourceId', code: 'duplicate_value' }],
    });
    const few = { ...catalogue, resources: catalogue.resources.slice(0, 2) };
    expect(refusal(() => planWork(few, request))).toMatchObject({ code: 'slot_taken', extra: { kind: 'basin' } });
  });
});
