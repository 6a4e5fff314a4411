import { afterAll, expect, test } from 'vitest';
import { at, bookAll, bookingRow, makeSalon } from '../calendar/salon.ts';
import { makeClient, makeCompany, openStage } from '../support.ts';

// What lists of clients with a tag, and of a staff member's appointments, are read from: kept by triggers, whoever writes.

const stage = await openStage();
afterAll(() => stage.close());
const company = await makeCompany(stage);
const console = await stage.console();

const ADD = `insert into clients (company_id, id, first_name, last_name, email, phone, status, tags)
  select $1, gen_random_uuid(), case when i % 3 > 0 then 'F' || i end, case when i % 2 > 0 then ' L' || i end, 'p' || i || '@example.com',
    '+43' || i, case when i % 5 = 0 then 'INACTIVE' else 'ACTIVE' end,
    array_remove(array['all', 'all', case when i % 2 = 0 then 'even' end, case when i % 7 = 0 then 'seventh' end], null)
  from generate_series(1, 60) i`;

/** What the rows say, and what is kept of them: the same. */
async function bothWays(): Promise<[told: unknown[], kept: unknown[]]> {
  const columns = 'tag, status, first_name, last_name, name, created_at, updated_at';
  const { rows: told } = await console.query(
    `select company_id, id, ${columns} from clients, lateral (select distinct tag from unnest(tags) tag) u order by id, tag`,
  );
  const { rows: kept } = await console.query(
    `select company_id, client_id as id, tag, status, first_name, last_name,
      coalesce(other_name, nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')) as name, created_at, updated_at
     from client_tags order by client_id, tag`,
  );
  return [told, kept];
}

test.each([
  ['inserted', ADD],
  ['renamed', `update clients set first_name = 'New', last_name = null where company_id = $1 and tags @> '{seventh}'`],
  [
    'without a name of their own',
    `update clients set first_name = null, last_name = null where company_id = $1 and tags @> '{even}'`,
  ],
  ['moved', `update clients set status = 'ARCHIVED' where company_id = $1 and phone like '%3'`],
  [
    'tagged otherwise',
    `update clients set tags = array_replace(tags, 'all', 'some') || '{more}' where company_id = $1 and phone like '%4'`,
  ],
  [
    'swapped',
    `update clients set tags = case when tags @> '{seventh}' then '{}' else tags || '{seventh}' end where company_id = $1`,
  ],
  [
    'erased',
    `update clients set first_name = null, last_name = null, email = null, phone = null, tags = '{}', erased_at = now() where company_id = $1 and phone like '%5'`,
  ],
  ['deleted', `delete from clients where company_id = $1 and phone like '%6'`],
])('tags of clients that were %s are kept', async (_what, statement) => {
  await console.query(statement, [company]);
  const [told, kept] = await bothWays();
  expect(told.length).toBeGreaterThan(20);
  expect(kept).toEqual(told);
});

test('who does an appointment is kept with all that lists sort and filter by', async () => {
  const app = await stage.login();
  const salon = await makeSalon(stage);
  const [ann = '', ben = '', cleo = ''] = salon.staff;
  const client = await makeClient(stage, salon.company);
  const doing = (...staff: string[]) => ({ parts: staff.map((each, n) => ({ staff: each, offset: n * 60 })) });
  await bookAll(app, salon, [
    bookingRow(salon, at('08:00'), { ...doing(ann, ann, ben), client }),
    bookingRow(salon, at('12:00'), doing(ben)),
    bookingRow(salon, at('15:00'), doing(cleo, ann)),
  ]);
  const columns = 'status, branch_id, client_id, series_id, starts_at, local_date::text, created_at, updated_at';
  const same = async (rows: number): Promise<void> => {
    const told = await stage.sql(
      `select distinct id, (p ->> 'staffId')::uuid as staff_id, ${columns} from appointments a, jsonb_array_elements(services) p
       where company_id = $1 order by 1, 2`,
      [salon.company],
    );
    const kept = await stage.sql(
      `select appointment_id as id, staff_id, ${columns} from appointment_staff where company_id = $1 order by 1, 2`,
      [salon.company],
    );
    expect(told).toHaveLength(rows);
    expect(kept).toEqual(told);
  };
  await same(5);
  const update = (assignment: string, where: string): Promise<unknown> =>
    console.query(`update appointments set ${assignment} where company_id = $1 and ${where}`, [salon.company]);
  await update(`status = 'CANCELLED'`, `extract(hour from starts_at at time zone 'UTC') = 12`);
  await same(5);
  await update(`starts_at = starts_at + interval '1 day', notes = 'moved'`, 'true');
  await same(5);
  await update(
    `services = (select jsonb_agg(jsonb_set(p, '{staffId}', to_jsonb('${ben}'::text))) from jsonb_array_elements(services) p), client_id = null`,
    `services -> 0 ->> 'staffId' = '${cleo}'`,
  );
  await same(4);
  await console.query(`delete from appointments where company_id = $1 and status = 'CANCELLED'`, [salon.company]);
  await same(3);
});
