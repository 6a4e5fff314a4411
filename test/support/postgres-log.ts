import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inject } from 'vitest';
import { until } from './until.ts';
import type { Stack } from './world.ts';

/** SQLSTATEs of what this application refuses by, and of the rules that it lets Postgres keep: a booking too many, a key used twice. */
const REFUSALS = /^(CP\d{3}|23P01|23505)$/;

/** What Postgres has logged of a world's database that is no refusal of ours: errors of its own, deadlocks, whatever ended a process. */
export async function faultsLogged(world: Pick<Stack, 'sql'>): Promise<string[]> {
  const [{ name } = { name: '' }] = await world.sql<{ name: string }>('select current_database() as name');
  const end = randomUUID();
  // The log comes through a pipe: what was written before a line of ours is there when that one is.
  await world.sql(`do $$ begin raise log '%', '${end}'; end $$`);
  const log = await until('the log is written', async () => {
    const text = await readFile(inject('postgresLog'), 'utf8');
    return text.includes(end) && text;
  });
  return log.split('\n').filter((line) => {
    const [, database, state = '', level = ''] = / (\S+) (\w{5}) (ERROR|FATAL|PANIC|WARNING):/.exec(line) ?? [];
    return database === name && level !== '' && !REFUSALS.test(state);
  });
}
