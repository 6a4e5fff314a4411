import { expect, test } from 'vitest';
import { minuteOf } from '../../../src/core/civil.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { SEED } from '../../support/draws.ts';
import { faultsLogged } from '../../support/postgres-log.ts';
import { ownWorld } from '../../support/shared.ts';

// A thousand writes of every kind on the same two days, many at a time in four isolates: bookings, moves, holds that are booked or
// given back, cancellations and series, with processing, buffers and too few chairs.

const world = await ownWorld({ RATE_LIMIT_PER_MINUTE: '100000000' }, 4);
const { api, companyId } = await openCompany(world);
const isolates = [api, ...world.elsewhere.map((url) => api.at(url))];
const seed = Number(process.env.SEED ?? SEED);
const WALKERS = 40;
const WRITES = 25;

let state = seed;
const random = (below: number): number => {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((state / 2_147_483_648) * below);
};
const made = async (path: string, body: Json): Promise<string> => {
  const reply = await api.post(path, body);
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
};

test('of a thousand writes of all kinds at once none overlaps another, and no refused one would fit', async () => {
  const branchId = await made('/branches', { name: 'Crowded', timeZone: 'Europe/Vienna' });
  const cut = await made('/services', {
    name: 'Cut',
    durationMinutes: 45,
    bufferAfterMinutes: 10,
    requires: ['CHAIR'],
  });
  const colour = await made('/services', {
    ...{ name: 'Colour', durationMinutes: 90, bufferBeforeMinutes: 5, requires: ['CHAIR'] },
    processing: [{ afterMinutes: 30, minutes: 45 }],
  });
  const staff: string[] = [];
  for (let n = 0; n < 5; n += 1)
    staff.push(await made('/staff', { firstName: `Staff ${n}`, branchIds: [branchId], serviceIds: [cut, colour] }));
  for (let n = 0; n < 3; n += 1) await made('/resources', { name: `Chair ${n}`, kind: 'CHAIR', branchId });
  const startsAt = () => new Date(Date.UTC(2029, 4, 7 + random(2), 6) + random(56) * 15 * 60_000).toISOString();
  const wish = (): Json => ({
    ...{ branchId, staffId: staff[random(5)], startsAt: startsAt() },
    services: [[cut], [colour], [cut, colour]][random(3)]?.map((serviceId) => ({ serviceId })),
  });
  const stored: string[] = [];
  const refused: Json[] = [];
  const counts: Record<string, number> = {};
  const seen = (kind: string, reply: Reply): Reply => {
    const key = `${kind} ${reply.status} ${reply.status < 400 ? '' : reply.json.code}`.trim();
    counts[key] = (counts[key] ?? 0) + 1;
    return reply;
  };
  const write = async (walker: number): Promise<void> => {
    const via = isolates[walker % isolates.length] ?? api;
    const kind = random(10);
    const some = stored[random(stored.length)];
    if (kind < 2 && some !== undefined) {
      seen(
        'move',
        await via.post(`/appointments/${some}/reschedule`, { startsAt: startsAt(), staffId: staff[random(5)] }),
      );
    } else if (kind === 2 && some !== undefined) {
      seen('cancel', await via.delete(`/appointments/${some}`));
    } else if (kind === 3) {
      const { startsAt: at, ...body } = wish();
      const localStart = String(at).slice(0, 16);
      seen(
        'series',
        await via.post('/appointments/series', {
          ...body,
          localStart,
          rrule: 'FREQ=DAILY;COUNT=2',
          onConflict: 'SKIP',
        }),
      );
    } else if (kind < 6) {
      const body = wish();
      const held = seen('hold', await via.post('/holds', body));
      if (held.status !== 201) return;
      if (random(2) === 0) seen('release', await via.delete(`/holds/${held.json.id}`));
      else seen('book a hold', await via.post('/appointments', { ...body, holdId: held.json.id }));
    } else {
      const body = wish();
      const booked = seen('book', await via.post('/appointments', body));
      if (booked.status === 201) stored.push(String(booked.json.id));
      else if (booked.json.code === 'slot_taken') refused.push(body);
    }
  };
  await Promise.all(
    Array.from({ length: WALKERS }, async (_, walker) => {
      for (let n = 0; n < WRITES; n += 1) await write(walker);
    }),
  );
  console.log(`seed ${seed}`, counts);
  expect(Object.keys(counts).filter((key) => / 5\d\d/.test(key))).toEqual([]);
  expect(refused.length).toBeGreaterThan(50);

  // What was refused may fit since something moved: then it is offered, and taken; what is not offered is refused again.
  let fits = 0;
  for (const body of refused) {
    const services = (body.services as { serviceId: string }[]).map(({ serviceId }) => serviceId);
    const day = String(body.startsAt).slice(0, 10);
    const query = `branchId=${branchId}&staffId=${body.staffId}&serviceId=${services}&from=${day}&to=${day.slice(0, 8)}${String(Number(day.slice(8)) + 1).padStart(2, '0')}`;
    const free = await api.get(`/availability?${query}`);
    const [{ starts = [] } = {}] = free.json.data as { starts?: string[] }[];
    const isOffered = starts.some((start) => minuteOf(start) === minuteOf(String(body.startsAt)));
    const again = await api.post('/appointments', body);
    expect([again.status, body], `seed ${seed}: ${again.text}`).toEqual([isOffered ? 201 : 409, body]);
    fits += isOffered ? 1 : 0;
  }
  console.log(`${refused.length} refused, ${fits} of them fit later`);

  // From the documents themselves, by nothing that keeps them apart.
  const overlaps = await world.sql(
    `with taken as (
       select a.id, coalesce(b.staff_id, b.resource_id) as who, b.busy from appointments a
         join companies c on c.id = a.company_id, app.busy_subjects(a.starts_at, a.services, a.resources) b
       where a.status not in ('CANCELLED', 'NO_SHOW') and a.starts_at >= '2029-05-01' and a.starts_at < '2029-06-01')
     select a.id, b.id from taken a join taken b on a.who = b.who and a.id < b.id and a.busy && b.busy`,
  );
  expect(overlaps, companyId).toEqual([]);
  const [postgres] = await world.sql<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  );
  expect(postgres?.deadlocks).toBe(0);
  expect(await faultsLogged(world)).toEqual([]);
  // So that an empty log is no proof of a log that nobody reads.
  await expect(world.sql('select 1 / 0')).rejects.toThrow();
  expect(await faultsLogged(world)).toEqual([expect.stringContaining('22012')]);
});
