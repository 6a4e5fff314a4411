import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import { commit } from '../../../src/data/log.ts';
import { connect, openStage, type Stage, write } from '../support.ts';
import { at, book, bookingRow, chair, change, makeSalon, overlaps, part, refused, type Salon } from './salon.ts';

// Nothing is booked twice, whoever writes: each rule with what it lets through and what it does not.

let stage: Stage;
let app: pg.Client;
let console: pg.Client;
let salon: Salon;
let ann: string;
let ben: string;
beforeAll(async () => {
  stage = await openStage();
  [app, console] = [await stage.login(), await stage.console()];
});
afterAll(() => stage.close());
beforeEach(async () => {
  salon = await makeSalon(stage);
  [ann = '', ben = ''] = salon.staff;
});

const rowOf = async (id: string): Promise<Record<string, unknown>> => {
  const [row] = await stage.sql<{ row: Record<string, unknown> }>(
    'select to_jsonb(a) as row from appointments a where id = $1',
    [id],
  );
  return row?.row ?? {};
};

describe('staff', () => {
  test('both neighbours’ buffers add up, and the refusal says who is in the way', async () => {
    const first = await book(app, salon, at('09:00'), { after: 15 });
    const near = book(app, salon, at('10:24'), { before: 10 });
    expect(await refused(near)).toMatchObject({
      code: 'slot_taken',
      staffId: ann,
      conflictingAppointmentId: first,
    });
    await book(app, salon, at('10:25'), { before: 10 });
    await book(app, salon, at('10:24'), { before: 10, staff: ben });
  });

  test('while a colour is processed another fits in, to the minute', async () => {
    await book(app, salon, at('09:00'), { minutes: 90, processing: [{ afterMinutes: 30, minutes: 30 }] });
    expect(await refused(book(app, salon, at('09:30'), { minutes: 31 }))).toMatchObject({ code: 'slot_taken' });
    expect(await refused(book(app, salon, at('09:29'), { minutes: 30 }))).toMatchObject({ code: 'slot_taken' });
    await book(app, salon, at('09:30'), { minutes: 20, after: 10 });
  });

  test('several services in a row have the buffer before a person’s first and after their last', async () => {
    const parts = [
      { minutes: 30, before: 10, after: 20 },
      { offset: 30, minutes: 30, before: 20, after: 10 },
      { offset: 60, minutes: 30, before: 5, after: 5, staff: ben },
    ];
    const id = await book(app, salon, at('09:00'), { parts });
    expect(await rowOf(id)).toMatchObject({ ends_at: '2027-03-01T10:30:00+00:00', staff_id: ann });
    const busy = await stage.sql<{ staff_id: string; busy: string }>(
      `select staff_id, (select json_agg(to_char(x at time zone 'UTC', 'HH24:MI') order by x) from unnest(busy) r,
         lateral (values (lower(r)), (upper(r))) v (x)) as busy from occupancies where appointment_id = $1`,
      [id],
    );
    expect(Object.fromEntries(busy.map((row) => [row.staff_id, row.busy]))).toEqual({
      [ann]: ['08:50', '10:10'],
      [ben]: ['09:55', '10:35'],
    });
  });

  test('whoever is booked may be moved onto part of the same time, and two may change places at once', async () => {
    const [first, second] = [await book(app, salon, at('09:00')), await book(app, salon, at('10:00'))];
    expect(await refused(change(app, salon, first, 'starts_at = $2', at('09:01')))).toMatchObject({
      code: 'slot_taken',
      conflictingAppointmentId: second,
    });
    await change(app, salon, first, 'starts_at = $2', at('08:30'));
    const { changes } = await write(app, salon.company, () =>
      app.query(
        `update appointments a set starts_at = b.starts_at from appointments b
         where a.id = any($1) and b.id = any($1) and a.id <> b.id`,
        [[first, second]],
      ),
    );
    expect(changes).toHaveLength(2);
    expect(await rowOf(first)).toMatchObject({ starts_at: '2027-03-01T10:00:00+00:00', local_start: '11:00:00' });
    expect(await rowOf(second)).toMatchObject({ ends_at: '2027-03-01T09:30:00+00:00' });
  });

  test('what is deliberate stands outside the rule, both ways', async () => {
    await book(app, salon, at('09:00'));
    await book(app, salon, at('09:30'), { overlap: true });
    await book(app, salon, at('10:00'));
    const inside = await book(app, salon, at('08:00'));
    expect(await refused(change(app, salon, inside, 'starts_at = $2', at('08:30')))).toMatchObject({
      code: 'slot_taken',
    });
    await change(app, salon, inside, 'starts_at = $2, allow_overlap = true', at('08:30'));
  });
});

