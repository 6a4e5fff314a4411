import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage, write } from '../support.ts';
import { at, type Booking, bookAll, bookingRow, makeSalon, refused, type Salon } from './salon.ts';

// Many in one statement: what the rows before one were given, and what is refused among hundreds.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage, 3, 4);
});
afterAll(() => stage.close());

const seated = (time: string, staff: number, said: Booking = {}) =>
  bookingRow(salon, at(time), { staff: salon.staff[staff] ?? '', resources: [{ kind: 'CHAIR' }], ...said });
const chairOf = async (row: Record<string, unknown>): Promise<unknown> => {
  const [found] = await stage.sql<{ chair: string }>(
    `select resources -> 0 ->> 'resourceId' as chair from appointments where id = $1`,
    [row.id],
  );
  return found?.chair;
};
const claims = () => stage.sql('select from app.claims');

test('each has a chair that those before it were not given, whatever their order, and nothing is kept of it', async () => {
  const rows = [seated('10:00', 0), seated('09:30', 1), seated('10:30', 2), seated('08:00', 0), seated('11:00', 1)];
  await bookAll(app, salon, rows);
  const [one, two, three] = salon.chairs;
  const given = await Promise.all(rows.map(chairOf));
  expect(given.slice(0, 2)).toEqual([one, two]);
  // At 10:30 the first is taken from 10:00 to 11:00, the second from 9:30 to 10:30.
  expect(given.slice(2)).toEqual([two, one, one]);
  expect([three, (await claims()).length]).toEqual([salon.chairs[2], 0]);
});

test('what stands outside the rule takes no chair from who comes after it', async () => {
  const all = Array.from({ length: 4 }, () => seated('13:00', 0, { overlap: true }));
  const last = seated('13:00', 1);
  await bookAll(app, salon, [...all, last]);
  expect(await chairOf(last)).toBe(salon.chairs[0]);
});

test('a kind of which too few are free is told', async () => {
  const five = Array.from({ length: 3 }, (_, n) =>
    seated('15:00', n, { resources: [{ kind: 'CHAIR' }, { kind: 'CHAIR' }] }),
  );
  expect(await refused(bookAll(app, salon, five))).toMatchObject({ code: 'slot_taken', kind: 'CHAIR' });
  expect(await claims()).toEqual([]);
});

test('of many whom others have taken meanwhile each is told as alone, and the rest is written once more', async () => {
  const days = (count: number, time: string): Record<string, unknown>[] =>
    Array.from({ length: count }, (_, n) => ({
      ...bookingRow(salon, at(time), { staff: salon.staff[2] ?? '' }),
      starts_at: `2028-${String(1 + Math.floor(n / 28)).padStart(2, '0')}-${String(1 + (n % 28)).padStart(2, '0')}T${time}:00Z`,
    }));
  const there = days(200, '09:00');
  await bookAll(app, salon, there);
  const twins = days(220, '09:30');
  const stranger = { ...twins[210], id: randomUUID(), starts_at: '2029-01-01T09:00:00Z', client_id: randomUUID() };
  const items = [...twins, stranger].map((row, index) => ({ index, row }));
  const told = await write(app, salon.company, async () => {
    await app.query('select app.bulk_insert($1, $2, false)', ['appointments', JSON.stringify(items)]);
    const { rows } = await app.query<{ verdicts: { index: number; id?: string; message?: string; detail?: string }[] }>(
      `select current_setting('app.result')::jsonb as verdicts`,
    );
    const verdicts = rows[0]?.verdicts ?? [];
    expect(verdicts).toHaveLength(221);
    expect(verdicts.filter(({ id }) => id !== undefined).map(({ index }) => index)).toEqual(
      Array.from({ length: 20 }, (_, n) => 200 + n),
    );
    const taken = verdicts.filter(({ message }) => message === 'slot_taken');
    expect(taken.map(({ index }) => index)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(JSON.parse(taken[7]?.detail ?? '')).toEqual({
      ...{ staffId: salon.staff[2], conflictingAppointmentId: there[7]?.id },
      detail: 'The staff member is booked then.',
    });
    expect(verdicts.find(({ index }) => index === 220)).toMatchObject({
      state: '23503',
      constraint: 'appointments_client',
    });
  });
  expect(told.changes).toHaveLength(20);
});
