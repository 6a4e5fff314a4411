import { afterAll, expect, test } from 'vitest';
import { migrate } from '../../../local/migrate.ts';
import { until } from '../../support/until.ts';
import { makeCompany, openStage } from '../support.ts';

const stage = await openStage();
afterAll(() => stage.close());

const waiting = async (): Promise<number> => {
  const [row] = await stage.sql<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.n ?? 0;
};

test('a migration waits for the writes that have begun, and holds nothing that they still want', async () => {
  const company = await makeCompany(stage);
  const writer = await stage.console();
  await writer.query(`set lock_timeout = '2s'`);
  await writer.query('begin');
  await writer.query(`update companies set name = 'Before' where id = $1`, [company]);
  const migrated = migrate(stage.adminUrl);
  await until('it waits', async () => (await waiting()) === 1);
  // Every table of the company: whatever the migration took first, a write would be in a deadlock with it.
  for (const table of ['branches', 'clients', 'users', 'services', 'changes'])
    await writer.query(`select 1 from ${table} where company_id = $1 limit 1`, [company]);
  await writer.query(`insert into clients (company_id, id, first_name) values ($1, gen_random_uuid(), 'Anna')`, [
    company,
  ]);
  await writer.query('commit');
  expect(await migrated).toEqual({ applied: [] });
});
