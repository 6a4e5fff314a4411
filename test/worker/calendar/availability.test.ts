import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Free starts, held to a count by hand: every step of each opening that nothing is in the way of, and no other.

const world = await sharedWorld();
const salon = await openCompany(world);
const { api } = salon;

const made = maker(api);

const everyDay = (start: string, end: string): Json[] =>
  [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start, end }));
const branch = await made('/branches', {
  name: 'Mitte',
  timeZone: 'Europe/Vienna',
  openingHours: everyDay('09:00', '12:00'),
  holidays: [{ date: '2027-03-03', name: 'Closed' }],
});
const cut = await made('/services', { name: 'Cut', durationMinutes: 60, bufferAfterMinutes: 15 });
const colour = await made('/services', { name: 'Colour', durationMinutes: 30, requires: ['CHAIR'] });
const person = (firstName: string, more: Json = {}): Promise<string> =>
  made('/staff', { firstName, branchIds: [branch], serviceIds: [cut, colour], ...more });
const [anna, bea] = [await person('Anna'), await person('Bea')];
const chair = await made('/resources', { name: 'Chair', kind: 'CHAIR', branchId: branch });

const ask = (query: string, fresh = true): Promise<Reply> =>
  api.get(`/availability?branchId=${branch}&${query}`, fresh ? { headers: { 'Cache-Control': 'no-cache' } } : {});
const startsOf = (reply: Reply): Record<string, string[]> => {
  expect(reply.status, reply.text).toBe(200);
  const { data } = reply.json as { data: { staffId: string; starts: string[] }[] };
  return Object.fromEntries(data.map(({ staffId, starts }) => [staffId, starts]));
};
const day = (date: string): string => {
  const next = new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
  return `from=${date}&to=${next}`;
};
/** In Vienna's winter. */
const at = (date: string, ...times: string[]): string[] =>
  times.map((time) => new Date(`${date}T${time}:00+01:00`).toISOString());

const part = (service: string, staff: string, minutes: number, after = 0): Json => ({
  ...{ serviceId: uuidOf('svc', service), staffId: uuidOf('stf', staff), name: 'Cut', startOffsetMinutes: 0 },
  ...{ durationMinutes: minutes, bufferBeforeMinutes: 0, bufferAfterMinutes: after, processing: [] },
  ...{ price: null, taxes: [] },
});
/** As a console would: whatever wrote it, it is in the way. */
const store = (table: 'appointments' | 'holds', start: string, parts: Json[], resources: Json[] = []) =>
  world.sql(
    `insert into ${table} (company_id, id, branch_id, services, resources, starts_at, time_zone)
     values ($1, gen_random_uuid(), $2, $3::jsonb, $4::jsonb, $5, 'Europe/Vienna')`,
    [uuidOf('comp', salon.companyId), uuidOf('brch', branch), JSON.stringify(parts), JSON.stringify(resources), start],
    'cp_owner',
  );

test('a day is counted by hand: hours, buffers, bookings, holds, time off and holidays', async () => {
  const free = startsOf(await ask(`serviceId=${cut}&${day('2027-03-01')}&stepMinutes=30`));
  // The buffer may reach out of the hours.
  const whole = at('2027-03-01', '09:00', '09:30', '10:00', '10:30', '11:00');
  expect(free).toEqual({ [anna]: whole, [bea]: whole });

  await store('appointments', '2027-03-01T09:00:00Z', [part(cut, anna, 30, 15)]);
  await store('holds', '2027-03-01T08:00:00Z', [part(cut, bea, 30)]);
  const off = await api.post(`/staff/${bea}/time-off`, {
    startsAt: '2027-03-01T11:30:00+01:00',
    endsAt: '2027-03-02T00:00:00+01:00',
  });
  expect(off.status, off.text).toBe(201);
  // Anna is busy from 10:00 to 10:45, and needs 15 minutes after an hour; Bea is kept until 9:30 and leaves at 11:30.
  const busy = await ask(`serviceId=${cut}&${day('2027-03-01')}`);
  expect(startsOf(busy)).toEqual({
    [anna]: at('2027-03-01', '10:45', '11:00'),
    [bea]: at('2027-03-01', '09:30', '09:45', '10:00', '10:15', '10:30'),
  });
  const hers = startsOf(await ask(`serviceId=${cut}&staffId=${anna}&${day('2027-03-01')}`));
  expect(hers).toEqual({ [anna]: at('2027-03-01', '10:45', '11:00') });
  expect(startsOf(await ask(`serviceId=${cut}&${day('2027-03-03')}`))).toEqual({ [anna]: [], [bea]: [] });
});

test('several services are one visit by one person, and need what each of them requires', async () => {
  const date = '2027-03-02';
  await store(
    'appointments',
    `${date}T08:00:00Z`,
    [part(colour, bea, 30)],
    [{ kind: 'CHAIR', resourceId: uuidOf('rsrc', chair) }],
  );
  const both = startsOf(await ask(`serviceId=${cut},${colour}&${day(date)}&stepMinutes=30`));
  expect(both).toEqual({ [anna]: at(date, '09:30', '10:00', '10:30'), [bea]: at(date, '09:30', '10:00', '10:30') });
});

