import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { WebSocket as WsSocket } from 'ws';
import { workerdPids } from '../../../bench/workerd.ts';
import { freePort } from '../../../local/ports.ts';
import { CLOSE } from '../../../src/core/upgrade.ts';
import { Api, signUp, type Tenant } from '../../support/api.ts';
import { newCompany } from '../../support/company.ts';
import { Follower, type SocketClass } from '../../support/follower.ts';
import { type Ticket, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';
import { openStack, type Stack } from '../../support/world.ts';

// workerd is killed under its sockets, as a crash or a deploy would end it, and started again with what its Durable Objects
// left on disk. Libraries that nobody here wrote come back to the same session.

let stack: Stack;
let worker: RunningWorker;
let folder: string;
let start: () => Promise<RunningWorker>;
let pids: readonly number[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clientsplus-restart-'));
  stack = await openStack();
  const port = await freePort();
  const vars = { ...stack.vars, ROOM_MESSAGES_PER_MINUTE: '10000' };
  start = async () => {
    const others = new Set(await workerdPids());
    const started = await startWorker({ bundle: inject('bundle'), vars, port, persist: join(folder, 'rooms') });
    pids = (await workerdPids()).filter((pid) => !others.has(pid));
    return started;
  };
  worker = await start();
});
afterAll(async () => {
  await worker?.stop();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

const kill = (): void => {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
};
const restart = async (): Promise<void> => {
  await worker.stop();
  worker = await start();
};

const headOf = async ({ companyId }: Tenant): Promise<number> => {
  const id = uuidOf('comp', companyId);
  const [head] = await stack.sql<{ revision: string }>('select revision from company_heads where company_id = $1', [
    id,
  ]);
  return Number(head?.revision);
};
/** Notes of all clients by name, as Postgres has them. */
const stored = async ({ companyId }: Tenant): Promise<[string, string][]> =>
  (
    await stack.sql<{ name: string; notes: string }>(
      'select first_name as name, notes from clients where company_id = $1 order by first_name',
      [uuidOf('comp', companyId)],
    )
  ).map(({ name, notes }) => [name, notes]);
const held = ({ rows }: Follower): [string, string][] =>
  [...rows.values()].map((row): [string, string] => [String(row.firstName), String(row.notes)]).sort();

const everywhere = async (followers: readonly Follower[], head: number): Promise<void> => {
  await until(`all are at ${head}`, () => followers.every(({ revision }) => revision >= head), 240_000);
};

describe.each<[string, SocketClass]>([
  ['ws', WsSocket as unknown as SocketClass],
  ["Node's own WebSocket", globalThis.WebSocket as unknown as SocketClass],
])('%s', (_, socket) => {
  let salon: Tenant;
  beforeEach(async () => {
    salon = await signUp(new Api(worker.url));
  });
  const add = async (firstName: string, notes: string): Promise<string> =>
    String((await salon.api.post('/clients', { firstName, notes })).json.id);

  test('holds a session through kills, also between a commit and its announcement, and ends as Postgres', async () => {
    const followers = [new Follower(socket, salon.api), new Follower(socket, salon.api)];
    await until('they follow', () => followers.every(({ subscribed }) => subscribed === 1));
    const from = await headOf(salon);
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => add(`Client ${n}`, 'new')));
    await everywhere(followers, await headOf(salon));

    // Killed with a write that is committed and known to nobody; another comes from a console meanwhile.
    const isWrite = (query: string): boolean => query.includes('app.begin_write(');
    stack.neon.setHooks({
      afterCommit({ statements }) {
        if (statements.some(({ query }) => isWrite(query))) kill();
      },
    });
    await expect(salon.api.patch(`/clients/${ids[0]}`, { notes: 'committed' })).rejects.toThrow();
    stack.neon.setHooks({ afterCommit: null });
    const console = `update clients set notes = 'from a console' where company_id = $1 and first_name = 'Client 1'`;
    await stack.sql(console, [uuidOf('comp', salon.companyId)], 'cp_owner');
    await restart();
    await everywhere(followers, await headOf(salon));

    // And once more in the middle of many.
    const writes = ids.map((id, n) => salon.api.patch(`/clients/${id}`, { notes: `later ${n}` }).catch(() => null));
    await Promise.race(writes);
    kill();
    await Promise.all(writes);
    await restart();
    await add('Last', 'of all');
    const head = await headOf(salon);
    await everywhere(followers, head);

    const rows = await stored(salon);
    expect(rows).toContainEqual(['Last', 'of all']);
    for (const follower of followers) {
      expect(follower.faults).toEqual([]);
      expect(held(follower)).toEqual(rows);
      // Only clients were written: so every revision once, in order.
      expect(follower.revisions).toEqual(Array.from({ length: head - from }, (_, n) => from + 1 + n));
      expect({ subscribed: follower.subscribed, recovered: follower.recovered, resets: follower.resets }).toEqual({
        ...{ subscribed: 3, recovered: 2, resets: 0 },
      });
      follower.close();
    }
  });
});

