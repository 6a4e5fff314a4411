import { expect, test } from 'vitest';
import { Expectations } from '../../../src/realtime/expectations.ts';
import { PATIENCE } from '../../../src/realtime/patience.ts';
import { memory } from '../../support/sqlite.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;

test('a write of before the clock stepped back an hour is looked for at once, until it cannot commit any more', () => {
  const expectations = new Expectations(memory());
  expectations.add('before', NOW);
  const stepped = NOW - HOUR;
  expect(expectations.anyDue(stepped)).toBe(true);
  expect(expectations.nextLook(stepped)).toBe(stepped + 1000);
  const longest = 90_000;
  expectations.forgetOver(stepped + longest - PATIENCE - 1, longest);
  expect(expectations.anyDue(stepped)).toBe(true);
  expectations.forgetOver(stepped + longest - PATIENCE, longest);
  expect(expectations.nextLook(stepped)).toBeNull();
});

test('one is due after a while, and not before', () => {
  const expectations = new Expectations(memory());
  expectations.add('one', NOW);
  expect([NOW, NOW + PATIENCE - 1, NOW + PATIENCE].map((now) => expectations.anyDue(now))).toEqual([
    false,
    false,
    true,
  ]);
});

test('while the storage cannot tell, one is due', () => {
  const sql = memory();
  const expectations = new Expectations(sql);
  const { exec } = sql;
  sql.exec = () => {
    throw new Error('a storage that fails');
  };
  expect(expectations.anyDue(NOW)).toBe(true);
  sql.exec = exec;
  expect(expectations.anyDue(NOW)).toBe(false);
});
