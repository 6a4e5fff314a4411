import { describe, expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Json } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';
import { yearLike } from '../../support/years.ts';

// Appointments over HTTP: what is frozen, when that is on the wall clock, who is in the way, and what days see of it.

const YEAR = yearLike(2029);
const world = await sharedWorld();
const { api } = await openCompany(world);
const salon = await openSalon(api);
const cut = { branchId: salon.branchId, staffId: salon.staffId, services: [{ serviceId: salon.serviceId }] };
const book = (more: Json) => api.post('/appointments', { ...cut, ...more });

describe('booking', () => {
  test('freezes what was booked, and shows it on both clocks', async () => {
    const reply = await book({ startsAt: `${YEAR}-06-01T08:00:00Z`, status: 'CONFIRMED', notes: 'Hello' });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.json).toMatchObject({
      ...{ branchId: salon.branchId, staffId: salon.staffId, clientId: null, seriesId: null, resources: [] },
      ...{ startsAt: `${YEAR}-06-01T08:00:00.000Z`, endsAt: `${YEAR}-06-01T08:30:00.000Z` },
      ...{ timeZone: 'Europe/Vienna', localStart: `${YEAR}-06-01T10:00`, status: 'CONFIRMED', notes: 'Hello' },
      ...{ price: { amount: 4500, currency: 'EUR' }, source: 'STAFF', allowOverlap: false, version: 1 },
      services: [
        {
          ...{ serviceId: salon.serviceId, staffId: salon.staffId, name: 'Cut', startOffsetMinutes: 0 },
          ...{ durationMinutes: 30, bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], taxes: [] },
        },
      ],
      statusHistory: [{ status: 'CONFIRMED', by: expect.stringMatching(/^usr_/), reason: null }],
    });
    await api.patch(`/services/${salon.serviceId}`, { name: 'Cut and more' });
    expect((await api.get(`/appointments/${reply.json.id}`)).json.services).toEqual(reply.json.services);
  });

  test('a local time is the branch’s unless it names its zone; clocks that change are asked about', async () => {
    const newYork = await book({ localStart: `${YEAR}-06-02T04:00`, timeZone: 'America/New_York' });
    expect(newYork.json).toMatchObject({ startsAt: `${YEAR}-06-02T08:00:00.000Z`, localStart: `${YEAR}-06-02T10:00` });
    const gap = await book({ localStart: `${YEAR}-03-25T02:30` });
    expectProblem(gap, 'nonexistent_local_time', ['suggestions']);
    expect(gap.json.suggestions).toEqual([`${YEAR}-03-25T00:30:00.000Z`, `${YEAR}-03-25T01:30:00.000Z`]);
    const twice = await book({ localStart: `${YEAR}-10-28T02:30` });
    expectProblem(twice, 'ambiguous_local_time', ['instants']);
    expect(twice.json.instants).toEqual([`${YEAR}-10-28T00:30:00.000Z`, `${YEAR}-10-28T01:30:00.000Z`]);
    for (const [fold, i] of [
      ['EARLIER', 0],
      ['LATER', 1],
    ] as const) {
      const told = await book({ localStart: `${YEAR}-10-28T02:30`, fold });
      expect(told.json).toMatchObject({
        startsAt: (twice.json.instants as string[])[i],
        localStart: `${YEAR}-10-28T02:30`,
      });
    }
    const both = await book({ localStart: `${YEAR}-06-02T04:00`, startsAt: `${YEAR}-06-02T04:00:00Z` });
    expect(expectProblem(both, 'invalid_body')).toMatchObject([{ pointer: '/localStart', code: 'conflict' }]);
    expect(expectProblem(await book({}), 'invalid_body')).toMatchObject([{ pointer: '/startsAt', code: 'required' }]);
    // An end beyond the year 9999 was stored once, and nobody could read it.
    for (const far of [
      { startsAt: '9999-12-31T23:59:00Z' },
      { localStart: '9999-12-31T23:59' },
      { localStart: '0001-01-01T00:00' },
    ])
      expect(expectProblem(await book(far), 'invalid_body')).toMatchObject([{ code: 'out_of_range' }]);
  });

  test('what is taken names who is booked and by what, and suggests what is free', async () => {
    const first = await book({ startsAt: `${YEAR}-07-01T08:00:00Z` });
    const taken = await book({ startsAt: `${YEAR}-07-01T08:15:00Z` });
    expectProblem(taken, 'slot_taken', ['staffId', 'conflictingAppointmentId', 'suggestions']);
    expect(taken.json).toMatchObject({
      ...{ staffId: salon.staffId, conflictingAppointmentId: first.json.id },
      suggestions: ['07:15', '07:30', '08:30', '08:45', '09:00'].map((time) => `${YEAR}-07-01T${time}:00.000Z`),
    });
    for (const startsAt of (taken.json.suggestions as string[]).slice(1, 3))
      expect((await book({ startsAt })).status).toBe(201);
  });

  test('over others or outside of hours books who may, by permission', async () => {
    const startsAt = `${YEAR}-07-02T08:00:00Z`;
    const off = await api.post('/staff', {
      ...{ firstName: 'Monday', branchIds: [salon.branchId], serviceIds: [salon.serviceId] },
      workingHours: [{ weekday: 2, start: '09:00', end: '17:00' }],
    });
    expect((await book({ startsAt })).status).toBe(201);
    const over = await book({ startsAt, allowOverlap: true });
    expect([over.status, over.json.allowOverlap]).toEqual([201, true]);
    const staffId = off.json.id;
    const closed = await book({ startsAt, staffId });
    expectProblem(closed, 'outside_working_hours', ['absent', 'suggestions']);
    expect(closed.json.absent).toEqual([{ staffId }]);
    expect((await book({ startsAt, staffId, ignoreWorkingHours: true })).status).toBe(201);
    const key = await addKey(api, ['appointments:write']);
    for (const liberty of [{ allowOverlap: true }, { ignoreWorkingHours: true }])
      expectProblem(await key.api.post('/appointments', { ...cut, startsAt, ...liberty }), 'forbidden');
    const plain = await key.api.post('/appointments', { ...cut, startsAt: `${YEAR}-07-02T12:00:00Z` });
    expect([plain.status, plain.json.source]).toEqual([201, 'API']);
  });

  test('a repeat with its key answers as the first did, though its time is taken now, by itself', async () => {
    const headers = { 'Idempotency-Key': 'book-once' };
    const body = { ...cut, startsAt: `${YEAR}-07-03T08:00:00Z` };
    const first = await api.post('/appointments', body, { headers });
    await api.patch(`/services/${salon.serviceId}`, { isActive: false });
    const again = await api.post('/appointments', body, { headers });
    await api.patch(`/services/${salon.serviceId}`, { isActive: true });
    expect([again.status, again.json]).toEqual([201, first.json]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });
});

