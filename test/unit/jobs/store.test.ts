import { expect, test } from 'vitest';
import { isHopeless } from '../../../src/jobs/alarms.ts';
import { JobStore } from '../../../src/jobs/store.ts';
import { memory } from '../../support/sqlite.ts';

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
