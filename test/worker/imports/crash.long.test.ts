import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, expect, inject, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, ended, headOf, send } from '../../support/imports.ts';
import { uuidOf } from '../../support/people.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';

// An import outlives its request, its Worker, its database's pauses; not its author's right to write.

let worker: RunningWorker;

/** A Worker whose Durable Objects keep their state over a restart. */
const start = async (): Promise<Api> => {
  worker = await startWorker({ bundle: inject('bundle'), vars: world.vars, persist: dir });
  return salon.api.at(worker.url);
};
const restart = async (): Promise<Api> => {
  await worker.stop();
  return start();
};

const world = await ownWorld();
const dir = await mkdtemp(join(tmpdir(), 'clientsplus-jobs-'));
const salon = await openCompany(world);
await start();
afterEach(() => {
  world.neon.setHooks({ onRequest: null, afterCommit: null });
  world.neon.setDelay(0);
  world.neon.setFault(null);
});
afterAll(async () => {
  await worker.stop();
  await rm(dir, { recursive: true, force: true });
});

let files = 0;
const fileOf = (rows: number): string => {
  files += 1;
  return `externalId,lastName\n${Array.from({ length: rows }, (_, i) => `f${files}-${i},Name ${i}`).join('\n')}`;
};
const row = async (id: unknown) =>
  (await world.sql('select status, created, failed, error from imports where id = $1', [uuidOf('imp', String(id))]))[0];
const isChunk = ({ statements }: { statements: { query: string }[] }): boolean =>
  statements.some(({ query }) => query.includes('import_chunk'));

test('a restart in the middle: the rest goes in by itself, each row once', async () => {
  const api = salon.api.at(worker.url);
  const head = await headOf(api);
  world.neon.setDelay(150);
  const reply = await send(api, fileOf(1500));
  await until('some chunks are in', async () => Number((await row(reply.json.id))?.created) >= 500);
  await worker.stop();
  world.neon.setDelay(0);
  expect(await row(reply.json.id)).toMatchObject({ status: 'RUNNING' });
  await start();
  // Nobody asks the new Worker anything: the alarm is enough.
  await until('the job to end', async () => (await row(reply.json.id))?.status === 'COMPLETED', 120_000);
  const again = salon.api.at(worker.url);
  expect(counts(await ended(again, reply.json.id))).toMatchObject({
    total: 1500,
    created: 1500,
    unchanged: 0,
    failed: 0,
  });
  expect(await headOf(again)).toBe(head + 1500);
});

test('a death between commit and bookkeeping: the chunk is not counted twice', async () => {
  const api = salon.api.at(worker.url);
  let lost = 0;
  world.neon.setHooks({
    afterCommit(request) {
      if (isChunk(request) && lost++ < 2) throw new Error('the answer is lost');
    },
  });
  const reply = await send(api, fileOf(600));
  expect(counts(await ended(api, reply.json.id))).toMatchObject({ created: 600, unchanged: 0 });
  expect(lost).toBeGreaterThan(2);
});

test('a death between the commit of the job and its start: it starts all the same', async () => {
  const api = salon.api.at(worker.url);
  const { promise: committed, resolve } = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  world.neon.setHooks({
    afterCommit(request) {
      if (!request.statements.some(({ query }) => query.includes('insert into imports'))) return undefined;
      resolve();
      return answer.promise;
    },
  });
  send(api, fileOf(10)).catch(() => undefined);
  await committed;
  await restart();
  answer.reject(new Error('never answered'));
  await until(
    'the job to end',
    async () => {
      const [found] = await world.sql(`select status from imports where total = 10 order by created_at desc`);
      return found?.status === 'COMPLETED';
    },
    120_000,
  );
});

test('the database away for a while: the import waits and goes on', async () => {
  const api = salon.api.at(worker.url);
  world.neon.setDelay(100);
  const reply = await send(api, fileOf(1000));
  await until('some chunks are in', async () => Number((await row(reply.json.id))?.created) > 0);
  const before = world.neon.counts().requests;
  world.neon.setFault('refuse');
  await until('it has tried again and again', () => world.neon.counts().requests >= before + 3);
  world.neon.setFault(null);
  world.neon.setDelay(0);
  expect(counts(await ended(api, reply.json.id))).toMatchObject({ created: 1000, failed: 0 });
});

test('whoever asked loses the right: what is in stays, the job says why it stopped', async () => {
  for (const [sql, code] of [
    [`update users set role = 'STAFF' where id = $1`, 'forbidden'],
    ['update sessions set revoked_at = clock_timestamp() where user_id = $1', 'session_revoked'],
  ] as const) {
    const api = salon.api.at(worker.url);
    const manager = (await addUser(world, salon, 'MANAGER')).at(worker.url);
    const me = await manager.get('/auth/me');
    const userId = uuidOf('usr', String((me.json.user as { id: string }).id));
    world.neon.setDelay(100);
    const reply = await send(manager, fileOf(1000));
    await until('some chunks are in', async () => Number((await row(reply.json.id))?.created) > 0);
    await world.sql(sql, [userId], 'cp_owner');
    const job = await ended(api, reply.json.id);
    world.neon.setDelay(0);
    expect([job.status, job.error?.code]).toEqual(['FAILED', code]);
    expect(job.created).toBeGreaterThan(0);
    expect(job.created).toBeLessThan(1000);
    const prefix = `f${files}-`;
    const stored = await world.sql('select count(*)::int as n from clients where external_id like $1', [`${prefix}%`]);
    expect(stored).toEqual([{ n: job.created }]);
  }
});

test('several at once: each ends, and the last word on a client is one of theirs', async () => {
  const api = salon.api.at(worker.url);
  const names = ['A', 'B', 'C', 'D'];
  const replies = await Promise.all(
    names.map((name) =>
      send(api, `externalId,lastName\n${Array.from({ length: 300 }, (_, i) => `same${i},${name}`).join('\n')}`),
    ),
  );
  const jobs = [];
  for (const reply of replies) jobs.push(await ended(api, reply.json.id));
  expect(jobs.map(({ created }) => created).sort()).toEqual([0, 0, 0, 300]);
  expect(jobs.map(({ failed, total, updated, created }) => [failed, total, updated + created])).toEqual(
    Array(4).fill([0, 300, 300]),
  );
});

test('nothing of a file is kept once its job has ended or its upload was refused', async () => {
  const api = salon.api.at(worker.url);
  const refused = Buffer.concat([
    Buffer.from(`externalId,notes\n${`x,${'y'.repeat(500)}\n`.repeat(5000)}`),
    Buffer.from([0xc3, 0xbc, 0xff]),
  ]);
  expect((await send(api, refused)).status).toBe(400);
  await ended(api, (await send(api, fileOf(300))).json.id);
  const folder = join(dir, 'do/clients-plus-Jobs');
  const tables = ['jobs', 'packets', 'seen'];
  const kept = async (): Promise<Record<string, unknown>> => {
    const stores = (await readdir(folder)).filter((name) => name.endsWith('.sqlite') && name !== 'metadata.sqlite');
    expect(stores.length).toBe(1);
    const store = new DatabaseSync(join(folder, stores[0] ?? ''));
    const counted = tables.map((table) => [table, store.prepare(`select count(*) as n from ${table}`).get()?.n]);
    store.close();
    return Object.fromEntries(counted) as Record<string, unknown>;
  };
  // The object forgets a moment after the job is seen to have ended, and nobody else may look while workerd has its file.
  await until('it has forgotten', async () => {
    await pause(500);
    await worker.stop();
    const left = await kept();
    await start();
    return Object.values(left).every((n) => n === 0);
  });
});
