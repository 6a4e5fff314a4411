import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginRead, openStage, type Stage } from '../support.ts';
import { at, book, change, expire, hold, makeSalon, type Salon } from './salon.ts';

// What is busy, as availability asks for it: merged, cut to the span, of one company, and not dearer for a longer past.

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

type Busy = { subject_id: string; starts: number[]; ends: number[]; until: Date | null };
const busy = (subjects: string[], from: string, to: string) =>
  ask<Busy>('select * from app.busy($1, $2, $3)', subjects, from, to);
const minutes = (...times: string[]): number[] => times.map((time) => Date.parse(at(time)) / 60_000);

test('what subjects keep busy is merged and cut; processing, cancelled, deliberate and expired leave it free', async () => {
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
  const rows = await busy([ann, ben, salon.chairs[0] ?? ''], at('08:10'), at('14:10'));
  expect(rows).toEqual([
    {
      subject_id: ann,
      starts: minutes('08:10', '08:40', '14:00'),
      ends: minutes('08:20', '10:15', '14:10'),
      until: expect.any(Date),
    },
    { subject_id: ben, starts: [], ends: [], until: null },
    { subject_id: salon.chairs[0], starts: minutes('08:10'), ends: minutes('09:15'), until: null },
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
  expect(await busy(theirs.staff, at('07:00'), at('12:00'))).toMatchObject([{ starts: [], ends: [] }]);
});

test('the past costs nothing: three years of bookings, and as many buffers are read as without them', {
  timeout: 60_000,
}, async () => {
  const long = await makeSalon(stage, 1, 0);
  const fill = (from: string, to: string) =>
    stage.sql(
      `insert into appointments (company_id, id, branch_id, services, starts_at, time_zone, source)
       select $1, gen_random_uuid(), $2, jsonb_build_array(jsonb_build_object('serviceId', $3::uuid, 'staffId', $4::uuid, 'name', 'Cut',
         'startOffsetMinutes', 0, 'durationMinutes', 30, 'bufferBeforeMinutes', 0, 'bufferAfterMinutes', 0, 'processing', '[]'::jsonb,
         'price', null, 'taxes', '[]'::jsonb)), d, 'Europe/Vienna', 'IMPORT' from generate_series($5::timestamptz, $6::timestamptz, '3 hours') d`,
      [long.company, long.branch, long.service, long.staff[0], from, to],
    );
  const read = async (): Promise<number> => {
    await stage.sql('vacuum analyze occupancies');
    await beginRead(app, long.company);
    // Twice: the first call of a session fills its caches of the catalogue.
    const explain = `explain (analyze, buffers, format json) select * from app.busy($1, '2027-03-01T00:00Z', '2027-04-01T00:00Z')`;
    await app.query(explain, [long.staff]);
    const { rows } = await app.query(explain, [long.staff]);
    await app.query('commit');
    const plan = rows[0]['QUERY PLAN'][0].Plan;
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  };
  await fill('2027-03-01T00:00Z', '2027-03-31T21:00Z');
  const without = await read();
  await fill('2024-03-01T00:00Z', '2027-02-28T21:00Z');
  const withPast = await read();
  expect(withPast).toBeLessThan(2 * without + 20);
});
