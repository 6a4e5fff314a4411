import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStage, type Stage, write } from '../support.ts';
import { at, book, bookAll, bookingRow, chair, change, makeSalon, refused, type Salon } from './salon.ts';

// Which chair, room or device a booking has: the one it names, or one that is free.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
let ann: string;
let ben: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
});
afterAll(() => stage.close());
beforeEach(async () => {
  salon = await makeSalon(stage);
  [ann = '', ben = ''] = salon.staff;
});

const chairsOf = async (id: string): Promise<unknown[]> => {
  const [row] = await stage.sql<{ resources: { resourceId: string }[] }>(
    'select resources from appointments where id = $1',
    [id],
  );
  return (row?.resources ?? []).map(({ resourceId }) => resourceId);
};

test('the free ones are chosen, in order; whole span, buffers too, whatever is processed', async () => {
  const processing = [{ afterMinutes: 0, minutes: 60 }];
  const first = await book(app, salon, at('09:00'), { after: 10, resources: chair(), processing });
  const second = await book(app, salon, at('09:30'), { staff: ben, resources: chair() });
  expect([await chairsOf(first), await chairsOf(second)]).toEqual([[salon.chairs[0]], [salon.chairs[1]]]);
  const carl = salon.staff[2] ?? '';
  expect(await refused(book(app, salon, at('10:09'), { staff: carl, resources: chair() }))).toMatchObject({
    code: 'slot_taken',
    kind: 'CHAIR',
  });
  expect(await chairsOf(await book(app, salon, at('10:10'), { staff: carl, resources: chair() }))).toEqual([
    salon.chairs[0],
  ]);
});

test('a named one is taken or refused by name; one of another kind or branch is unknown', async () => {
  const named = chair(salon.chairs[1]);
  await book(app, salon, at('09:00'), { resources: named });
  expect(await refused(book(app, salon, at('09:30'), { staff: ben, resources: named }))).toMatchObject({
    code: 'slot_taken',
    resourceId: salon.chairs[1],
  });
  const room = [{ kind: 'ROOM', resourceId: salon.chairs[0] }];
  expect(await refused(book(app, salon, at('12:00'), { resources: room }))).toMatchObject({
    code: 'unknown_reference',
    pointer: '/resources/0/resourceId',
  });
  const theirs = await makeSalon(stage);
  expect(await refused(book(app, salon, at('12:00'), { resources: chair(theirs.chairs[0]) }))).toMatchObject({
    code: 'unknown_reference',
  });
});

test('a kind asked for twice is two of them; several rows of one statement get one each', async () => {
  const both = await book(app, salon, at('09:00'), { resources: [...chair(), ...chair()] });
  expect(await chairsOf(both)).toEqual(salon.chairs);
  const rows = [ann, ben].map((staff) => bookingRow(salon, at('11:00'), { staff, resources: chair() }));
  await bookAll(app, salon, rows);
  const chosen = await Promise.all(rows.map(({ id }) => chairsOf(String(id))));
  expect(chosen.flat().sort()).toEqual([...salon.chairs].sort());
});

test('a moved booking keeps its chair where it is free, and is given another where it asks for one', async () => {
  await book(app, salon, at('11:00'), { staff: ben, resources: chair(salon.chairs[0]) });
  const id = await book(app, salon, at('09:00'), { resources: chair(salon.chairs[0]) });
  expect(await refused(change(app, salon, id, 'starts_at = $2', at('10:30')))).toMatchObject({
    resourceId: salon.chairs[0],
  });
  await change(app, salon, id, 'starts_at = $2, resources = $3', at('10:30'), JSON.stringify(chair()));
  expect(await chairsOf(id)).toEqual([salon.chairs[1]]);
  await change(app, salon, id, 'starts_at = $2, resources = $3', at('13:00'), JSON.stringify(chair()));
  expect(await chairsOf(id)).toEqual([salon.chairs[1]]);
});

test('an archived one, one out of use and one that is closed are not chosen', async () => {
  const [one = '', two = ''] = salon.chairs;
  await stage.sql('update resources set is_active = false where id = $1', [one]);
  expect(await chairsOf(await book(app, salon, at('09:00'), { resources: chair() }))).toEqual([two]);
  await stage.sql(
    `insert into time_off (company_id, id, resource_id, starts_at, ends_at) values ($1, gen_random_uuid(), $2, $3, $4)`,
    [salon.company, two, at('12:30'), at('13:00')],
  );
  const during = (minutes: number) => book(app, salon, at('12:00'), { minutes, resources: chair() });
  expect(await refused(during(31))).toMatchObject({ code: 'slot_taken', kind: 'CHAIR' });
  await during(30);
  // Mondays from ten to six in Vienna: 9:00 to 17:00 UTC.
  const hours = [
    { weekday: 1, start: '10:00', end: '15:00' },
    { weekday: 1, start: '15:00', end: '18:00' },
  ];
  await stage.sql(`update resources set is_active = true, working_hours = $2 where id = $1`, [
    one,
    JSON.stringify(hours),
  ]);
  await stage.sql('update resources set is_active = false where id = $1', [two]);
  const late = (start: string) => book(app, salon, start, { staff: ben, resources: chair() });
  expect(await chairsOf(await late(at('13:30')))).toEqual([one]);
  expect(await chairsOf(await late(at('16:00')))).toEqual([one]);
  expect(await refused(late(at('08:30')))).toMatchObject({ code: 'slot_taken', kind: 'CHAIR' });
  expect(await refused(late('2027-03-02T12:00:00Z'))).toMatchObject({ code: 'slot_taken', kind: 'CHAIR' });
  await write(app, salon.company, async () => {
    await app.query(`select set_config('app.ignore_hours', 'true', true)`);
    const row = bookingRow(salon, '2027-03-02T12:00:00Z', { resources: chair() });
    await app.query('select app.insert_rows($1, $2)', ['appointments', JSON.stringify([row])]);
  });
});
