import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support.ts';
import {
  at,
  type Booking,
  book,
  change,
  hold,
  MISTOLD,
  makeSalon,
  overlaps,
  type Refused,
  refused,
  type Salon,
} from './salon.ts';

// Many at once: one of each slot's wins, nothing overlaps, nobody deadlocks.

const PEOPLE = 8;

let stage: Stage;
let people: pg.Client[];
beforeAll(async () => {
  stage = await openStage();
  people = await Promise.all(Array.from({ length: PEOPLE }, () => stage.login()));
  // A queue behind one head is what is tested here, not how long somebody waits in it.
  for (const client of people) await client.query(`set lock_timeout = '30s'; set statement_timeout = '30s'`);
});
afterAll(() => stage.close());

/** Everybody works off the list, whoever is free next. */
async function together<T>(work: readonly ((client: pg.Client) => Promise<T>)[]): Promise<T[]> {
  const left = [...work.entries()];
  const done: T[] = [];
  await Promise.all(
    people.map(async (client) => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) done[next[0]] = await next[1](client);
    }),
  );
  return done;
}

const codes = (outcomes: readonly (Refused | null)[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (outcome) => outcome?.code ?? 'stored')).map(([code, all]) => [
      code,
      all?.length ?? 0,
    ]),
  );

test('forty people on each of twenty-five slots: twenty-five are stored', async () => {
  const salon = await makeSalon(stage, 5);
  const slots = salon.staff.flatMap((staff) =>
    ['08:00', '09:00', '10:00', '11:00', '12:00'].map((time) => ({ staff, time })),
  );
  const attempts = Array.from({ length: 40 }, () => slots).flat();
  const outcomes = await together(
    attempts.map(
      ({ staff, time }) =>
        (client) =>
          refused(book(client, salon, at(time), { staff })),
    ),
  );
  expect(codes(outcomes)).toEqual({ stored: 25, slot_taken: 975 });
  expect(await overlaps(stage, salon.company)).toEqual([]);
});

/** A small generator of its own seed, so that a run can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function anyBooking(salon: Salon, pick: (below: number) => number): Booking {
  const some = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
  const first = {
    staff: some(salon.staff),
    minutes: 60,
    before: some([0, 5]),
    after: some([0, 10]),
    processing: some([[], [{ afterMinutes: 20, minutes: 20 }]]),
  };
  const second = { staff: some(salon.staff), offset: 60, minutes: 20, after: some([0, 5]) };
  return {
    parts: pick(3) === 0 ? [first, second] : [first],
    resources: some([
      [],
      [],
      [{ kind: 'CHAIR' }],
      [{ kind: 'CHAIR' }, { kind: 'CHAIR' }],
      [{ kind: 'CHAIR', resourceId: some(salon.chairs) }],
    ]),
  };
}

const time = (minutes: number): string =>
  at(`${String(8 + Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`);

test('bookings, moves, cancellations and holds of all kinds, at once: no overlap, no deadlock, no other refusal', async () => {
  const salon = await makeSalon(stage, 4, 3);
  const pick = generator(20_261_126);
  const known: string[] = [];
  const held: string[] = [];
  const attempt = (client: pg.Client): Promise<Refused | null> => {
    const start = time(pick(8 * 12) * 5);
    const said = anyBooking(salon, pick);
    const id = known[pick(Math.max(1, known.length))];
    const waiting = held[pick(Math.max(1, held.length))];
    switch (pick(8)) {
      case 0:
        return refused(hold(client, salon, start, said).then((each) => held.push(each)));
      case 1:
        return refused(book(client, salon, start, waiting === undefined ? said : { ...said, hold: waiting }));
      case 2:
      case 3:
        return id === undefined ? Promise.resolve(null) : refused(change(client, salon, id, 'starts_at = $2', start));
      case 4:
        return id === undefined
          ? Promise.resolve(null)
          : refused(
              change(client, salon, id, `status = case status when 'CONFIRMED' then 'CANCELLED' else 'CONFIRMED' end`),
            );
      default:
        return refused(book(client, salon, start, said).then((each) => known.push(each)));
    }
  };
  const outcomes = await together(Array.from({ length: 500 }, () => attempt));
  const found = codes(outcomes);
  expect(Object.keys(found).sort()).toEqual(['hold_expired', 'slot_taken', 'stored']);
  expect(found.stored).toBeGreaterThan(50);
  expect(await overlaps(stage, salon.company)).toEqual([]);
  const [projected] = await stage.sql<{ rows: number; wanted: number }>(
    `select (select count(*)::int from occupancies where company_id = $1) as rows,
       (select count(*)::int from appointments a, app.busy_subjects(starts_at, services, resources)
          where company_id = $1 and status <> 'CANCELLED')
       + (select count(*)::int from holds h, app.busy_subjects(starts_at, services, resources) where company_id = $1) as wanted`,
    [salon.company],
  );
  expect(projected?.rows).toBe(projected?.wanted);
  expect(await stage.sql(MISTOLD)).toEqual([]);
  const [deadlocks] = await stage.sql<{ count: number }>(
    'select deadlocks::int as count from pg_stat_database where datname = current_database()',
  );
  expect(deadlocks?.count).toBe(0);
});
