import { afterEach, expect, test } from 'vitest';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { sharedWorld } from '../../support/shared.ts';
import { inOneMinute } from '../../support/until.ts';
import { yearLike } from '../../support/years.ts';
import { counted, crowd } from './crowd.ts';

// Many who want one time: whoever comes too late is told so without a turn to write, and mostly without Postgres.

const YEAR = yearLike(2029);
const world = await sharedWorld();
const company = await openCompany(world);
const { api } = company;
const { branchId, staffId, serviceId } = await openSalon(api);
const wish = (startsAt: string) => ({ branchId, staffId, services: [{ serviceId }], startsAt });
const at = (url: string | undefined) => api.at(url ?? '');
const [here, there] = [api, at(world.elsewhere[0])];

/** Snapshots and transactions of the company since the last call. */
let trips = { read: 0, written: 0 };
world.neon.setHooks({
  onRequest({ statements }) {
    const [first] = statements;
    if (first?.params[0] !== uuidOf('comp', company.companyId)) return;
    if (first.query.includes('begin_write')) trips.written += 1;
    else trips.read += 1;
  },
});
const since = (): typeof trips => {
  const before = trips;
  trips = { read: 0, written: 0 };
  return before;
};
afterEach(since);

let days = 0;

test('of eighty people on one time one has it, and hardly anybody else needs a turn to write', async () => {
  const told = await crowd(
    api,
    [api.url, ...world.elsewhere],
    Array.from({ length: 80 }, () => wish(`${YEAR}-03-05T10:00:00Z`)),
  );
  expect(counted(told)).toEqual({ '201': 1, '409 slot_taken': 79 });
  const { read, written } = since();
  // One of each isolate at most, which may all have planned before the first was stored.
  expect(written).toBeLessThanOrEqual(4);
  expect(read).toBeLessThan(40);
});

test('who is refused again is told the same without Postgres, and told of what became free at once, in every isolate', async () => {
  // What is suggested is remembered for its minute.
  const [body, booked] = await inOneMinute(async () => {
    days += 1;
    const body = wish(`${YEAR}-04-${String(days).padStart(2, '0')}T10:00:00Z`);
    const booked = await here.post('/appointments', body);
    expect(booked.status, booked.text).toBe(201);
    const refused = [await here.post('/appointments', body), await there.post('/appointments', body)];
    since();
    for (const [i, who] of [here, there].entries()) {
      const again = await who.post('/appointments', body);
      expect([again.status, again.json.code]).toEqual([409, 'slot_taken']);
      expect(again.json.conflictingAppointmentId).toBe(booked.json.id);
      expect(again.json.suggestions).toEqual(refused[i]?.json.suggestions);
      expect(again.json.suggestions).not.toContain(booked.json.startsAt);
    }
    expect(since()).toEqual({ read: 0, written: 0 });
    return [body, booked];
  });
  expect((await here.delete(`/appointments/${booked.json.id}`)).status).toBe(200);
  const next = await there.post('/appointments', body);
  expect(next.status, next.text).toBe(201);
  // The other isolate learns of it with its next question, not after some seconds.
  expect((await here.post('/appointments', body)).json.conflictingAppointmentId).toBe(next.json.id);
});

test('a refusal under a key takes no turn to write; what was answered under one is answered again', async () => {
  const body = wish(`${YEAR}-03-07T10:00:00Z`);
  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });
  const booked = await here.post('/appointments', body, keyed('first'));
  expect(booked.status, booked.text).toBe(201);
  since();
  expect((await here.post('/appointments', body, keyed('second'))).json.code).toBe('slot_taken');
  expect(since().written).toBe(0);
  const replayed = await here.post('/appointments', body, keyed('first'));
  expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  const reused = await here.post('/appointments', { ...body, notes: 'x' }, keyed('first'));
  expect(reused.json.code).toBe('idempotency_key_reused');
});

test('a plan from what is remembered rests on the catalogue as it is: what others have changed counts at once', async () => {
  const staff = await here.post('/staff', { firstName: 'Ida', branchIds: [branchId], serviceIds: [serviceId] });
  const hers = (startsAt: string) => ({ ...wish(startsAt), staffId: staff.json.id });
  for (const who of [here, there])
    expect((await who.post('/appointments', hers(`${YEAR}-03-08T10:00:00Z`))).status).toBeGreaterThan(200);
  await here.patch(`/staff/${staff.json.id}`, { serviceIds: [] });
  expect((await there.post('/appointments', hers(`${YEAR}-03-08T12:00:00Z`))).json.code).toBe('not_offered');
  await there.patch(`/staff/${staff.json.id}`, { serviceIds: [serviceId] });
  expect((await here.post('/appointments', hers(`${YEAR}-03-08T12:00:00Z`))).status).toBe(201);
});
