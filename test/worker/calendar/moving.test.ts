import { describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { yearLike } from '../../support/years.ts';

// What moves keeps what was booked; what is held is free to nobody else, also while it is booked.

const YEAR = yearLike(2029);
const world = await sharedWorld();
const { api } = await openCompany(world);
const salon = await openSalon(api);
const chairs = await Promise.all(
  ['One', 'Two'].map((name) => api.post('/resources', { name, kind: 'CHAIR', branchId: salon.branchId })),
);
await api.patch(`/services/${salon.serviceId}`, { requires: ['CHAIR'], bufferAfterMinutes: 15 });
const cut = { branchId: salon.branchId, staffId: salon.staffId, services: [{ serviceId: salon.serviceId }] };
const book = (more: Json) => api.post('/appointments', { ...cut, ...more });
const move = (id: unknown, body: Json) => api.post(`/appointments/${id}/reschedule`, body);
const others = { firstName: 'Ben', branchIds: [salon.branchId], serviceIds: [salon.serviceId] };

describe('rescheduling', () => {
  test('goes onto part of itself, keeps its chair where it is free, and what was booked', async () => {
    const { json } = await book({ startsAt: `${YEAR}-06-01T08:00:00Z` });
    expect(json.resources).toEqual([{ kind: 'CHAIR', resourceId: chairs[0]?.json.id }]);
    await api.patch(`/services/${salon.serviceId}`, { price: { amount: 9900, currency: 'EUR' } });
    const moved = await move(json.id, { startsAt: `${YEAR}-06-01T08:15:00Z` });
    expect(moved.status, moved.text).toBe(200);
    const { services, resources, price } = json;
    expect(moved.json).toMatchObject({
      services,
      resources,
      price,
      startsAt: `${YEAR}-06-01T08:15:00.000Z`,
      version: 2,
    });
    expect((await move(json.id, { startsAt: `${YEAR}-06-01T08:15:00Z` })).json.version).toBe(2);
    const next = await book({ startsAt: `${YEAR}-06-01T09:00:00Z` });
    expect(next.status).toBe(201);
    const taken = await move(json.id, { startsAt: `${YEAR}-06-01T08:45:00Z` });
    expectProblem(taken, 'slot_taken', ['staffId', 'conflictingAppointmentId', 'suggestions']);
    expect(taken.json.conflictingAppointmentId).toBe(next.json.id);
  });

  test('to somebody else, who must do that there', async () => {
    const ben = await api.post('/staff', others);
    const idle = await api.post('/staff', { ...others, serviceIds: [] });
    const { json } = await book({ startsAt: `${YEAR}-06-02T08:00:00Z` });
    expectProblem(await move(json.id, { staffId: idle.json.id }), 'not_offered');
    const moved = await move(json.id, { staffId: ben.json.id });
    expect(moved.json).toMatchObject({
      staffId: ben.json.id,
      startsAt: json.startsAt,
      services: [{ staffId: ben.json.id }],
    });
    expect((await book({ startsAt: `${YEAR}-06-02T08:00:00Z` })).status).toBe(201);
    expect((await move(json.id, { localStart: `${YEAR}-06-03T10:00` })).json.startsAt).toBe(
      `${YEAR}-06-03T08:00:00.000Z`,
    );
    const stale = await api.post(
      `/appointments/${json.id}/reschedule`,
      { startsAt: `${YEAR}-03-25T01:00:00Z`, staffId: idle.json.id },
      { headers: { 'If-Match': '"1"' } },
    );
    expect(stale.json.code).toBe('not_offered');
    expect(expectProblem(await move(json.id, {}), 'invalid_body')).toMatchObject([{ pointer: '/startsAt' }]);
  });

  test('at once goes through one after the other: each is answered what is true', async () => {
    const { json } = await book({ startsAt: `${YEAR}-06-04T08:00:00Z` });
    await book({ startsAt: `${YEAR}-06-04T16:00:00Z` });
    const starts = [9, 10, 11, 16, 12, 13, 14, 16].map(
      (hour) => `${YEAR}-06-04T${hour < 10 ? '0' : ''}${hour}:00:00.000Z`,
    );
    const moves = await Promise.all(starts.map((startsAt) => move(json.id, { startsAt })));
    expect(moves.map((reply) => (reply.status === 200 ? reply.json.startsAt : reply.json.code))).toEqual(
      starts.map((start) => (start.includes('T16') ? 'slot_taken' : start)),
    );
    expect((await api.get(`/appointments/${json.id}`)).json.version).toBe(1 + 6);
  });

  test('what is over stays where it was', async () => {
    const { json } = await book({ startsAt: `${YEAR}-06-05T08:00:00Z`, status: 'CONFIRMED' });
    for (const status of ['NO_SHOW', 'CONFIRMED', 'CANCELLED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED']) {
      expect((await api.post(`/appointments/${json.id}/status`, { status })).status).toBe(200);
      const moved = await move(json.id, { startsAt: json.startsAt });
      if (['NO_SHOW', 'CANCELLED', 'COMPLETED'].includes(status)) expectProblem(moved, 'appointment_closed');
      else expect(moved.status, moved.text).toBe(200);
    }
    // 422 comes before 409.
    expectProblem(await move(json.id, { staffId: 'stf_01h455vb4pex5vsknk084sn02q' }), 'unknown_reference');
  });

  test('to an instant takes nothing of a wall clock', async () => {
    const { json } = await book({ startsAt: `${YEAR}-06-06T08:00:00Z` });
    const clock = { timeZone: 'Europe/Vienna', fold: 'LATER' };
    const faults = [
      { pointer: '/timeZone', code: 'conflict' },
      { pointer: '/fold', code: 'conflict' },
    ];
    const startsAt = `${YEAR}-06-06T09:00:00Z`;
    expect(expectProblem(await move(json.id, { startsAt, ...clock }), 'invalid_body')).toMatchObject(faults);
    expect(expectProblem(await move(json.id, { staffId: json.staffId, ...clock }), 'invalid_body')).toMatchObject(
      faults,
    );
    expect(expectProblem(await book({ startsAt, ...clock }), 'invalid_body')).toMatchObject(faults);
    expect(expectProblem(await api.post('/holds', { ...cut, startsAt, ...clock }), 'invalid_body')).toMatchObject(
      faults,
    );
  });
});

describe('a hold', () => {
  const startsAt = `${YEAR}-07-01T08:00:00Z`;

  test('keeps a time from everybody but its booking, which ends it', async () => {
    const { services: _all, ...short } = cut;
    const held = await api.post('/holds', { ...short, serviceId: salon.serviceId, startsAt });
    expect(held.status, held.text).toBe(201);
    expect(held.json).toMatchObject({ purpose: 'BOOKING', startsAt: `${YEAR}-07-01T08:00:00.000Z`, clientId: null });
    const left = Date.parse(String(held.json.expiresAt)) - Date.parse(String(held.json.createdAt));
    expect(left / 60_000).toBeCloseTo(5, 1);
    expectProblem(await book({ startsAt }), 'slot_taken', ['staffId', 'suggestions']);
    expectProblem(await api.post('/holds', { ...cut, startsAt }), 'slot_taken', ['staffId', 'suggestions']);
    const booked = await book({ startsAt, holdId: held.json.id, status: 'CONFIRMED' });
    expect(booked.status, booked.text).toBe(201);
    expect(booked.json.resources).toEqual(held.json.resources);
    expectProblem(await api.get(`/holds/${held.json.id}`), 'not_found');
    const again = await book({ startsAt: `${YEAR}-07-01T12:00:00Z`, holdId: held.json.id });
    expect(expectProblem(again, 'hold_expired')).toMatchObject([{ pointer: '/holdId' }]);
  });

  test('that never was is unknown, alone, in a bulk and to a series, and so is what is no id', async () => {
    for (const holdId of ['hold_01h455vb4pex5vsknk084sn02q', 'none']) {
      const body = { ...cut, startsAt: `${YEAR}-07-01T16:00:00Z`, holdId };
      const rule = { ...body, rrule: 'FREQ=DAILY;COUNT=2' };
      for (const [path, sent, pointer] of [
        ['/appointments', body, '/holdId'],
        ['/appointments/bulk', { mode: 'atomic', items: [body] }, '/items/0/holdId'],
        ['/appointments/series', rule, '/holdId'],
        ['/appointments/series', { ...rule, dryRun: true }, '/holdId'],
      ] as const)
        expect(expectProblem(await api.post(path, sent), 'unknown_reference')).toEqual([
          { pointer, code: 'unknown_reference', detail: 'There is no such object.' },
        ]);
    }
  });

  test('frees its time when it is released, or over', async () => {
    const at = `${YEAR}-07-02T08:00:00Z`;
    const held = await api.post('/holds', { ...cut, startsAt: at });
    const gone = await api.delete(`/holds/${held.json.id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expectProblem(await api.delete(`/holds/${held.json.id}`), 'not_found');
    const second = await api.post('/holds', { ...cut, startsAt: at });
    await world.sql(`update holds set expires_at = clock_timestamp() - interval '1 second' where starts_at = $1`, [at]);
    expectProblem(await book({ startsAt: at, holdId: second.json.id }), 'hold_expired');
    expect((await book({ startsAt: at })).status).toBe(201);
  });
});
