import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { yearLike } from '../../support/years.ts';
import { verdicts } from './series-world.ts';

// Once who does it, where it is or what it needs is gone: a booking stays where it is, and another time is judged as a new one.

const YEAR = yearLike(2033);
const world = await sharedWorld();
const { api } = await openCompany(world);
const made = maker(api);
const elsewhere = await made('/branches', { name: 'Elsewhere', timeZone: 'Europe/Vienna' });

const open = async (requires: string[] = []) => {
  const branchId = await made('/branches', { name: 'Here', timeZone: 'Europe/Vienna' });
  const serviceId = await made('/services', { name: 'Cut', durationMinutes: 30, requires });
  const person = { branchIds: [branchId], serviceIds: [serviceId] };
  const [staffId, other] = [
    await made('/staff', { firstName: 'Leaver', ...person }),
    await made('/staff', { firstName: 'Stayer', ...person }),
  ];
  return { branchId, staffId, other, cut: { branchId, staffId, services: [{ serviceId }] } };
};
type Place = Awaited<ReturnType<typeof open>>;
const told = ({ status, json }: Reply) => ({
  ...{ status, code: json.code },
  fault: (json.errors as { code: string }[] | undefined)?.[0]?.code,
});

describe.each<[string, (place: Place) => Promise<Reply>]>([
  ['the staff member is archived', ({ staffId }) => api.patch(`/staff/${staffId}`, { isActive: false })],
  ['the staff member has left', ({ staffId }) => api.patch(`/staff/${staffId}`, { branchIds: [elsewhere] })],
  ['the branch is archived', ({ branchId }) => api.patch(`/branches/${branchId}`, { isActive: false })],
])('when %s', (_, go) => {
  test('another time is refused as a new booking is; what stays may stay, and what is past be put right', async () => {
    const place = await open();
    const { cut, other, staffId } = place;
    const book = (startsAt: string) => made('/appointments', { ...cut, startsAt, status: 'CONFIRMED' });
    const [stays, cancelled, missed, past] = await Promise.all(
      [`${YEAR}-05-02T08:00:00Z`, `${YEAR}-05-02T09:00:00Z`, `${YEAR}-05-02T10:00:00Z`, '2021-05-03T10:00:00Z'].map(
        book,
      ),
    );
    const series = await api.post('/appointments/series', {
      ...{ ...cut, localStart: `${YEAR}-06-01T10:00`, rrule: 'FREQ=DAILY;COUNT=2' },
    });
    expect(series.status, series.text).toBe(201);
    await api.delete(`/appointments/${cancelled}`);
    for (const id of [missed, past]) await api.post(`/appointments/${id}/status`, { status: 'NO_SHOW' });
    expect((await go(place)).status).toBe(200);

    const asNew = told(await api.post('/appointments', { ...cut, startsAt: `${YEAR}-05-03T08:00:00Z` }));
    expect(asNew.status).toBe(422);
    const move = (id: unknown, body: Json) => api.post(`/appointments/${id}/reschedule`, body);
    for (const body of [
      { startsAt: `${YEAR}-05-03T08:00:00Z` },
      { localStart: `${YEAR}-05-02T10:15`, allowOverlap: true },
    ])
      expect(told(await move(stays, body))).toEqual(asNew);
    expect((await move(stays, { startsAt: `${YEAR}-05-02T08:00:00Z` })).status).toBe(200);
    expect((await api.patch(`/appointments/${stays}`, { notes: 'Knows that she leaves.' })).status).toBe(200);

    const [first] = series.json.occurrences as { appointmentId: string }[];
    const edit = (body: Json) => api.patch(`/appointments/series/${series.json.id}`, body);
    const following = { scope: 'FOLLOWING', appointmentId: first?.appointmentId };
    for (const more of [{}, { onConflict: 'SKIP' }, { dryRun: true }])
      expect(told(await edit({ ...following, localStart: `${YEAR}-06-01T11:00`, ...more }))).toEqual(asNew);
    expect((await edit({ ...following, notes: 'Stays.' })).status).toBe(200);

    const back = [
      await api.post(`/appointments/${cancelled}/restore`),
      await api.post(`/appointments/${cancelled}/status`, { status: 'CONFIRMED' }),
      await api.post(`/appointments/${missed}/status`, { status: 'CONFIRMED' }),
    ];
    expect(back.map(told)).toEqual([asNew, asNew, asNew]);
    // What is not cancelled stays as it is.
    expect((await api.post(`/appointments/${missed}/restore`)).status).toBe(200);
    expect((await api.post(`/appointments/${past}/status`, { status: 'CONFIRMED' })).status).toBe(200);

    const branch = await api.patch(`/branches/${place.branchId}`, { isActive: true });
    expect(branch.status).toBe(200);
    const taken = await move(stays, { startsAt: `${YEAR}-05-03T08:00:00Z`, staffId: other });
    expect([taken.status, taken.json.staffId]).toEqual([200, other]);
    await api.patch(`/staff/${staffId}`, { isActive: true, branchIds: [place.branchId] });
    expect((await api.post(`/appointments/${cancelled}/restore`)).json.status).toBe('CONFIRMED');
  });
});

test('a chair that is archived leaves too few of its kind, for another time as for a new booking', async () => {
  const { branchId, cut } = await open(['CHAIR']);
  const chair = await made('/resources', { name: 'Only one', kind: 'CHAIR', branchId });
  const id = await made('/appointments', { ...cut, startsAt: `${YEAR}-05-02T08:00:00Z` });
  const series = await api.post('/appointments/series', {
    ...{ ...cut, localStart: `${YEAR}-06-01T10:00`, rrule: 'FREQ=DAILY;COUNT=2' },
  });
  await api.delete(`/resources/${chair}`);
  const asNew = await api.post('/appointments', { ...cut, startsAt: `${YEAR}-05-03T08:00:00Z` });
  expectProblem(asNew, 'slot_taken', ['kind']);
  for (const more of [{}, { ignoreWorkingHours: true }]) {
    const moved = await api.post(`/appointments/${id}/reschedule`, { startsAt: `${YEAR}-05-03T08:00:00Z`, ...more });
    expectProblem(moved, 'slot_taken', ['kind']);
    expect([moved.json.kind, moved.json.detail]).toEqual([asNew.json.kind, asNew.json.detail]);
  }
  const [first] = series.json.occurrences as { appointmentId: string }[];
  const tried = await api.patch(`/appointments/series/${series.json.id}`, {
    ...{ scope: 'FOLLOWING', appointmentId: first?.appointmentId, localStart: `${YEAR}-06-01T11:00`, dryRun: true },
  });
  expect(verdicts(tried)).toEqual(['SLOT_TAKEN', 'SLOT_TAKEN']);
});