describe('a console', () => {
  const add = `insert into appointments (company_id, id, branch_id, services, starts_at, time_zone, resources)
    values ($1, gen_random_uuid(), $2, $3, $4, 'Europe/Vienna', $5)`;
  const type = (start: string, services: unknown, resources: unknown = []): Promise<unknown> =>
    console.query(add, [salon.company, salon.branch, JSON.stringify(services), start, JSON.stringify(resources)]);

  test('obeys the rule, and is given a chair like everybody', async () => {
    await type(at('09:00'), [part(salon)], chair());
    expect(await refused(type(at('09:59'), [part(salon)]))).toMatchObject({ code: 'slot_taken', staffId: ann });
    await type(at('09:59'), [part(salon, { staff: ben })], chair());
    const carl = salon.staff[2] ?? '';
    expect(await refused(type(at('09:59'), [part(salon, { staff: carl })], chair()))).toMatchObject({
      code: 'slot_taken',
      kind: 'CHAIR',
    });
  });

  test.each<[string, (row: Record<string, unknown>) => void, string]>([
    ['no part', (row) => Object.assign(row, { services: [] }), 'appointments_services'],
    [
      'parts one over the other',
      (row) => Object.assign(row, { services: [part(salon), part(salon, { offset: 59 })] }),
      'appointments_services',
    ],
    [
      'a part of nobody',
      (row) => Object.assign(row, { services: [{ ...part(salon), staffId: null }] }),
      'appointments_services',
    ],
    [
      'a part of a stranger',
      (row) => Object.assign(row, { services: [part(salon, { staff: randomUUID() })] }),
      'appointment_parts_staff',
    ],
    [
      'an unknown service',
      (row) => Object.assign(row, { services: [part(salon, { service: randomUUID() })] }),
      'appointment_parts_service',
    ],
    ['half a minute', (row) => Object.assign(row, { starts_at: '2027-03-01T09:00:30Z' }), 'appointments_minute'],
    ['a resource without kind', (row) => Object.assign(row, { resources: [{}] }), 'appointments_resources'],
    [
      'a history of something else',
      (row) => Object.assign(row, { status_history: [{ status: 'PENDING' }] }),
      'appointments_history',
    ],
  ])('stores no appointment with %s', async (_, spoil, constraint) => {
    const row = bookingRow(salon, at('09:00'));
    spoil(row);
    await console.query('begin');
    await console.query(`select set_config('app.company_id', $1, true)`, [salon.company]);
    const outcome = await refused(
      console.query('select app.insert_rows($1, $2)', ['appointments', JSON.stringify([row])]),
    );
    await console.query('rollback');
    expect(outcome).toEqual({ code: constraint });
  });
});

test('a caller is told who is in the way by the ids that callers know, and what is allowed', async () => {
  const database = connect(stage, 'write');
  const put = (statement: SQL): Promise<unknown> =>
    commit(
      makeCtx('req_1', () => undefined),
      {
        database,
        companyId: salon.company,
        name: 'test.put',
        writer: { actor: 'SYSTEM', credential: { system: true } },
      },
      [statement],
    );
  const id = await book(app, salon, at('09:00'));
  const row = JSON.stringify([bookingRow(salon, at('09:30'))]);
  await expect(put(sql`select app.insert_rows('appointments', ${row}::jsonb)`)).rejects.toMatchObject({
    code: 'slot_taken',
    message: 'The staff member is booked then.',
    extra: { staffId: formatId('stf', ann), conflictingAppointmentId: formatId('appt', id) },
  });
  await expect(put(sql`update appointments set status = 'COMPLETED' where id = ${id}::uuid`)).rejects.toMatchObject({
    code: 'illegal_transition',
    faults: [{ pointer: '/status' }],
    extra: { allowed: ['CHECKED_IN', 'NO_SHOW', 'CANCELLED'] },
  });
});

describe('references', () => {
  test('to another company’s staff, service, branch or client are refused', async () => {
    const theirs = await makeSalon(stage);
    expect(await refused(book(app, salon, at('09:00'), { staff: theirs.staff[0] ?? '' }))).toEqual({
      code: 'appointment_parts_staff',
    });
    expect(await refused(book(app, salon, at('09:00'), { service: theirs.service }))).toEqual({
      code: 'appointment_parts_service',
    });
    expect(await refused(book(app, { ...salon, branch: theirs.branch }, at('09:00')))).toEqual({
      code: 'appointments_branch',
    });
    expect(await refused(book(app, salon, at('09:00'), { client: theirs.staff[0] ?? '' }))).toEqual({
      code: 'appointments_client',
    });
  });
});

test('what all of that left behind overlaps nowhere, minute by minute', async () => {
  await book(app, salon, at('09:00'), { after: 10, resources: chair() });
  await book(app, salon, at('10:10'), { resources: chair() });
  await book(app, salon, at('09:30'), { overlap: true });
  expect(await overlaps(stage, salon.company)).toEqual([]);
  await stage.sql('update appointments set allow_overlap = false where false');
  await stage.sql(`alter table occupancies drop constraint occupancies_once`);
  try {
    await book(app, salon, at('09:59'));
    expect(await overlaps(stage, salon.company)).not.toEqual([]);
  } finally {
    await stage.sql(`delete from appointments where company_id = $1`, [salon.company]);
    await stage.sql(
      `alter table occupancies add constraint occupancies_once exclude using gist (company_id with =, subject_id with =, busy with &&) where (not deliberate)`,
    );
  }
});
