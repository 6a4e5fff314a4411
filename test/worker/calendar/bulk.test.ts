import { expect, test } from 'vitest';
import { addKey, addUser } from '../../support/accounts.ts';
import type { Api, Json, Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// Many bookings in one request: each judged as alone, beside those before it.

const world = await sharedWorld();
const tenant = await openCompany(world);
const { api } = tenant;
const salon = await openSalon(api);
const cut = { branchId: salon.branchId, staffId: salon.staffId, services: [{ serviceId: salon.serviceId }] };

const made = maker(api);
type Verdict = { index: number; status: number; id?: string; problem?: Json & { code: string } };
const bulk = (mode: 'atomic' | 'partial', items: Json[], by: Api = api, key?: string): Promise<Reply> =>
  by.post('/appointments/bulk', { mode, items }, key === undefined ? {} : { headers: { 'Idempotency-Key': key } });
const verdictsOf = (reply: Reply): Verdict[] => {
  expect(reply.status, reply.text).toBe(200);
  return reply.json.data as Verdict[];
};
const codes = (reply: Reply): unknown[] => verdictsOf(reply).map(({ status, problem }) => problem?.code ?? status);
const at = (localStart: string, more: Json = {}): Json => ({ ...cut, localStart: `2029-${localStart}`, ...more });

test('of what is in the way of another the first is booked, and each refusal names what a single one would', async () => {
  const there = await made('/appointments', at('03-05T12:00'));
  const off = await made('/staff', {
    ...{ firstName: 'Off', branchIds: [salon.branchId], serviceIds: [salon.serviceId] },
    workingHours: [{ weekday: 1, start: '09:00', end: '10:00' }],
  });
  const items = [
    at('03-05T09:00'),
    at('03-05T09:15'),
    at('03-05T09:30'),
    at('03-05T12:15'),
    at('03-05T11:00', { staffId: off }),
    at('03-25T02:30'),
    at('03-05T10:00', { services: [] }),
    at('03-05T10:00', { clientId: 'clnt_01h455vb4pex5vsknk084sn02q' }),
    at('03-05T12:00', { allowOverlap: true }),
    at('03-05T13:00', { staffId: 'stf_01h455vb4pex5vsknk084sn02q' }),
    at('03-05T14:00', { branchId: 'brch_01h455vb4pex5vsknk084sn02q' }),
  ];
  const reply = await bulk('partial', items, api, 'bulk-1');
  expect(codes(reply)).toEqual([
    ...[201, 'slot_taken', 201, 'slot_taken', 'outside_working_hours', 'nonexistent_local_time', 'invalid_body'],
    ...['unknown_reference', 201, 'unknown_reference', 'unknown_reference'],
  ]);
  const all = verdictsOf(reply);
  expect(all[1]?.problem).toMatchObject({ status: 409, staffId: salon.staffId });
  expect(all[3]?.problem).toMatchObject({ staffId: salon.staffId, conflictingAppointmentId: there });
  expect(all[4]?.problem).toMatchObject({ absent: [{ staffId: off }] });
  expect(all[7]?.problem).toMatchObject({ errors: [{ pointer: '/items/7/clientId' }] });
  expect(all[9]?.problem).toMatchObject({ errors: [{ pointer: '/items/9/staffId' }] });
  // By now all of them are taken: a repeat says what was said then.
  const again = await bulk('partial', items, api, 'bulk-1');
  expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([reply.text, 'true']);
  expect((await api.get(`/appointments/${all[2]?.id}`)).json).toMatchObject({ localStart: '2029-03-05T09:30' });
});

test('all or nothing, by pointers into the items', async () => {
  const head = async () => (await api.get('/events?limit=1')).json.head;
  const before = await head();
  const twice = await bulk('atomic', [at('04-02T09:00'), at('04-02T09:10'), at('04-02T09:20')]);
  const faults = expectProblem(twice, 'slot_taken');
  expect(faults.map(({ pointer }) => pointer)).toEqual(['/items/1', '/items/2']);
  const mixed = await bulk('atomic', [at('04-02T09:00'), at('04-02T09:10'), at('03-25T02:30')]);
  expect(expectProblem(mixed, 'invalid_body').map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/items/1', 'slot_taken'],
    ['/items/2/localStart', 'nonexistent_local_time'],
  ]);
  expect(await head()).toBe(before);
  const done = await bulk('atomic', [at('04-02T09:00'), at('04-02T09:30')]);
  expect([codes(done), await head()]).toEqual([[201, 201], Number(before) + 2]);
});

