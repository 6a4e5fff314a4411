import { beforeEach, expect, test } from 'vitest';
import type { AlertRule, AlertTurn } from '../../../src/data/monitor.ts';
import { AlertDesk } from '../../../src/monitoring/alert-desk.ts';
import { memory } from '../../support/sqlite.ts';

const MINUTE = 60_000;
const START = 1_700_000_040_000;

const rule = (id: string, more: Partial<AlertRule> = {}): AlertRule => ({
  ...{ id, companyId: 'one', name: id, metric: 'errorRate', comparison: 'ABOVE', threshold: 1, hysteresis: 0 },
  ...{ forMinutes: 1, url: `https://example.com/${id}`, secret: '', state: 'OK' },
  ...more,
});

let rules: AlertRule[];
let told: [url: string, state: AlertTurn['state']][];
let takes: (rule: AlertRule) => boolean;
let desk: AlertDesk;
beforeEach(() => {
  rules = [];
  told = [];
  takes = () => true;
  desk = new AlertDesk(memory(), {
    rules: async () => rules,
    keep: async () => undefined,
    async send(each, { state }) {
      told.push([each.url, state]);
      return takes(each);
    },
  });
});
const minute = (n: number, value: number | null = 5): Promise<void> => desk.minute(START + n * MINUTE, () => value);

test('a rule is judged by minutes that begin behind it, and by those that an alarm missed', async () => {
  rules = [rule('a', { forMinutes: 3 })];
  await minute(0);
  await minute(1);
  expect(told).toEqual([]);
  // The alarm of the second minute came late: its row is not broken.
  await minute(3);
  expect(told).toEqual([['https://example.com/a', 'FIRING']]);
});

test('what waits is told to the address of now, and not at all by a rule that is gone', async () => {
  takes = () => false;
  rules = [rule('a'), rule('b')];
  await minute(0);
  await minute(1);
  told = [];
  rules = [rule('a', { url: 'https://example.com/moved' })];
  await minute(2);
  expect(told).toEqual([['https://example.com/moved', 'FIRING']]);
});

test('a rule that is changed begins anew', async () => {
  rules = [rule('a')];
  await minute(0);
  await minute(1);
  rules = [rule('a', { metric: 'slowQueries', forMinutes: 2 })];
  await minute(2);
  await minute(3);
  expect(told.map(([, state]) => state)).toEqual(['FIRING', 'OK']);
  await minute(4);
  expect(told.map(([, state]) => state)).toEqual(['FIRING', 'OK', 'FIRING']);
});

test('of one company few are told at a time, and who takes nothing is behind those that were never tried', async () => {
  takes = ({ companyId }) => companyId === 'victim';
  rules = Array.from({ length: 20 }, (_, n) => rule(`a${n}`));
  await minute(0);
  await minute(1);
  expect(told).toHaveLength(4);
  rules = [...rules, rule('z', { companyId: 'victim', forMinutes: 1 })];
  await minute(2);
  told = [];
  await minute(3);
  expect(told.map(([url]) => url)).toContain('https://example.com/z');
  expect(told).toHaveLength(5);
});
