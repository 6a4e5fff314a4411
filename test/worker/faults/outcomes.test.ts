import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import type { NeonRequest } from '../../../local/neon.ts';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { counts, ended, send } from '../../support/imports.ts';
import { shareOf } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { make } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { isWrite, terminated } from '../../support/terminated.ts';
import { until } from '../../support/until.ts';

// Nobody is told that nothing was changed unless that is known; and what was stored all the same is not lost sight of.

const world = await ownWorld();
const salon = await openCompany(world);
const there = salon.api.at((await world.another()).url);
afterEach(() => {
  world.neon.setHooks({ onRequest: null, afterCommit: null });
  world.neon.setFault(null);
});

const once = (matches: (request: NeonRequest) => boolean, fault: () => Promise<never>) => {
  let struck = false;
  return (request: NeonRequest) => {
    if (struck || !matches(request)) return undefined;
    struck = true;
    return fault();
  };
};

const ends: [string, () => Promise<never>][] = [
  ['Postgres says that it ends', () => Promise.reject(terminated())],
  ['the connection is cut', () => Promise.reject(new Error('Connection terminated unexpectedly'))],
];
describe.each(shareOf(ends, 0, 2))('%s', (_, fault) => {
  const endAfterCommit = (): void => world.neon.setHooks({ afterCommit: once(isWrite, fault) });

  test('after the commit: the answer does not deny it, the key replays it, and all others see it in time', async () => {
    const name = `Ann ${unique()}`;
    const body = { firstName: name, notes: name };
    const list = `/clients?fields=firstName&limit=${(unique() % 50) + 40}`;
    await there.get(list);
    const headers = { 'Idempotency-Key': randomUUID() };
    endAfterCommit();
    const since = Date.now();
    const open = await salon.api.post('/clients', body, { headers });
    expectProblem(open, 'database_unavailable', ['outcome']);
    expect(open.json).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringMatching(/not known.*Idempotency-Key/),
    });
    expect(open.text).not.toContain('Nothing was changed');
    await until('the other isolate sees it', async () => (await there.get(list)).text.includes(name), 11_000);
    expect(Date.now() - since).toBeLessThan(10_000);
    const again = await salon.api.post('/clients', body, { headers });
    expect([again.status, again.headers.get('idempotency-replayed'), again.json.firstName]).toEqual([
      201,
      'true',
      name,
    ]);
  });

  test('before it: the answer is the same, and the key does it then', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    world.neon.setHooks({ onRequest: once(isWrite, fault) });
    const open = await salon.api.post('/clients', { firstName: 'Bo' }, { headers });
    expect([open.status, open.json.outcome]).toEqual([503, 'unknown']);
    const again = await salon.api.post('/clients', { firstName: 'Bo' }, { headers });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });

  test('under an import: its rows stay, and the job goes on by itself', async () => {
    world.neon.setHooks({
      afterCommit: once(({ statements }) => statements.some(({ query }) => query.includes('into imports')), fault),
    });
    const headers = { 'Idempotency-Key': randomUUID() };
    const file = `externalId,lastName\n${Array.from({ length: 3 }, () => `o${unique()},Name`).join('\n')}`;
    const open = await send(salon.api, file, { headers });
    expect([open.status, open.json.outcome]).toEqual([503, 'unknown']);
    const again = await send(salon.api, file, { headers });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(counts(await ended(salon.api, again.json.id))).toMatchObject({ status: 'COMPLETED', created: 3 });
  });
});

test('a write without a key is told to look first; a read under which a backend ends is repeated', async () => {
  const path = `/clients/${await make(salon.api, 'clients')}`;
  world.neon.setHooks({ afterCommit: once(isWrite, () => Promise.reject(terminated())) });
  const open = await salon.api.patch(path, { notes: 'x' });
  expect(open.json).toMatchObject({ outcome: 'unknown', detail: expect.stringMatching(/Look before you repeat/) });
  world.neon.setHooks({
    onRequest: once(
      ({ readOnly }) => readOnly,
      () => Promise.reject(terminated()),
    ),
  });
  const read = await salon.api.get(path, { headers: { 'Cache-Control': 'no-cache' } });
  expect([read.status, read.json.notes]).toEqual([200, 'x']);
});

