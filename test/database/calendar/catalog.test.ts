import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refused } from '../billing/books.ts';
import { logOf, makeCompany, openStage, type Stage, write } from '../support.ts';

// Lists of references are held to what exists, and what a service takes is held to what fits.

let stage: Stage;
let app: pg.Client;
let ours: string;
let branch: string;
let service: string;
beforeAll(async () => {
  stage = await openStage();
  [app, ours] = await Promise.all([stage.login(), makeCompany(stage)]);
  [branch, service] = [await makeBranch(ours), await makeService(ours)];
});
afterAll(() => stage.close());

async function makeBranch(company: string): Promise<string> {
  const id = randomUUID();
  await stage.sql(`insert into branches (company_id, id, name, time_zone) values ($1, $2, 'Mitte', 'Europe/Vienna')`, [
    company,
    id,
  ]);
  return id;
}

async function makeService(company: string): Promise<string> {
  const id = randomUUID();
  await stage.sql(`insert into services (company_id, id, name, duration_minutes) values ($1, $2, 'Cut', 30)`, [
    company,
    id,
  ]);
  return id;
}

const addStaff = `insert into staff (company_id, id, first_name, branch_ids, service_ids, working_hours) values ($1, $2, 'Ann', $3, $4, $5)`;
type Said = { branches?: string[]; services?: string[]; hours?: unknown[] };
const makeStaff = async ({ branches = [], services = [], hours = [] }: Said = {}): Promise<string> => {
  const id = randomUUID();
  await write(app, ours, () => app.query(addStaff, [ours, id, branches, services, JSON.stringify(hours)]));
  return id;
};

/** The constraint a statement breaks, or null. */
const broken = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: { constraint?: string; code?: string }) => error.constraint ?? error.code ?? 'unknown',
  );

const offersOf = async (staff: string): Promise<string[]> =>
  (
    await stage.sql<{ said: string }>(
      'select service_id || said_by as said from offers where staff_id = $1 order by said_by',
      [staff],
    )
  ).map(({ said }) => said);

test('branches and services of a staff member are rows that follow the lists, and no revision of their own', async () => {
  const other = await makeService(ours);
  const staff = await makeStaff({ branches: [branch], services: [service, other] });
  const before = await logOf(stage, ours);
  const { changes } = await write(app, ours, async () => {
    await app.query('update staff set branch_ids = $2, service_ids = $3 where id = $1', [staff, [], [other]]);
    await app.query('update services set staff = $2 where id = $1', [service, JSON.stringify([{ staffId: staff }])]);
  });
  expect(changes.map(({ entity, operation }) => [entity, operation])).toEqual([
    ['staff', 'UPDATE'],
    ['service', 'UPDATE'],
  ]);
  expect(before.at(-1)).toMatchObject({ entity: 'staff', after: { name: 'Ann', branch_ids: [branch] } });
  expect(await offersOf(staff)).toEqual([`${service}service`, `${other}staff`]);
  expect(await stage.sql('select from staff_branches where staff_id = $1', [staff])).toEqual([]);
  await write(app, ours, () => app.query(`update services set staff = '[]' where id = $1`, [service]));
  expect(await offersOf(staff)).toEqual([`${other}staff`]);
});

test('a reference to nobody, or to another company’s row, is refused in every list, at its place', async () => {
  const theirs = await makeCompany(stage);
  const [theirBranch, theirService] = [await makeBranch(theirs), await makeService(theirs)];
  const place = async (work: Promise<unknown>): Promise<unknown> => {
    const refusal = await refused(work);
    return refusal === null ? null : [refusal.code, refusal.said.pointer];
  };
  const at = (pointer: string): unknown => ['unknown_reference', pointer];
  expect(await place(makeStaff({ branches: [randomUUID()] }))).toEqual(at('/branchIds/0'));
  expect(await place(makeStaff({ branches: [branch, theirBranch] }))).toEqual(at('/branchIds/1'));
  for (const services of [[randomUUID()], [theirService]])
    expect(await place(makeStaff({ services }))).toEqual(at('/serviceIds/0'));
  const terms = JSON.stringify([{ staffId: randomUUID() }]);
  const set = write(app, ours, () => app.query('update services set staff = $2 where id = $1', [service, terms]));
  expect(await place(set)).toEqual(at('/staff/0/staffId'));
  const hours = [
    { weekday: 1, start: '09:00', end: '12:00' },
    { weekday: 2, start: '09:00', end: '12:00', branchId: branch },
  ];
  expect(await place(makeStaff({ hours }))).toEqual(at('/workingHours/1/branchId'));
  expect(await place(makeStaff({ hours, branches: [branch] }))).toBeNull();
});

describe('a service fits into its own time', () => {
  const set = (assignment: string): Promise<string | null> =>
    broken(write(app, ours, () => app.query(`update services set ${assignment} where id = $1`, [service])));
  test.each([
    [`processing = '[{"afterMinutes": 10, "minutes": 20}]'`, null],
    [`processing = '[{"afterMinutes": 0, "minutes": 5}, {"afterMinutes": 5, "minutes": 25}]'`, null],
    [`processing = '[{"afterMinutes": 10, "minutes": 21}]'`, 'services_processing'],
    [`processing = '[{"afterMinutes": 10, "minutes": 10}, {"afterMinutes": 15, "minutes": 5}]'`, 'services_processing'],
    [`processing = '[{"afterMinutes": 10, "minutes": 0}]'`, 'services_processing'],
    [`processing = '[{"afterMinutes": 10}]'`, 'services_processing'],
    [`processing = '{}'`, 'services_processing'],
    ['duration_minutes = 0', 'services_duration'],
    ['buffer_after_minutes = -1', 'services_buffers'],
  ])('%s: %s', async (assignment, constraint) => expect(await set(assignment)).toBe(constraint));
});

test('time off is of one, staff member or resource, and ends after it starts', async () => {
  const staff = await makeStaff();
  const add = `insert into time_off (company_id, id, staff_id, resource_id, starts_at, ends_at) values ($1, $2, $3, $4, $5, $6)`;
  const [from, to] = ['2026-12-24T08:00:00Z', '2026-12-24T18:00:00Z'];
  const attempt = (...values: unknown[]): Promise<string | null> =>
    broken(write(app, ours, () => app.query(add, [ours, randomUUID(), ...values])));
  expect(await attempt(staff, null, from, to)).toBeNull();
  expect(await attempt(null, null, from, to)).toBe('time_off_owner');
  expect(await attempt(staff, randomUUID(), from, to)).toBe('time_off_owner');
  expect(await attempt(staff, null, to, from)).toBe('time_off_ends');
  expect(await attempt(randomUUID(), null, from, to)).toBe('time_off_staff');
  const { changes } = await write(app, ours, () => app.query('delete from time_off where staff_id = $1', [staff]));
  expect(changes).toMatchObject([{ entity: 'time-off', operation: 'DELETE' }]);
});