test('who may not book over others is refused those items, or all; hours that are ignored choose what is closed', async () => {
  const staff = await addUser(world, tenant, 'STAFF');
  const items = [at('05-07T09:00'), at('05-07T10:00', { ignoreWorkingHours: true })];
  expect(codes(await bulk('partial', items, staff))).toEqual([201, 'forbidden']);
  expectProblem(await bulk('atomic', items, staff), 'forbidden');
  const key = await addKey(api, ['appointments:write']);
  expect(codes(await bulk('partial', [at('05-07T11:00', { allowOverlap: true })], key.api))).toEqual(['forbidden']);

  const bed = await made('/services', { name: 'Bed', durationMinutes: 60, requires: ['COT'] });
  const [anna, bea] = await Promise.all(
    ['Anna', 'Bea'].map((firstName) => made('/staff', { firstName, branchIds: [salon.branchId], serviceIds: [bed] })),
  );
  const hours = [{ weekday: 2, start: '09:00', end: '17:00' }];
  const open = await made('/resources', { name: 'A', kind: 'COT', branchId: salon.branchId, workingHours: hours });
  const shut = await made('/resources', { name: 'B', kind: 'COT', branchId: salon.branchId, workingHours: hours });
  const night = (staffId: string | undefined, more: Json): Json =>
    at('05-09T20:00', { staffId, services: [{ serviceId: bed }], ...more });
  const nights = [night(anna, {}), night(anna, { ignoreWorkingHours: true }), night(bea, { ignoreWorkingHours: true })];
  const reply = await bulk('partial', nights);
  expect(codes(reply)).toEqual(['outside_working_hours', 201, 201]);
  const chosen = await Promise.all(
    verdictsOf(reply)
      .slice(1)
      .map(async ({ id }) => (await api.get(`/appointments/${id}`)).json.resources),
  );
  expect(chosen).toEqual([open, shut].map((resourceId) => [{ kind: 'COT', resourceId }]));
});

test('five hundred, of which every second is in the way of one before, read the calendar once', async () => {
  const days = Array.from({ length: 250 }, (_, n) => new Date(Date.UTC(2030, 0, 1 + n)).toISOString().slice(0, 10));
  const items = days.flatMap((day) => [`${day}T09:00`, `${day}T09:20`].map((localStart) => ({ ...cut, localStart })));
  const before = world.neon.counts().requests;
  const reply = await bulk('partial', items);
  expect(codes(reply)).toEqual(days.flatMap(() => [201, 'slot_taken']));
  // One look at everything, one for the names of who is in the way, one write.
  expect(world.neon.counts().requests - before).toBeLessThanOrEqual(4);
});

test('what is said of many that cannot be is bounded', async () => {
  const same = at('09-03T09:00');
  const reply = await bulk('partial', Array(500).fill(same));
  const all = verdictsOf(reply);
  expect(new Set(codes(reply))).toEqual(new Set([201, 'slot_taken']));
  expect(all[50]?.problem).toMatchObject({ title: 'The time is already booked', staffId: salon.staffId });
  expect(all[499]?.problem).toEqual({ status: 409, code: 'slot_taken' });
  expect(Buffer.byteLength(reply.text)).toBeLessThan(65 * 1024);
  const daily = { ...at('09-03T09:15'), rrule: 'FREQ=DAILY;COUNT=366' };
  const series = await api.post('/appointments/series', daily);
  expect(expectProblem(series, 'series_conflict', ['occurrences'])).toEqual([]);
  expect(series.json.occurrences).toHaveLength(366);
  expect(Buffer.byteLength(series.text)).toBeLessThan(64 * 1024);
});

test('more than can be written at a time is refused before anybody waits for it', async () => {
  const names = Array.from({ length: 20 }, (_, n) => ({ name: `Tub ${n}`, kind: 'TUB', branchId: salon.branchId }));
  expect((await api.post('/resources/bulk', { mode: 'atomic', items: names })).status).toBe(200);
  const requires = Array(20).fill('TUB');
  const serviceId = await made('/services', { name: 'Spa', durationMinutes: 1, requires });
  const staffId = await made('/staff', { firstName: 'Spa', branchIds: [salon.branchId], serviceIds: [serviceId] });
  const spa = { branchId: salon.branchId, staffId, services: [{ serviceId }] };
  const items = Array.from({ length: 239 }, (_, n) => ({
    ...{ ...spa, startsAt: new Date(Date.UTC(2032, 0, 1) + n * 3_600_000).toISOString() },
  }));
  const before = world.neon.counts().requests;
  const refused = await bulk('partial', items);
  expect(expectProblem(refused, 'invalid_body')).toMatchObject([{ pointer: '/items', code: 'out_of_range' }]);
  // One look, no write.
  expect(world.neon.counts().requests - before).toBeLessThanOrEqual(1);
  const daily = { ...spa, localStart: '2032-03-01T09:00', rrule: 'FREQ=DAILY;COUNT=239' };
  const series = (more: Json): Promise<Reply> => api.post('/appointments/series', { ...daily, ...more });
  for (const more of [{}, { onConflict: 'SKIP' }, { dryRun: true }]) {
    const faults = expectProblem(await series(more), 'invalid_body');
    expect(faults).toMatchObject([{ pointer: '/rrule', code: 'out_of_range' }]);
  }
  const few = await series({ rrule: 'FREQ=DAILY;COUNT=20' });
  expect(few.status, few.text).toBe(201);
});
