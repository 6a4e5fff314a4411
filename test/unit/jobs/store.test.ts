import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, test } from 'vitest';
import { isHopeless } from '../../../src/jobs/alarms.ts';
import { JobStore } from '../../../src/jobs/store.ts';

/** As much of a Durable Object's SQL as the store uses, on a database in memory. */
function memory(): SqlStorage {
  const database = new DatabaseSync(':memory:');
  const exec = (text: string, ...values: SQLInputValue[]) => {
    const statements = text.split(';').filter((statement) => statement.trim() !== '');
    for (const statement of statements.slice(0, -1)) database.exec(statement);
    const rows = database.prepare(statements.at(-1) ?? '').all(...values);
    return { toArray: () => rows, one: () => rows[0] };
  };
  return { exec } as unknown as SqlStorage;
}

const spec = {
  companyId: 'c',
  requestId: 'r',
  resource: 'clients',
  header: null,
  mapping: {},
  match: 'externalId' as const,
  writer: { actor: 'a', credential: {} },
};

test('failures from outside make a job wait longer, and are not counted among our own', () => {
  const store = new JobStore(memory());
  store.stage('j', spec, [{ first: 0, count: 2, rows: '[1,2]' }], 1);
  store.seal('j', 2, 2);
  store.start('j', 3);
  for (let outage = 1; outage <= 20; outage += 1) store.postpone('j', outage);
  const fail = (): void => {
    store.blame('j');
    store.postpone('j', 30);
  };
  const own = (): number => store.jobs()[0]?.ownFailures ?? Number.NaN;
  const hopeless: boolean[] = [];
  for (let failure = 1; failure <= 6; failure += 1) {
    hopeless.push(isHopeless('us', own()));
    fail();
    store.postpone('j', 31);
  }
  expect(hopeless).toEqual([false, false, false, false, false, true]);
  expect([isHopeless('world', own()), store.jobs()[0]?.attempts]).toEqual([false, 32]);
  store.went('j', 1, 40);
  expect([own(), store.jobs()[0]?.attempts]).toEqual([0, 0]);
  fail();
  store.forget('j');
  store.stage('j', spec, [], 50);
  expect(own()).toBe(0);
});
