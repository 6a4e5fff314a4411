import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { busyOf } from '../../../src/calendar/busy-slices.ts';
import { beginRead, openStage, type Stage } from '../support.ts';
import { at, book, bookAll, bookingRow, change, expire, hold, MISTOLD, makeSalon, type Salon } from './salon.ts';

// What is busy, as availability asks for it: of one company, and not dearer for a longer past or for others' bookings.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage, 2);
});
afterAll(() => stage.close());

async function ask<T>(question: string, ...values: unknown[]): Promise<T[]> {
  await beginRead(app, salon.company);
  const { rows } = await app.query(question, values);
  await app.query('commit');
  return rows as T[];
}

type Busy = { subject_id: string; days: number[] | null; pieces: string[] | null; held: [number, string][] | null };
const minute = (time: string): number => Date.parse(at(time)) / 60_000;
const minutes = (...times: string[]): number[] => times.map(minute);
const TODAY = Math.floor(minute('12:00') / 1440);
const told = (subjects: string[], ...days: number[]) => ask<Busy>('select * from app.busy_on($1, $2)', subjects, days);
/** Minutes of what bookings keep busy, of whom they do, and pieces of holds. */
async function busy(subjects: string[], ...days: number[]) {
  const rows = await told(subjects, ...days);
  const booked = busyOf(rows.map((row) => [row.subject_id, row.days, row.pieces, null])).busy;
  return rows.map((row) => [row.subject_id, booked.get(row.subject_id), row.held]);
}

test('what keeps subjects busy on days is told; processing, cancelled, deliberate and expired leave it free', async () => {
  const [ann = '', ben = ''] = salon.staff;
  await book(app, salon, at('08:00'), {
    after: 15,
    processing: [{ afterMinutes: 20, minutes: 20 }],
    resources: [{ kind: 'CHAIR' }],
  });
  await book(app, salon, at('09:15'));
  const gone = await book(app, salon, at('11:00'));
  await change(app, salon, gone, `status = 'CANCELLED'`);
  await book(app, salon, at('12:00'), { overlap: true });
  await expire(stage, await hold(app, salon, at('13:00')));
  await hold(app, salon, at('14:00'), { minutes: 30 });
  const chair = salon.chairs[0] ?? '';
  const held: Busy['held'] = [[expect.any(Number), `${minute('14:00')},30`]];
  const hers = minutes('08:00', '08:20', '08:40', '10:15');
  expect(await busy([ann, ben, chair], TODAY, TODAY + 1)).toEqual([
    [ann, hers, held],
    [chair, minutes('08:00', '09:15'), null],
  ]);
  expect(await busy([ann, ben], TODAY - 3, TODAY, TODAY + 1, TODAY + 2)).toEqual([]);
  expect(await busy([ann], TODAY - 3, TODAY, TODAY, TODAY + 2)).toEqual([[ann, hers, held]]);
  await stage.sql(
    `insert into time_off (company_id, id, staff_id, starts_at, ends_at) values
       ($1, gen_random_uuid(), $2, $3, $4), ($1, gen_random_uuid(), $2, $5, $6)`,
    [salon.company, ben, at('09:00'), at('10:00'), at('09:30'), '2027-03-01T10:00:30Z'],
  );
  expect(await ask('select * from app.away($1, $2, $3)', salon.staff, at('08:00'), at('12:00'))).toEqual([
    { subject_id: ann, starts: [], ends: [] },
    { subject_id: ben, starts: minutes('09:00'), ends: minutes('10:01') },
  ]);
});

test('of another company’s staff nothing is told', async () => {
  const theirs = await makeSalon(stage, 1);
  await book(app, theirs, at('08:00'));
  expect(await told(theirs.staff, TODAY, TODAY + 1)).toEqual([]);
});

test('days stay as the bookings are, whatever becomes of these: over midnight, moved, cancelled, confirmed again, taken away', async () => {
  const [ann = '', ben = ''] = salon.staff;
  const day = Date.parse('2027-04-10T00:00Z') / 86_400_000;
  const texts = () =>
    stage.sql<{ day: number }>('select day from busy_days where subject_id = $1 and day between $2 and $3 order by 1', [
      ann,
      day - 2,
      day + 2,
    ]);
  const days = async (): Promise<number[]> => (await texts()).map((row) => row.day - day);
  const late = await book(app, salon, '2027-04-10T23:30:00Z', { after: 45 });
  const before = await book(app, salon, '2027-04-10T20:00:00Z');
  expect(await days()).toEqual([0, 1]);
  await change(app, salon, late, `starts_at = '2027-04-09T23:30:00Z'`);
  expect(await days()).toEqual([-1, 0]);
  await change(app, salon, before, `status = 'CANCELLED'`);
  await change(app, salon, late, `status = 'CANCELLED'`);
  expect(await days()).toEqual([]);
  await change(app, salon, before, `status = 'CONFIRMED'`);
  expect(await days()).toEqual([0]);
  // By a console, in one statement and past the documents.
  await stage.sql(`update occupancies set staff_id = $2 where appointment_id = $1`, [before, ben]);
  expect(await days()).toEqual([]);
  await stage.sql(`update occupancies set staff_id = $2 where appointment_id = $1`, [before, ann]);
  await book(app, salon, '1969-12-31T23:30:00Z');
  expect(await stage.sql(MISTOLD)).toEqual([]);
  await stage.sql(`delete from occupancies where appointment_id = $1`, [before]);
  expect(await days()).toEqual([]);
});