test('a ticket that opened a socket before a kill opens none after it, and one that is issued then does', async () => {
  const salon = await signUp(new Api(worker.url));
  const open = ({ url, ticket }: Ticket): WireListener =>
    new WireListener(new WsSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
  const used = await ticketOf(salon.api);
  await open(used).next('welcome');
  kill();
  await restart();
  // Known to be used, or from a moment of which that is not known.
  expect([CLOSE.unauthorized, CLOSE.credentialsExpired]).toContain(await open(used).closed());
  await until('another one opens a socket', async () => {
    const another = open(await ticketOf(salon.api));
    await until('an answer', () => another.of('welcome').length > 0 || another.socket.readyState >= WsSocket.CLOSING);
    return another.of('welcome').length > 0;
  });
});

/** Companies of the herd, with a hundred sockets each; HERD_ROOMS=50 by hand, as many as the machine carries. */
const ROOMS = Number(process.env.HERD_ROOMS ?? 5);
const SOCKETS = 100;

test(`a hundred sockets of each of ${ROOMS} companies are back after a kill, and Postgres is asked once a room`, async () => {
  const api = new Api(worker.url);
  const salons: Tenant[] = [];
  while (salons.length < ROOMS) salons.push(await newCompany({ ...stack, api }));
  const followers: Follower[] = [];
  for (const [n, salon] of salons.entries()) {
    const some = Array.from({ length: SOCKETS }, () => new Follower(WsSocket as unknown as SocketClass, salon.api));
    followers.push(...some);
    await until(`those of room ${n} follow`, () => some.every(({ subscribed }) => subscribed === 1), 240_000);
  }
  for (const salon of salons) await salon.api.post('/clients', { firstName: 'Before', notes: 'the kill' });
  const heads = await Promise.all(salons.map(headOf));
  const reach = (n: number): Follower[] => followers.slice(n * SOCKETS, (n + 1) * SOCKETS);
  for (const [n, head] of heads.entries()) await everywhere(reach(n), head);

  kill();
  await until('all are gone', async () => (await workerdPids()).every((pid) => !pids.includes(pid)));
  await worker.stop();
  /** Reads of Postgres for the herd: to find out where a room is, of what was committed before the kill, and any other. */
  const reads = { located: 0, relayed: 0, others: 0 };
  const ids = salons.map(({ companyId }) => uuidOf('comp', companyId));
  stack.neon.setHooks({
    onRequest({ statements }) {
      const text = JSON.stringify(statements);
      if (!ids.some((id) => text.includes(id))) return;
      if (!text.includes('app.changes_after')) reads.others += 1;
      else if (text.includes('min(revision)')) reads.located += 1;
      else reads.relayed += 1;
    },
  });
  worker = await start();
  const since = performance.now();
  const backAfter: number[] = [];
  const waiting = new Set(followers);
  await until(
    'all are back',
    () => {
      for (const follower of waiting) {
        if (follower.recovered === 0) continue;
        waiting.delete(follower);
        backAfter.push(performance.now() - since);
      }
      return waiting.size === 0;
    },
    240_000,
  );
  stack.neon.setHooks({ onRequest: null });
  const sorted = backAfter.toSorted((a, b) => a - b).map(Math.round);
  const at = (share: number): number | undefined => sorted[Math.floor((sorted.length - 1) * share)];
  console.log(
    `${followers.length} sockets of ${ROOMS} rooms back: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; reads of Postgres: ${JSON.stringify(reads)}`,
  );
  // No session is asked for: a token is signed, and the room asks for all of them at once when they are back. Only where Redis
  // does not say in time whether one has ended, as on a machine that is too busy, Postgres is asked for it.
  expect(reads.located).toBe(ROOMS);
  expect(reads.others).toBeLessThan(followers.length / 4);
  for (const salon of salons) await salon.api.post('/clients', { firstName: 'Zoe', notes: 'after' });
  for (const [n, salon] of salons.entries()) {
    await everywhere(reach(n), await headOf(salon));
    const rows = await stored(salon);
    for (const follower of reach(n)) {
      expect(follower.faults).toEqual([]);
      expect(held(follower)).toEqual(rows);
      follower.close();
    }
  }
});
