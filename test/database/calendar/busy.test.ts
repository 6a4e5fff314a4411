import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginRead, openStage, type Stage } from '../support.ts';
import { at, book, change, expire, hold, makeSalon, type Salon } from './salon.ts';

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

type Busy = { subject_id: string; pieces: string | null; held: [number, string][] | null };
const minute = (time: string): number => Date.parse(at(time)) / 60_000;
const minutes = (...times: string[]): number[] => times.map(minute);
/** Start and length. */
const piece = (from: string, to: string): string => `${minute(from)},${minute(to) - minute(from)}`;
const busy = (subjects: string[], ...spans: [from: string, to: string][]) =>
  ask<Busy>(
    'select * from app.busy($1, $2)',
    subjects,
    spans.flatMap((span) => minutes(...span)),
  );

test('what subjects keep busy in a span is told; processing, cancelled, deliberate and expired leave it free', async () => {
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
  const held: Busy['held'] = [[expect.any(Number), piece('14:00', '14:30')]];
  expect(await busy([ann, ben, chair], ['08:10', '14:10'])).toEqual([
    {
      subject_id: ann,
      pieces: `${piece('08:00', '08:20')},${piece('08:40', '09:15')},${piece('09:15', '10:15')}`,
      held,
    },
    { subject_id: chair, pieces: piece('08:00', '09:15'), held: null },
  ]);
  expect(await busy([ann], ['07:00', '08:00'], ['09:15', '09:16'], ['14:20', '15:00'])).toEqual([
    { subject_id: ann, pieces: piece('09:15', '10:15'), held: null },
    { subject_id: ann, pieces: null, held },
  ]);
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
  expect(await busy(theirs.staff, ['07:00', '12:00'])).toEqual([]);
});

test('the past costs nothing: three years of bookings, and as many buffers are read as without them', {
  timeout: 60_000,
}, async () => {
  const long = await makeSalon(stage, 1, 0);
  // Past all triggers: what bookings leave here is tested above.
  const fill = (from: string, to: string) =>
    stage.sql(
      `begin; set local session_replication_role = replica;
       insert into occupancies (company_id, appointment_id, staff_id, busy) select '${long.company}', gen_random_uuid(), '${long.staff[0]}',
         tstzmultirange(tstzrange(d, d + interval '30 minutes')) from generate_series('${from}'::timestamptz, '${to}', '3 hours') d; commit`,
    );
  const read = async (): Promise<number> => {
    await stage.sql('vacuum analyze occupancies');
    await beginRead(app, long.company);
    // Twice: the first call of a session fills its caches of the catalogue.
    const explain = 'explain (analyze, buffers, format json) select * from app.busy($1, $2)';
    const values = [long.staff, [minute('00:00'), minute('00:00') + 31 * 1440]];
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
  const [told] = await ask<Busy>(
    'select * from app.busy($1, $2)',
    [ben],
    [Date.parse('2027-05-01Z') / 60_000, Date.parse('2027-05-02Z') / 60_000],
  );
  expect(told?.pieces?.split(',').length).toBe(2 * 201);
});
