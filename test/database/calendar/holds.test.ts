import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { logOf, openStage, type Stage, write } from '../support.ts';
import { at, book, expire, hold, makeSalon, refused, type Salon } from './salon.ts';

// A held slot is nobody else's until the hold is booked, given back, or its time is over.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
});
afterAll(() => stage.close());
beforeEach(async () => {
  salon = await makeSalon(stage);
});

const chair = [{ kind: 'CHAIR' }];
const holds = (): Promise<unknown[]> => stage.sql('select id from holds where company_id = $1', [salon.company]);
const kept = (): Promise<{ owner: string; subjects: number }[]> =>
  stage.sql(
    `select case when hold_id is null then 'appointment' else 'hold' end as owner, count(*)::int as subjects
     from occupancies where company_id = $1 group by 1`,
    [salon.company],
  );
const lastOf = async (count: number): Promise<string[]> =>
  (await logOf(stage, salon.company)).slice(-count).map(({ entity, operation }) => `${entity} ${operation}`);

test('it is in the way like a booking, and out of it once deleted', async () => {
  const id = await hold(app, salon, at('09:00'), { after: 10, resources: chair });
  expect(await refused(book(app, salon, at('10:09')))).toEqual({
    code: 'slot_taken',
    staffId: salon.staff[0],
    detail: expect.any(String),
  });
  expect(await refused(hold(app, salon, at('09:30')))).toMatchObject({ code: 'slot_taken' });
  await write(app, salon.company, () => app.query('delete from holds where id = $1', [id]));
  expect(await kept()).toEqual([]);
  await book(app, salon, at('09:30'));
});

test('booking it takes its place and its chair, once', async () => {
  await book(app, salon, at('09:00'), { staff: salon.staff[1] ?? '', resources: chair });
  const id = await hold(app, salon, at('09:00'), { resources: chair });
  const booked = await book(app, salon, at('09:00'), { hold: id, resources: chair });
  const [row] = await stage.sql<{ chair: string }>(
    `select resources -> 0 ->> 'resourceId' as chair from appointments where id = $1`,
    [booked],
  );
  expect(row?.chair).toBe(salon.chairs[1]);
  expect(await lastOf(2)).toEqual(['hold DELETE', 'appointment INSERT']);
  expect(await kept()).toEqual([{ owner: 'appointment', subjects: 4 }]);
  for (const staff of [salon.staff[0], salon.staff[2]])
    expect(await refused(book(app, salon, at('14:00'), { hold: id, staff: staff ?? '' }))).toMatchObject({
      code: 'hold_expired',
      pointer: '/holdId',
    });
});

test('a booking that is refused leaves the hold as it was', async () => {
  const id = await hold(app, salon, at('09:00'));
  await book(app, salon, at('11:00'));
  expect(await refused(book(app, salon, at('11:00'), { hold: id }))).toMatchObject({ code: 'slot_taken' });
  expect(await holds()).toHaveLength(1);
  expect(await refused(book(app, salon, at('09:00')))).toMatchObject({ code: 'slot_taken' });
  await book(app, salon, at('09:00'), { hold: id });
});

test('somebody else’s hold is nobody’s to book', async () => {
  const theirs = await makeSalon(stage);
  const id = await hold(app, theirs, at('09:00'));
  expect(await refused(book(app, salon, at('09:00'), { hold: id }))).toMatchObject({
    ...{ code: 'unknown_reference', pointer: '/holdId' },
  });
  expect(await stage.sql('select from holds where id = $1', [id])).toHaveLength(1);
});

test('one whose time is over cannot be booked, is in nobody’s way, and goes before what takes its place', async () => {
  const id = await hold(app, salon, at('09:00'), { resources: chair });
  const elsewhere = await hold(app, salon, at('12:00'));
  for (const each of [id, elsewhere]) await expire(stage, each);
  expect(await refused(book(app, salon, at('09:00'), { hold: id }))).toMatchObject({ code: 'hold_expired' });
  await book(app, salon, at('09:30'), { resources: chair });
  expect(await lastOf(2)).toEqual(['hold DELETE', 'appointment INSERT']);
  expect(await holds()).toEqual([{ id: elsewhere }]);
  await hold(app, salon, at('12:30'));
  expect(await lastOf(2)).toEqual(['hold DELETE', 'hold INSERT']);
});

test('the cron ends those that are left, company by company, logged and while nobody writes there', async () => {
  const other = await makeSalon(stage);
  const ids = [
    await hold(app, salon, at('09:00')),
    await hold(app, salon, at('11:00')),
    await hold(app, other, at('09:00')),
  ];
  const alive = await hold(app, salon, at('13:00'));
  await stage.sql(`update holds set expires_at = clock_timestamp() - interval '2 minutes' where id = any($1)`, [ids]);
  const jobs = await stage.login('cp_jobs');
  const end = async (most: number): Promise<unknown> =>
    (await jobs.query('select app.end_holds($1) as gone', [most])).rows[0]?.gone;
  await write(app, salon.company, async () => {
    expect(await end(10), 'only the company whose head is free').toBe(1);
    expect(await end(10)).toBe(0);
  });
  expect([await end(1), await end(10), await end(10)]).toEqual([1, 1, 0]);
  expect(await holds()).toEqual([{ id: alive }]);
  expect((await logOf(stage, salon.company)).at(-1)).toMatchObject({
    entity: 'hold',
    operation: 'DELETE',
    actor: 'SYSTEM',
  });
});
