import { expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { uuidOf } from '../../support/people.ts';
import { recordedOwner } from '../../support/recorded-session.ts';
import { ownWorld } from '../../support/shared.ts';
import { stillness, until } from '../../support/until.ts';

// Free starts are put together from what an isolate knows of catalogue and days; Postgres is asked for the rest, in one trip.

/** Each answer asks Redis anew, and no other tier keeps answers. */
const world = await ownWorld({ CACHE_MAX_STALENESS_MS: '0', EDGE_CACHE: 'off', REDIS_DEADLINE_MS: '60000' });
const salon = await openCompany(world);
const { api } = salon;
const owner = recordedOwner(world, salon);

const made = maker(api);
const branch = await made('/branches', { name: 'Mitte', timeZone: 'Europe/Vienna' });
const cut = await made('/services', { name: 'Cut', durationMinutes: 30 });
const colour = await made('/services', { name: 'Colour', durationMinutes: 60, requires: ['CHAIR'] });
const person = (firstName: string): Promise<string> =>
  made('/staff', { firstName, branchIds: [branch], serviceIds: [cut, colour] });
const [anna, bea] = [await person('Anna'), await person('Bea')];
await made('/resources', { name: 'Chair', kind: 'CHAIR', branchId: branch });

/** A month, always another question: no answer was given before. */
let step = 0;
const month = (service = cut, range = 'from=2027-03-01&to=2027-04-01'): string => {
  step += 1;
  return `/availability?branchId=${branch}&serviceId=${service}&${range}&stepMinutes=${400 + step}`;
};
const book = async (staffId: string, startsAt: string): Promise<Reply> => {
  const reply = await api.post('/appointments', {
    branchId: branch,
    staffId,
    services: [{ serviceId: cut }],
    startsAt,
  });
  expect(reply.status, reply.text).toBe(201);
  return reply;
};

/** Pairs of days of which Postgres was asked what is busy. */
let asked: string[][] = [];
world.neon.setHooks({
  onRequest({ statements }) {
    for (const { query, params } of statements) {
      if (!query.includes('app.busy_on(')) continue;
      const days = params.map(
        (each) => String(each).match(/^\{"?-?\d+"?(?:,"?-?\d+"?)*\}$/) && String(each).match(/-?\d+/g),
      );
      asked.push(
        (days.find((each) => each !== null) ?? []).map((each) =>
          new Date(Number(each) * 86_400_000).toISOString().slice(0, 10),
        ),
      );
    }
  },
});

const now = () => [world.upstash.counts().requests, world.neon.counts().requests] as const;
const quiet = stillness(() => String(now()));
type Seen = { reply: Reply; redis: number; postgres: number; asked: string[][] };
/** The trips of one question, and its answer beside the one that is computed for itself. */
async function see(path: string): Promise<Seen> {
  const api = await owner();
  await quiet();
  asked = [];
  const [redis, postgres] = now();
  const reply = await api.get(path);
  const trips = now();
  const spans = asked;
  asked = [];
  await quiet();
  const fresh = await api.get(path, { headers: { 'Cache-Control': 'no-cache' } });
  expect([reply.status, fresh.headers.get('x-cache')], reply.text).toEqual([200, 'BYPASS']);
  expect(reply.text).toBe(fresh.text);
  // What is kept is sent behind the answer, and on a busy machine before the answer is here.
  const own = Number(/\bredis;[^,]*desc="(\d+)"/.exec(reply.headers.get('server-timing') ?? '')?.[1] ?? 0);
  const keeps = reply.headers.get('x-cache') === 'MISS' ? 1 : 0;
  expect(trips[0] - redis - own).toBeOneOf([0, keeps]);
  return { reply, redis: own, postgres: trips[1] - postgres, asked: spans };
}
const trips = ({ reply, redis, postgres }: Seen) => [reply.headers.get('x-cache'), redis, postgres];

test('of two who ask for the same time only the first needs Postgres, whatever else they ask', async () => {
  await api.get(month());
  expect(trips(await see(month()))).toEqual(['HIT', 1, 0]);
  // Another service is another catalogue, and another calendar where it needs a chair: of staff the days are known.
  expect(trips(await see(month(colour)))).toEqual(['MISS', 1, 1]);
  expect(trips(await see(month(colour)))).toEqual(['HIT', 1, 0]);
  expect(trips(await see(month()))).toEqual(['HIT', 1, 0]);
  // Fewer days are known as well, more are not.
  expect(trips(await see(month(cut, 'from=2027-03-01&to=2027-03-20')))[2]).toBe(1);
  const more = await see(month(cut, 'from=2027-03-05&to=2027-04-05'));
  expect([trips(more)[2], more.asked.length]).toEqual([1, 1]);
});

test('a booking spoils its day: that one is read again, one trip each, and no other', async () => {
  await api.get(month());
  await book(anna, '2027-03-10T10:00:00Z');
  const day = await see(month());
  expect(trips(day)).toEqual(['MISS', 1, 1]);
  expect(day.asked).toEqual([['2027-03-10', '2027-03-11']]);
  expect(trips(await see(month()))).toEqual(['HIT', 1, 0]);
  // Over midnight of UTC it is two; of two bookings apart from each other, two spans.
  await book(bea, '2027-03-20T23:45:00Z');
  await book(bea, '2027-03-03T08:00:00Z');
  expect((await see(month())).asked).toEqual([['2027-03-03', '2027-03-04', '2027-03-20', '2027-03-22']]);
  // Of somebody alone, another one's booking spoils none.
  const hers = (whose: string): string => `${month()}&staffId=${whose}`;
  await api.get(hers(anna));
  await book(bea, '2027-03-12T08:00:00Z');
  expect(trips(await see(hers(anna)))).toEqual(['HIT', 1, 0]);
  await book(anna, '2027-03-12T08:00:00Z');
  expect((await see(hers(anna))).asked).toEqual([['2027-03-12', '2027-03-13']]);
});

test('a new colleague, time off and longer work spoil the catalogue, not the days of others', async () => {
  await api.get(month());
  await api.patch(`/services/${cut}`, { durationMinutes: 45 });
  const longer = await see(month());
  expect([trips(longer), longer.asked]).toEqual([['MISS', 1, 1], []]);
  const off = { startsAt: '2027-03-15T00:00:00Z', endsAt: '2027-03-16T00:00:00Z' };
  expect((await api.post(`/staff/${anna}/time-off`, off)).status).toBe(201);
  expect((await see(month())).asked).toEqual([]);
  const cleo = await person('Cleo');
  const { reply } = await see(month());
  expect(JSON.stringify(reply.json)).toContain(cleo);
});

test('a hold expires where it is known, without another look', async () => {
  await api.get(month());
  const body = { branchId: branch, staffId: anna, serviceId: cut, startsAt: '2027-03-25T10:00:00Z' };
  const hold = await api.post('/holds', body);
  expect(hold.status, hold.text).toBe(201);
  await world.sql(
    `update holds set expires_at = clock_timestamp() + interval '4 seconds' where id = $1`,
    [uuidOf('hold', String(hold.json.id))],
    'cp_owner',
  );
  // Announces what was written in SQL.
  await api.post('/clients', { firstName: 'Ida' });
  // Every minute: the time it keeps is one of the steps.
  const path = `/availability?branchId=${branch}&serviceId=${cut}&staffId=${anna}&from=2027-03-25&to=2027-03-26&stepMinutes=`;
  const offered = (reply: Reply): boolean => reply.text.includes('"2027-03-25T10:00:00.000Z"');
  expect(offered((await see(`${path}15`)).reply)).toBe(false);
  await until('it is over', async () => offered(await api.get(`${path}15`)));
  expect(trips(await see(`${path}30`))).toEqual(['HIT', 1, 0]);
});

test('what was committed and not announced is found where anything has to be read', async () => {
  await api.get(month());
  const console = (start: string): Promise<unknown> =>
    world.sql(
      `insert into appointments (company_id, id, branch_id, services, starts_at, time_zone)
       select company_id, gen_random_uuid(), branch_id, services, $2, time_zone from appointments where company_id = $1 limit 1`,
      [uuidOf('comp', salon.companyId), start],
      'cp_owner',
    );
  await book(bea, '2027-03-26T08:00:00Z');
  await console('2027-03-18T10:00:00Z');
  // Put together, what is known and the day that is read again would be of two moments: all of it is read.
  const { reply, asked } = await see(month());
  expect(reply.status).toBe(200);
  expect(asked).toEqual([['2027-03-26', '2027-03-27'], expect.any(Array)]);
});

test('the board of a day: one trip to Redis, and one to Postgres only when that day of that branch was touched', async () => {
  const board = (date: string): string => `/appointments?branchId=${branch}&date=${date}`;
  const dates = ['2027-04-10', '2027-04-11'] as const;
  const other = await made('/branches', { name: 'Other', timeZone: 'Europe/Vienna' });
  await api.patch(`/staff/${anna}`, { branchIds: [branch, other] });
  for (const date of dates) expect(trips(await see(board(date)))).toEqual(['MISS', 1, 1]);
  for (const date of dates) expect(trips(await see(board(date)))).toEqual(['HIT', 1, 0]);
  // In UTC it is still the tenth, at the branch the eleventh; and the same day at another branch.
  await book(bea, '2027-04-10T22:30:00Z');
  const elsewhere = {
    branchId: other,
    staffId: anna,
    services: [{ serviceId: cut }],
    startsAt: '2027-04-10T10:00:00Z',
  };
  const booked = await api.post('/appointments', elsewhere);
  expect(booked.status, booked.text).toBe(201);
  expect(trips(await see(board(dates[0])))).toEqual(['HIT', 1, 0]);
  const touched = await see(board(dates[1]));
  expect(trips(touched)).toEqual(['MISS', 1, 1]);
  expect((touched.reply.json.data as Json[]).map(({ localStart }) => localStart)).toEqual(['2027-04-11T00:30']);
});

test('whoever and whatever comes into a question is looked for anew: what another one left of them is past', async () => {
  const free = (service: string): string =>
    `/availability?branchId=${branch}&serviceId=${service}&from=2027-05-10&to=2027-05-11`;
  const cancel = async ({ json }: Reply): Promise<void> => {
    const reply = await api.post(`/appointments/${json.id}/status`, { status: 'CANCELLED' });
    expect(reply.status, reply.text).toBe(200);
  };
  const bob = await made('/staff', { firstName: 'Bob', branchIds: [branch], serviceIds: [cut] });
  await see(free(cut));
  const booked = await book(bob, '2027-05-10T10:00:00Z');
  await see(free(colour));
  await api.patch(`/staff/${bob}`, { serviceIds: [cut, colour] });
  await see(free(colour));
  // Away and back.
  await api.delete(`/staff/${bob}`);
  await see(free(colour));
  await cancel(booked);
  await see(free(colour));
  await api.post(`/staff/${bob}/restore`);
  expect((await see(free(colour))).reply.text).toContain(bob);
  // A chair that is not needed for a while.
  const body = { branchId: branch, staffId: bob, services: [{ serviceId: colour }], startsAt: '2027-05-10T12:00:00Z' };
  const seated = await api.post('/appointments', body);
  await see(free(colour));
  await api.patch(`/services/${colour}`, { requires: [] });
  await see(free(colour));
  await cancel(seated);
  await see(free(colour));
  await api.patch(`/services/${colour}`, { requires: ['CHAIR'] });
  await see(free(colour));
  const again = await api.post('/appointments', body);
  expect(again.status, again.text).toBe(201);
});

test('a chair takes its bookings along when it moves to another branch, and loses them there', async () => {
  const there = await made('/branches', { name: 'Moved to', timeZone: 'Europe/Vienna' });
  const stool = await made('/resources', { name: 'Stool', kind: 'STOOL', branchId: branch });
  const wash = await made('/services', { name: 'Wash', durationMinutes: 30, requires: ['STOOL'] });
  const own = { branchIds: [branch, there], serviceIds: [wash] };
  const [cid, dan] = [
    await made('/staff', { firstName: 'Cid', ...own }),
    await made('/staff', { firstName: 'Dan', ...own }),
  ];
  const booking = (branchId: string, staffId: string) =>
    api.post('/appointments', {
      ...{ branchId, staffId, services: [{ serviceId: wash }], startsAt: '2027-05-12T10:00:00Z' },
    });
  const his = `/availability?branchId=${there}&staffId=${dan}&serviceId=${wash}&from=2027-05-12&to=2027-05-13`;
  const here = await booking(branch, cid);
  expect((await api.patch(`/resources/${stool}`, { branchId: there })).status).toBe(200);
  const offered = ({ reply }: Seen): boolean => reply.text.includes('"2027-05-12T10:00:00.000Z"');
  expect(offered(await see(his))).toBe(false);
  const refused = await booking(there, dan);
  expect([refused.status, refused.json.code]).toEqual([409, 'slot_taken']);
  await api.post(`/appointments/${here.json.id}/status`, { status: 'CANCELLED' });
  expect(offered(await see(his))).toBe(true);
  const booked = await booking(there, dan);
  expect(booked.status, booked.text).toBe(201);
});