test('statuses go their ways, and freed time can be booked again', async () => {
  const startsAt = `${YEAR}-08-01T08:00:00Z`;
  const { json } = await book({ startsAt });
  const to = (status: string, reason?: string) => api.post(`/appointments/${json.id}/status`, { status, reason });
  expectProblem(await to('COMPLETED'), 'illegal_transition', ['allowed']);
  expect((await to('COMPLETED')).json.allowed).toEqual(['CONFIRMED', 'CANCELLED']);
  expect((await to('CONFIRMED')).json.status).toBe('CONFIRMED');
  const late = await to('NO_SHOW', 'Never came');
  expect(late.json).toMatchObject({ status: 'NO_SHOW', statusReason: 'Never came' });
  expect((await to('NO_SHOW', 'again')).json).toEqual(late.json);
  const other = await book({ startsAt });
  expect(other.status).toBe(201);
  expectProblem(await to('CONFIRMED'), 'slot_taken', ['staffId', 'conflictingAppointmentId']);
  expect((await api.delete(`/appointments/${other.json.id}`)).json.status).toBe('CANCELLED');
  const back = await to('CONFIRMED');
  expect((back.json.statusHistory as Json[]).map(({ status }) => status)).toEqual([
    ...['PENDING', 'CONFIRMED', 'NO_SHOW', 'CONFIRMED'],
  ]);
  const ids = async (query: string): Promise<unknown[]> =>
    ((await api.get(`/appointments?date=${YEAR}-08-01${query}`)).json.data as Json[]).map(({ id }) => id);
  expect([await ids(''), await ids('&status=CANCELLED')]).toEqual([[json.id], [other.json.id]]);
});

test('days are those of the branch, and a booking spoils those of its branch and no other', async () => {
  const auckland = await api.post('/branches', { name: 'Far', timeZone: 'Pacific/Auckland' });
  const far = { ...cut, branchId: auckland.json.id };
  await api.patch(`/staff/${salon.staffId}`, { branchIds: [salon.branchId, far.branchId] });
  // 23:30 and 00:30 of the next day over there; an afternoon in UTC.
  const [late, early] = [
    await api.post('/appointments', { ...far, localStart: `${YEAR}-09-10T23:30` }),
    await api.post('/appointments', { ...far, localStart: `${YEAR}-09-11T00:30` }),
  ];
  const board = (branch: unknown, date: string) =>
    api.get(`/appointments?branchId=${branch}&date=${date}&sort=startsAt`);
  const shown = async (date: string) => ((await board(far.branchId, date)).json.data as Json[]).map(({ id }) => id);
  expect([await shown(`${YEAR}-09-10`), await shown(`${YEAR}-09-11`)]).toEqual([[late.json.id], [early.json.id]]);
  const range = await api.get(`/appointments?branchId=${far.branchId}&from=2029-09-10&to=${YEAR}-09-12&sort=startsAt`);
  expect((range.json.data as Json[]).map(({ id }) => id)).toEqual([late.json.id, early.json.id]);
  expect((await api.get(`/appointments?staffId=${salon.staffId}&date=${YEAR}-09-10`)).json.data).toHaveLength(1);
  const hit = () =>
    until('a HIT', async () => (await board(far.branchId, `${YEAR}-09-10`)).headers.get('x-cache') === 'HIT');
  await hit();
  await book({ startsAt: `${YEAR}-09-10T02:00:00Z` });
  const other = await api.post('/appointments', { ...far, localStart: `${YEAR}-09-11T12:00` });
  const kept = await api.get(`/appointments?branchId=${far.branchId}&date=${YEAR}-09-10&sort=startsAt`, {
    headers: { 'Min-Revision': String(other.revision) },
  });
  expect(kept.headers.get('x-cache')).toBe('HIT');
  const own = await api.post('/appointments', { ...far, localStart: `${YEAR}-09-10T12:00` });
  const spoilt = await api.get(`/appointments?branchId=${far.branchId}&date=${YEAR}-09-10&sort=startsAt`, {
    headers: { 'Min-Revision': String(own.revision) },
  });
  expect([spoilt.headers.get('x-cache'), (spoilt.json.data as Json[]).length]).toEqual(['MISS', 2]);
});
