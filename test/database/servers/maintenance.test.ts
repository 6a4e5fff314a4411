import { afterAll, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { openStack } from '../../support/world.ts';

const stack = await openStack();
afterAll(() => stack.close());

test('the cron renews the statistics of what was loaded at once, and leaves the rest', async () => {
  await stack.sql(`create table public.loaded (n int)`, [], 'cp_owner');
  await stack.sql(`grant maintain on public.loaded to cp_definer`, [], 'cp_owner');
  await stack.sql('insert into public.loaded select generate_series(1, 5000)', [], 'cp_owner');
  const estimate = async (): Promise<number> =>
    Number((await stack.sql(`select reltuples as n from pg_class where oid = 'public.loaded'::regclass`))[0]?.n);
  expect(await estimate()).toBe(-1);
  const analyzed = await until('it is seen', async () => {
    const [row] = await stack.sql('select analyzed, unclean from app.maintain(100, 1000)', [], 'cp_jobs');
    const names = row?.analyzed as string[];
    return names.length > 0 ? names : null;
  });
  expect(analyzed).toEqual(['loaded']);
  expect(await estimate()).toBe(5000);
  const [again] = await stack.sql('select analyzed, unclean from app.maintain(100, 1000)', [], 'cp_jobs');
  expect(again).toEqual({ analyzed: [], unclean: [] });
});
