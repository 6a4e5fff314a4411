import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage, write } from '../support.ts';
import { at, book, change, makeSalon, refused, type Salon } from './salon.ts';

// The status machine, in the database: every step that is allowed, none that is not, and a history of those that were taken.

const NEXT: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['CHECKED_IN', 'NO_SHOW', 'CANCELLED'],
  CHECKED_IN: ['IN_PROGRESS', 'CANCELLED'],
  IN_PROGRESS: ['COMPLETED'],
  COMPLETED: [],
  CANCELLED: ['CONFIRMED'],
  NO_SHOW: ['CONFIRMED'],
};
const STATUSES = Object.keys(NEXT);

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage, 4);
});
afterAll(() => stage.close());

/** A day of its own for each booking of these tests. */
let days = 0;
const anotherDay = (): string => `2027-05-${String((days++ % 28) + 1).padStart(2, '0')}T09:00:00Z`;
const to = (id: string, status: string, reason: string | null = null) =>
  change(app, salon, id, 'status = $2, status_reason = $3', status, reason);
const historyOf = async (id: string): Promise<Record<string, unknown>[]> => {
  const [row] = await stage.sql<{ history: Record<string, unknown>[] }>(
    'select status_history as history from appointments where id = $1',
    [id],
  );
  return row?.history ?? [];
};

test.each(STATUSES)(
  'from %s every step is as the contract has it, and a refusal names those that are',
  async (from) => {
    const id = await book(app, salon, anotherDay(), { status: from, source: 'IMPORT' });
    for (const status of STATUSES.filter((each) => each !== from)) {
      const outcome = await refused(
        write(app, salon.company, async () => {
          await app.query('update appointments set status = $2 where id = $1', [id, status]);
          throw Object.assign(new Error('undone'), { undone: true });
        }).catch((error: { undone?: boolean }) => {
          if (error.undone !== true) throw error;
        }),
      );
      if (NEXT[from]?.includes(status)) expect(outcome).toBeNull();
      else expect(outcome).toMatchObject({ code: 'illegal_transition', allowed: NEXT[from] });
    }
  },
);

test('a new one is pending or confirmed; only an import begins elsewhere', async () => {
  for (const status of STATUSES.slice(2)) {
    expect(await refused(book(app, salon, anotherDay(), { status }))).toMatchObject({
      code: 'illegal_transition',
      allowed: ['PENDING', 'CONFIRMED'],
    });
  }
  const steps = [
    { status: 'CONFIRMED', at: '2027-01-01T00:00:00.000Z', by: 'IMPORT', reason: null },
    { status: 'NO_SHOW', at: '2027-01-02T00:00:00.000Z', by: 'IMPORT', reason: 'ill' },
  ];
  const id = await book(app, salon, anotherDay(), { status: 'NO_SHOW', source: 'IMPORT', history: steps });
  expect(await historyOf(id)).toEqual(steps);
});

test('the history says what became of it, when, by whom and why; the same again changes nothing', async () => {
  const id = await book(app, salon, anotherDay(), { status: 'PENDING' });
  await to(id, 'CONFIRMED');
  await to(id, 'CANCELLED', 'ill');
  const again = await to(id, 'CANCELLED', 'another reason');
  expect(again.changes).toEqual([]);
  await to(id, 'CONFIRMED');
  // Each step has the reason that was given for it, the one of the step before included, and none where none was.
  await to(id, 'CHECKED_IN', 'asked for');
  await to(id, 'IN_PROGRESS', 'asked for');
  await change(app, salon, id, 'status = $2', 'COMPLETED');
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(await historyOf(id)).toEqual([
    { status: 'PENDING', at: moment, by: 'SYSTEM', reason: null },
    { status: 'CONFIRMED', at: moment, by: 'SYSTEM', reason: null },
    { status: 'CANCELLED', at: moment, by: 'SYSTEM', reason: 'ill' },
    { status: 'CONFIRMED', at: moment, by: 'SYSTEM', reason: null },
    { status: 'CHECKED_IN', at: moment, by: 'SYSTEM', reason: 'asked for' },
    { status: 'IN_PROGRESS', at: moment, by: 'SYSTEM', reason: 'asked for' },
    { status: 'COMPLETED', at: moment, by: 'SYSTEM', reason: null },
  ]);
});

test('the history is nobody’s to write, but steps may be taken several at once where each is one', async () => {
  const id = await book(app, salon, anotherDay());
  const before = await historyOf(id);
  const forged = await change(app, salon, id, `status_history = '[{"status": "CONFIRMED", "by": "me"}]'`);
  expect(forged.changes).toEqual([]);
  const steps = (...statuses: string[]): string =>
    JSON.stringify([
      { forged: true },
      ...statuses.map((status) => ({ status, at: '2027-01-01T00:00:00.000Z', by: 'IMPORT', reason: null })),
    ]);
  const set = 'status = $2, status_history = $3';
  expect(await refused(change(app, salon, id, set, 'COMPLETED', steps('CHECKED_IN', 'COMPLETED')))).toMatchObject({
    code: 'illegal_transition',
    allowed: ['IN_PROGRESS', 'CANCELLED'],
  });
  await change(app, salon, id, set, 'COMPLETED', steps('CHECKED_IN', 'IN_PROGRESS', 'COMPLETED'));
  const after = await historyOf(id);
  expect(after.map(({ status }) => status)).toEqual(['CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED']);
  expect(after[0]).toEqual(before[0]);
});

test('cancelled and missed ones free their time, and come back only where it is still free', async () => {
  const start = anotherDay();
  for (const [n, freeing] of ['CANCELLED', 'NO_SHOW'].entries()) {
    const staff = salon.staff[n + 1] ?? '';
    const chair = [{ kind: 'CHAIR' }];
    const first = await book(app, salon, start, { staff, resources: chair });
    await to(first, freeing);
    const second = await book(app, salon, start, { staff });
    expect(await refused(to(first, 'CONFIRMED'))).toMatchObject({
      code: 'slot_taken',
      staffId: staff,
      conflictingAppointmentId: second,
    });
    await to(second, 'CANCELLED');
    await to(first, 'CONFIRMED');
    expect(await refused(book(app, salon, start, { staff }))).toMatchObject({ code: 'slot_taken' });
  }
  expect(await refused(book(app, salon, at('09:00')))).toBeNull();
});