describe.each([
  // 01:00 to 04:00 lasts two hours on the one and four on the other.
  ['2027-03-28', 2],
  ['2027-10-31', 4],
])('on %s, when clocks change', (date, hours) => {
  test('every hour of the wall clock is offered as often as it comes', async () => {
    const night = await made('/branches', {
      name: `Night ${date}`,
      timeZone: 'Europe/Vienna',
      openingHours: everyDay('01:00', '04:00'),
    });
    const nurse = await made('/staff', { firstName: 'Nora', branchIds: [night], serviceIds: [cut] });
    const reply = await api.get(
      `/availability?branchId=${night}&serviceId=${cut}&${day(date)}&stepMinutes=60&staffId=${nurse}`,
    );
    const first = Date.parse(`${date}T00:00:00Z`) - (date < '2027-06' ? 0 : 3_600_000);
    const wanted = Array.from({ length: hours }, (_, n) => new Date(first + n * 3_600_000).toISOString());
    expect(startsOf(reply)).toEqual({ [nurse]: wanted });
  });
});

test('lead time is counted from now, and its answer ends when its first start is withdrawn', async () => {
  const rush = await made('/services', { name: 'Rush', durationMinutes: 5, leadTimeMinutes: 24 * 60 });
  const open = await made('/branches', { name: 'Always', timeZone: 'UTC' });
  const quick = await made('/staff', { firstName: 'Quin', branchIds: [open], serviceIds: [rush] });
  const today = new Date().toISOString().slice(0, 10);
  const later = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  const reply = await api.get(
    `/availability?branchId=${open}&serviceId=${rush}&from=${today}&to=${later}&stepMinutes=1`,
  );
  const first = Date.parse(startsOf(reply)[quick]?.[0] ?? '') - 24 * 3_600_000;
  expect(Math.abs(first - Date.now())).toBeLessThan(120_000);
});

test('what was computed is answered again, and time off of somebody, a price or a new colleague spoils it', async () => {
  const query = `serviceId=${cut}&from=2027-04-05&to=2027-05-06`;
  const first = await ask(query, false);
  const again = await ask(query, false);
  expect([again.headers.get('x-cache'), again.text]).toEqual(['HIT', first.text]);
  const changes: (() => Promise<Reply>)[] = [
    () => api.post(`/staff/${anna}/time-off`, { startsAt: '2027-04-05T00:00:00Z', endsAt: '2027-04-06T00:00:00Z' }),
    () => api.patch(`/services/${cut}`, { durationMinutes: 45 }),
    () => api.post('/staff', { firstName: 'Cleo', branchIds: [branch], serviceIds: [cut] }),
    () => api.patch(`/branches/${branch}`, { holidays: [{ date: '2027-04-07', name: 'Closed' }] }),
  ];
  let before = again.text;
  for (const change of changes) {
    const changed = await change();
    expect(changed.status, changed.text).toBeLessThan(300);
    const now = await api.get(`/availability?branchId=${branch}&${query}`, {
      headers: { 'Min-Revision': String(changed.revision) },
    });
    expect(now.text).not.toBe(before);
    expect(now.text).toBe((await ask(query)).text);
    before = now.text;
  }
  // What it does not rest on leaves it.
  const other = await api.post('/clients', { firstName: 'Zoe' });
  const kept = await api.get(`/availability?branchId=${branch}&${query}`, {
    headers: { 'Min-Revision': String(other.revision) },
  });
  expect(kept.headers.get('x-cache')).toBe('HIT');
});

