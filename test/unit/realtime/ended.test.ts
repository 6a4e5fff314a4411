import { expect, test } from 'vitest';
import { Ended } from '../../../src/realtime/ended.ts';
import { memory } from '../../support/sqlite.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const listenerOf = (credential: string) => ({ credential, actor: `USER:${credential}` });

test('who has ended is known for an hour, also behind the end of the object', () => {
  const sql = memory();
  new Ended(sql).add(['one'], NOW);
  const ended = new Ended(sql);
  expect([ended.has(listenerOf('one')), ended.has(listenerOf('other'))]).toEqual([true, false]);
  ended.forget(NOW + HOUR + 1);
  expect([ended, new Ended(sql)].map((each) => each.has(listenerOf('one')))).toEqual([false, false]);
});

test('where it cannot be kept it is known as long as the object is', () => {
  const sql = memory();
  const ended = new Ended(sql);
  sql.exec = () => {
    throw new Error('a storage that fails');
  };
  expect(() => ended.add(['one', 'two'], NOW)).toThrow('a storage that fails');
  expect(['one', 'two'].map((id) => ended.has(listenerOf(id)))).toEqual([true, true]);
});
