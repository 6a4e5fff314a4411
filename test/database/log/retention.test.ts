import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCompany, openStage, type Stage } from '../support.ts';

// Retention in small pieces: what one does is bounded, and none is held up for ever.

let stage: Stage;
let companies: string[];
beforeAll(async () => {
  stage = await openStage();
  companies = [await makeCompany(stage), await makeCompany(stage), await makeCompany(stage)].sort();
});
afterAll(() => stage.close());

/** Old changes of a company, as a log of years has them. */
const age = (company: string, rows: number): Promise<unknown> =>
  stage.sql(
    `insert into changes (company_id, revision, entity, entity_id, operation, schema_version, actor, changed_at)
     select $1, 1000 + n, 'client', gen_random_uuid(), 'UPDATE', 1, 'SQL:x', clock_timestamp() - interval '100 days' from generate_series(1, $2::int) n`,
    [company, rows],
  );
const oldest = (company: string): Promise<{ n: number }[]> =>
  stage.sql<{ n: number }>('select count(*)::int n from changes where company_id = $1 and revision > 1000', [company]);

type Trimmed = { last_company: string | null; trimmed: number; more: boolean };
async function trim(after: string | null, most: number, rows: number): Promise<Trimmed> {
  const [row] = await stage.sql<Trimmed>(
    `select last_company, trimmed, more from app.trim_changes(interval '90 days', $1, $2, $3)`,
    [after, most, rows],
    'cp_jobs',
  );
  if (row === undefined) throw new Error('no answer');
  return row;
}

test('a piece forgets so many rows in all, says where it ended, and the next goes on with the next company', async () => {
  const [one = '', two = '', three = ''] = companies;
  await stage.sql('update changes set changed_at = clock_timestamp() - interval $$100 days$$ where revision = 1');
  await age(one, 2500);
  await age(two, 700);
  expect(await trim(null, 200, 1000)).toEqual({ last_company: one, trimmed: 1000, more: true });
  expect(await trim(one, 200, 1000)).toEqual({ last_company: three, trimmed: 702, more: false });
  expect(await trim(three, 200, 1000)).toEqual({ last_company: null, trimmed: 0, more: false });
  expect(await oldest(two)).toEqual([{ n: 0 }]);
  // What goes is the beginning: the youngest of the old ones are left.
  const [left] = await stage.sql<{ low: number; n: number }>(
    'select min(revision)::int low, count(*)::int n from changes where company_id = $1',
    [one],
  );
  expect(left).toEqual({ low: 2000, n: 1501 });
});

test('asked for no rows it says which company comes next, though that one is held', async () => {
  const [one = '', two = ''] = companies;
  const console = await stage.console();
  await console.query('reset role; begin; lock table changes in access exclusive mode nowait');
  try {
    // Of this database alone: the role is everybody's.
    const name = new URL(stage.adminUrl).pathname.slice(1);
    await stage.sql(`alter role cp_jobs in database ${name} set lock_timeout = '50ms'`);
    const jobs = await stage.login('cp_jobs');
    await expect(
      jobs.query(`select * from app.trim_changes(interval '90 days', $1, 1, 10)`, [one]),
    ).rejects.toMatchObject({ code: '55P03' });
  } finally {
    await console.query('rollback');
  }
  expect(await trim(one, 1, 0)).toMatchObject({ last_company: two, trimmed: 0 });
});

test('what somebody holds is left for the next time, and the rest goes', async () => {
  const [one = ''] = companies;
  const tokens = [1, 2, 3].map((n) => `\\x0${n}`);
  await stage.sql(
    `insert into users (company_id, id, name, email, role) values ($1, gen_random_uuid(), 'U', 'u@example.com', 'OWNER')`,
    [one],
  );
  for (const hash of tokens)
    await stage.sql(
      `insert into one_time_tokens (company_id, user_id, hash, purpose, expires_at)
       select company_id, id, $1, 'RESET', clock_timestamp() - interval '1 hour' from users where company_id = $2`,
      [hash, one],
    );
  const console = await stage.console();
  await console.query('begin');
  await console.query(`select 1 from one_time_tokens where hash = '\\x02' for update`);
  const gone = (): Promise<{ n: number }[]> => stage.sql<{ n: number }>('select app.trim_expired(10) n', [], 'cp_jobs');
  expect(await gone()).toEqual([{ n: 2 }]);
  await console.query('rollback');
  expect(await gone()).toEqual([{ n: 1 }]);
});