test('every returned start can be booked, the next to it cannot; a booking spoils its own days alone', async () => {
  const shop = await made('/branches', {
    name: 'Shop',
    timeZone: 'Europe/Vienna',
    openingHours: everyDay('09:00', '11:00'),
  });
  const trim = await made('/services', {
    ...{ name: 'Trim', durationMinutes: 30, bufferBeforeMinutes: 5, bufferAfterMinutes: 10 },
    processing: [{ afterMinutes: 10, minutes: 5 }],
  });
  const [dora, ella] = [
    await made('/staff', { firstName: 'Dora', branchIds: [shop, branch], serviceIds: [trim] }),
    await made('/staff', { firstName: 'Ella', branchIds: [shop], serviceIds: [trim] }),
  ];
  const look = (query: string, headers: Record<string, string> = {}): Promise<Reply> =>
    api.get(`/availability?branchId=${shop}&serviceId=${trim}&${query}`, { headers });
  const date = '2027-06-01';
  const book = (staffId: string, startsAt: string, at = shop): Promise<Reply> =>
    api.post('/appointments', { branchId: at, staffId, services: [{ serviceId: trim }], startsAt });
  const hers = `staffId=${ella}&${day(date)}`;
  const far = day('2027-06-10');
  let booked = 0;
  for (let free = startsOf(await look(day(date))); (free[dora]?.length ?? 0) > 0; booked += 1) {
    const start = String(free[dora]?.[booked % 2] ?? free[dora]?.[0]);
    const warm = [await look(hers), await look(far)];
    const reply = await book(dora, start);
    expect(reply.status, `${start} ${reply.text}`).toBe(201);
    expect((await book(dora, start)).json.code).toBe('slot_taken');
    const seen = { 'Min-Revision': String(reply.revision) };
    // Another day, and another one's calendar, are as they were.
    for (const [i, query] of [hers, far].entries()) {
      const kept = await look(query, seen);
      expect([kept.headers.get('x-cache'), kept.text]).toEqual(['HIT', warm[i]?.text]);
    }
    const now = await look(day(date), seen);
    expect(now.text).toBe((await look(day(date), { ...seen, 'Cache-Control': 'no-cache' })).text);
    const next = startsOf(now);
    // What is no longer offered is in the way of nobody else, and cannot be booked.
    for (const gone of (free[dora] ?? []).filter((each) => !next[dora]?.includes(each))) {
      expect((await book(dora, gone)).json.code, gone).toBe('slot_taken');
    }
    expect(next[ella]).toEqual(free[ella]);
    free = next;
  }
  expect(booked).toBeGreaterThan(1);
  // Where she also works she is busy too, and a cancelled booking gives its time back.
  const across = await book(dora, '2027-06-02T07:00:00Z', branch);
  expect(across.status, across.text).toBe(201);
  const seen = { 'Min-Revision': String(across.revision) };
  expect(startsOf(await look(day('2027-06-02'), seen))[dora]).not.toContain('2027-06-02T07:00:00.000Z');
  const cancelled = await api.delete(`/appointments/${across.json.id}`);
  expect(cancelled.status, cancelled.text).toBe(200);
  const given = await look(day('2027-06-02'), { 'Min-Revision': String(cancelled.revision) });
  expect(startsOf(given)[dora]).toContain('2027-06-02T07:00:00.000Z');
});

test('a cached answer ends with the hold that it was computed beside', async () => {
  const date = '2027-03-08';
  await store('holds', `${date}T08:00:00Z`, [part(colour, bea, 30)]);
  await world.sql(
    `update holds set expires_at = clock_timestamp() + interval '5 seconds' where company_id = $1 and starts_at = $2`,
    [uuidOf('comp', salon.companyId), `${date}T08:00:00Z`],
    'cp_owner',
  );
  const query = `serviceId=${colour}&staffId=${bea}&${day(date)}`;
  const [held] = at(date, '09:00');
  // Announces what was written in SQL, so that nothing touches the entry from now on.
  const settled = { 'Min-Revision': String((await api.post('/clients', { firstName: 'Ida' })).revision) };
  const kept = await until('a hit', async () => {
    const reply = await api.get(`/availability?branchId=${branch}&${query}`, { headers: settled });
    return reply.headers.get('x-cache') === 'HIT' && reply;
  });
  expect(startsOf(kept)[bea]).not.toContain(held);
  await until('the hold is over', async () => startsOf(await ask(query, false))[bea]?.includes(String(held)));
});

test('a query is refused by what is wrong with it', async () => {
  const faultOf = (reply: Reply, code: 'invalid_parameter' | 'unknown_reference' | 'not_offered') =>
    expectProblem(reply, code).map(({ parameter }) => parameter);
  const of = `serviceId=${cut}`;
  expect(faultOf(await ask(`${of}&from=2027-03-01&to=2027-04-02`), 'invalid_parameter')).toEqual(['to']);
  expect(faultOf(await ask(`${of}&from=2027-03-01&to=2027-03-01`), 'invalid_parameter')).toEqual(['to']);
  expect(startsOf(await ask(`${of}&from=2027-03-01&to=2027-04-01`))[anna]?.length).toBeGreaterThan(100);
  expect(faultOf(await ask('from=x&stepMinutes=0'), 'invalid_parameter')).toEqual([
    'serviceId',
    'from',
    'to',
    'stepMinutes',
  ]);
  const theirs = await openCompany(world, 'Theirs');
  const foreign = await theirs.api.post('/services', { name: 'Cut', durationMinutes: 30 });
  for (const id of [String(foreign.json.id), 'svc_01h455vb4pex5vsknk084sn02q', 'x']) {
    expect(faultOf(await ask(`serviceId=${id}&${day('2027-03-01')}`), 'unknown_reference')).toEqual(['serviceId']);
  }
  expect(faultOf(await ask(`${of}&staffId=x&${day('2027-03-01')}`), 'unknown_reference')).toEqual(['staffId']);
  const idle = await made('/staff', { firstName: 'Idle', branchIds: [branch] });
  expect(faultOf(await ask(`${of}&staffId=${idle}&${day('2027-03-01')}`), 'not_offered')).toEqual(['staffId']);
});