test('what certainly was not begun says so: a head that stays locked, a breaker that is open', async () => {
  const denied = (reply: Reply, code: 'busy' | 'database_unavailable') => {
    expectProblem(reply, code);
    expect(reply.json).toMatchObject({ detail: expect.stringContaining('Nothing was changed') });
    expect(reply.json).not.toHaveProperty('outcome');
  };
  const locked = Object.assign(new pg.DatabaseError('canceling statement due to lock timeout', 0, 'error'), {
    code: '55P03',
    severity: 'ERROR',
  });
  world.neon.setHooks({ onRequest: once(isWrite, () => Promise.reject(locked)) });
  denied(await salon.api.post('/clients', { firstName: 'Cy' }), 'busy');
  world.neon.setFault('refuse');
  for (let failure = 1; failure <= 5; failure += 1) await salon.api.post('/clients', { firstName: 'Cy' });
  denied(await salon.api.post('/clients', { firstName: 'Cy' }), 'database_unavailable');
  world.neon.setFault(null);
  await until('the breaker lets writes pass', async () => (await salon.api.patch('/company', {})).status === 200);
});

test('a replay of what changed nothing answers as it did, also when the log was trimmed', async () => {
  const { api, companyId } = await openCompany(world);
  const path = `/clients/${await make(api, 'clients')}`;
  await api.patch(path, { notes: 'kept' });
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await api.post(`${path}/restore`, undefined, { headers });
  expect(first.status, first.text).toBe(200);
  await world.sql('delete from changes where company_id = $1', [uuidOf('comp', companyId)]);
  const again = await api.post(`${path}/restore`, undefined, { headers });
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  expect([again.text, again.revision]).toEqual([first.text, first.revision]);
});

test('events from the very first revision on: 410 once they are trimmed; without a position what is kept', async () => {
  const { api, companyId } = await openCompany(world);
  for (const name of ['1', '2']) await api.patch('/company', { name });
  const whole = await api.get('/events?after=0');
  expect([whole.status, (whole.json.data as { revision: number }[])[0]?.revision]).toEqual([200, 1]);
  const head = Number(whole.json.head);
  await world.sql('delete from changes where company_id = $1 and revision <= 2', [uuidOf('comp', companyId)]);
  for (const path of ['/events?after=0', '/events?after=1', '/audit?after=0']) {
    const gone = await api.get(path);
    expectProblem(gone, 'window_exceeded', ['oldest', 'head']);
    expect(gone.json).toMatchObject({ oldest: 3, head });
  }
  for (const path of ['/events', '/events?after=2', '/audit']) {
    const kept = await api.get(path);
    expect([kept.status, (kept.json.data as { revision: number }[]).map(({ revision }) => revision)]).toEqual([
      200,
      Array.from({ length: head - 2 }, (_, i) => i + 3),
    ]);
  }
  await world.sql('delete from changes where company_id = $1', [uuidOf('comp', companyId)]);
  expectProblem(await api.get('/events?after=0'), 'window_exceeded', ['oldest', 'head']);
  expect((await api.get(`/events?after=${head}`)).json.data).toEqual([]);
});

test('a job whose rows are lost ends as failed, and says so; one that is being worked off does not', async () => {
  const company = uuidOf('comp', salon.companyId);
  const [lost] = await world.sql<{ id: string }>(
    `insert into imports (company_id, id, resource, dry_run, total, created_by, created_at)
      values ($1, gen_random_uuid(), 'clients', false, 5, 'SYSTEM', clock_timestamp() - interval '11 minutes') returning id`,
    [company],
  );
  world.neon.setHooks({
    onRequest: ({ statements }) =>
      statements.some(({ query }) => query.includes('app.import_chunk'))
        ? Promise.reject(new Error('not yet'))
        : undefined,
  });
  const alive = await send(salon.api, `externalId,lastName\no${unique()},Name`);
  await world.sql(`update imports set created_at = clock_timestamp() - interval '11 minutes' where id = $1`, [
    uuidOf('imp', String(alive.json.id)),
  ]);
  await world.worker.sweep();
  const rows = await world.sql('select status, error, finished_at is not null as ended from imports where id = $1', [
    lost?.id,
  ]);
  expect(rows).toEqual([
    { status: 'FAILED', ended: true, error: { code: 'internal_error', detail: expect.stringContaining('lost') } },
  ]);
  world.neon.setHooks({ onRequest: null });
  expect(counts(await ended(salon.api, alive.json.id))).toMatchObject({ status: 'COMPLETED', created: 1 });
});
