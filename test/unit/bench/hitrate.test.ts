import { expect, test } from 'vitest';
import { Judge, type Read } from '../../../bench/hitrate-judge.ts';
import { type Step, trace, zipf } from '../../../bench/hitrate-trace.ts';

const first = (seed: number, count: number, writes = 0.2): Step[] => {
  const steps = trace(seed, 50, writes);
  return Array.from({ length: count }, () => steps.next().value);
};
const ids = {
  branches: ['b0', 'b1', 'b2'],
  clients: Array.from({ length: 400 }, (_, n) => `c${n}`),
  days: ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6'],
};
const told = (step: Step): string =>
  JSON.stringify('path' in step ? [step.company, step.path(ids)] : [step.company, step.write]);

test('a seed is a trace, with the shares of the contract', () => {
  expect(first(1, 500).map(told)).toEqual(first(1, 500).map(told));
  expect(first(1, 500).map(told)).not.toEqual(first(2, 500).map(told));
  const steps = first(3, 20_000);
  const share = (of: (step: Step) => boolean): number => Math.round((100 * steps.filter(of).length) / steps.length);
  const reads = steps.filter(({ kind }) => kind !== 'write').length;
  const ofReads = (name: string): number =>
    Math.round((100 * steps.filter(({ kind }) => kind === name).length) / reads);
  expect(share(({ kind }) => kind === 'write')).toBe(20);
  expect(['board', 'list', 'search', 'detail', 'catalogue', 'analytics'].map(ofReads)).toEqual([58, 10, 6, 10, 11, 5]);
  const writes = steps.flatMap((step) => (step.kind === 'write' ? [step.write.what] : []));
  const ofWrites = (what: string): number =>
    Math.round((10 * writes.filter((each) => each === what).length) / writes.length);
  expect(['appointment', 'client', 'payment'].map(ofWrites)).toEqual([6, 2, 2]);
  const manners = steps.flatMap((step) => ('manner' in step ? [step.manner] : []));
  const ofManners = (name: string): number =>
    Math.round((100 * manners.filter((each) => each === name).length) / manners.length);
  expect(['plain', 'own', 'held', 'foreign'].map(ofManners)).toEqual([68, 10, 20, 2]);
  // Zipf: of fifty, the first is drawn by 1 / (1 + 1/2 + … + 1/50).
  expect(share(({ company }) => company === 0)).toBe(22);
  expect(steps.map(told).join()).not.toMatch(/undefined/);
  expect([zipf(3)(0), zipf(3)(0.9999999)]).toEqual([0, 2]);
});

test('fresh, stale and wrong are told apart, and the oracle knows what changed', () => {
  const judge = new Judge();
  const read = (text: string, truth: string, more: Partial<Read> = {}): string =>
    judge.read({ kind: 'list', key: '0 /x', isHit: true, text, truth, writtenAt: 1000, at: 1100, ...more });
  expect(read('a', 'a', { isHit: false })).toBe('fresh');
  expect(read('a', 'a')).toBe('fresh');
  expect(read('a', 'b')).toBe('stale');
  expect(read('a', 'b', { at: 3000 })).toBe('stale');
  expect(read('a', 'b', { at: 3001 })).toBe('late');
  // Who sends the revision of the write gets nothing of before it.
  expect(read('a', 'b', { isExact: true })).toBe('late');
  expect(read('b', 'b', { isExact: true })).toBe('fresh');
  expect(read('c', 'b')).toBe('wrong');
  // Of another question, or company, it never was the truth.
  expect(read('a', 'b', { key: '1 /x' })).toBe('wrong');
  expect(read('a', 'b', { kind: 'analytics', at: 61_000 })).toBe('stale');
  expect(read('a', 'b', { kind: 'analytics', at: 61_001 })).toBe('late');
  const counts = judge.take();
  expect(counts.get('list')).toEqual({ reads: 9, hits: 8, oracle: 6, stale: 2, late: 2, wrong: 2 });
  expect(counts.get('analytics')).toEqual({ reads: 2, hits: 2, oracle: 2, stale: 1, late: 1, wrong: 0 });
});

test('what is learnt between reads is known, and what was counted is counted once', () => {
  const judge = new Judge();
  const key = '0 /x';
  expect(judge.knows(key)).toBe(false);
  for (const [at, truth] of ['a', 'b', 'c'].entries()) judge.learn({ key, truth, writtenAt: at });
  expect(judge.knows(key)).toBe(true);
  const read: Read = { kind: 'analytics', key, isHit: true, text: 'b', truth: 'c', writtenAt: 2, at: 3 };
  expect(judge.read(read)).toBe('stale');
  expect(judge.take().size).toBe(1);
  expect(judge.take().size).toBe(0);
  // What comes back is true again.
  expect(judge.read({ ...read, truth: 'b' })).toBe('fresh');
});