test('what is kept of a booking or a hold is what its document says in general, whichever way it was written and whatever became of it', async () => {
  const many = await makeSalon(stage, 3, 3);
  const [ann = '', ben = ''] = many.staff;
  const chairs = [{ kind: 'CHAIR' }, { kind: 'CHAIR' }];
  const day = (n: number) => `2027-05-${String(10 + n)}T22:30:00Z`;
  const processing = [{ afterMinutes: 20, minutes: 20 }];
  const visit = [
    { staff: ann, before: 10 },
    { staff: ben, offset: 60, after: 5 },
    { staff: ann, offset: 120, after: 25 },
  ];
  const plain = await book(app, many, day(0), { before: 15, after: 45, resources: chairs });
  await book(app, many, day(1), { before: 15, after: 45, processing, resources: chairs });
  const parted = await book(app, many, day(2), { parts: visit, resources: chairs });
  await hold(app, many, day(3), { before: 5, after: 95, resources: chairs });
  await hold(app, many, day(4), { parts: visit });
  const gone = await book(app, many, day(5), { overlap: true });
  await bookAll(app, many, [bookingRow(many, day(6), { after: 10 }), bookingRow(many, day(7), { parts: visit })]);
  for (const id of [plain, parted])
    await change(app, many, id, `starts_at = starts_at + interval '14 days 1 hour', resources = '[{"kind": "CHAIR"}]'`);
  await change(app, many, gone, `status = 'CANCELLED'`);
  const kept = await stage.sql(
    `with documents as (
       select id, starts_at, services, resources, time_zone, allow_overlap, status from appointments where company_id = $1
       union all select id, starts_at, services, resources, time_zone, false, 'PENDING' from holds where company_id = $1),
     said as (select d.id, b.staff_id, b.resource_id, b.busy::text, allow_overlap from documents d,
       app.busy_subjects(starts_at, services, resources) b where app.occupies(status)),
     kept as (select coalesce(appointment_id, hold_id), staff_id, resource_id, busy::text, deliberate from occupancies where company_id = $1)
     (table said except all table kept) union all (table kept except all table said)`,
    [many.company],
  );
  expect(kept).toEqual([]);
  const parts = await stage.sql(
    `with said as (
       select a.id, k::int, (p ->> 'staffId')::uuid,
         (a.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) at time zone a.time_zone
       from appointments a, jsonb_array_elements(services) with ordinality x (p, k) where company_id = $1),
     kept as (select appointment_id, position::int, staff_id, local_date + local_start from appointment_parts where company_id = $1)
     (table said except all table kept) union all (table kept except all table said)`,
    [many.company],
  );
  expect(parts).toEqual([]);
  const counted = await stage.sql<{ n: number }>('select count(*)::int n from occupancies where company_id = $1', [
    many.company,
  ]);
  expect(counted).toEqual([{ n: 16 }]);
  expect(await stage.sql(MISTOLD)).toEqual([]);
});

test('the past costs nothing: three years of bookings, and as many buffers are read as without them', async () => {
  const long = await makeSalon(stage, 1, 0);
  // Past the documents, which are tested above; not past what tells days.
  const fill = (from: string, to: string) =>
    stage.sql(
      `begin; set local session_replication_role = replica;
       insert into occupancies (company_id, appointment_id, staff_id, busy) select '${long.company}', gen_random_uuid(), '${long.staff[0]}',
         tstzmultirange(tstzrange(d, d + interval '30 minutes')) from generate_series('${from}'::timestamptz, '${to}', '3 hours') d;
       select app.tell_busy_days(array_agg(company_id), array_agg(subject_id), array_agg(begins / 1440)) from occupancies where company_id = '${long.company}'; commit`,
    );
  const read = async (): Promise<number> => {
    await stage.sql('vacuum analyze occupancies, busy_days');
    await beginRead(app, long.company);
    // Twice: the first call of a session fills its caches of the catalogue.
    const explain = 'explain (analyze, buffers, format json) select * from app.busy_on($1, $2)';
    const values = [long.staff, [TODAY, TODAY + 31]];
    await app.query(explain, values);
    const { rows } = await app.query(explain, values);
    await app.query('commit');
    const plan = rows[0]['QUERY PLAN'][0].Plan;
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  };
  await fill('2027-03-01T00:00Z', '2027-03-31T21:00Z');
  const without = await read();
  await fill('2024-03-01T00:00Z', '2027-02-28T21:00Z');
  const withPast = await read();
  expect(withPast).toBeLessThan(1.5 * without + 10);
});

test('what has many stretches is told as well', async () => {
  const [, ben = ''] = salon.staff;
  const parts = Array.from({ length: 20 }, (_, n) => ({
    ...{ staff: ben, offset: n * 60, minutes: 60 },
    processing: Array.from({ length: 10 }, (_, k) => ({ afterMinutes: 3 + 5 * k, minutes: 2 })),
  }));
  await book(app, salon, '2027-05-01T00:00:00Z', { parts });
  const day = Date.parse('2027-05-01Z') / 86_400_000;
  const [[, stretches] = []] = await busy([ben], day, day + 1);
  expect((stretches as number[]).length).toBe(2 * 201);
});
