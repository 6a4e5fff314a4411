import { afterAll, expect, test } from 'vitest';
import { makeCompany, openStage } from '../support.ts';

// What lists of clients with a tag are read from: kept by triggers, whoever writes.

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
