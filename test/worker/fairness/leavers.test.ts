import { type ClientRequest, request } from 'node:http';
import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { addFatClients } from '../../support/fat.ts';
import { uuidOf } from '../../support/people.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Whoever leaves while Postgres works for them gives their place back when it is done, and not when its lease ends.

const world = await sharedWorld();
const fresh = { 'Cache-Control': 'no-cache' };
const bystander = await openCompany(world);

/** Asks on a connection of its own, and reads nothing of the answer's body. */
function unread(url: string, headers: Record<string, string>): ClientRequest {
  const ignore = (): void => undefined;
  const asked = request(url, { headers, agent: false }, (answer) => answer.on('error', ignore));
  asked.on('error', ignore).end();
  return asked;
}

test.each([
  // All places that reads of one company have; of the pages of several pieces one is put together at a time.
  ['lists', '/clients?limit=5', /row_number\(\) over way/, 6],
  ['later pieces of exports', '/clients/export', /> \$\d+::uuid/, 6],
  ['later pieces of a page', '/clients?limit=100', /with ordinality as wanted/, 1],
])('%s: the next one is served at once', async (_, path, held, most) => {
  const { api, companyId } = await openCompany(world);
  await addFatClients(world, companyId, 40);
  const [id, asked] = [uuidOf('comp', companyId), Promise.withResolvers<void>()];
  let reads = 0;
  world.neon.setHooks({
    onRequest({ statements }) {
      if (statements[0]?.params[0] !== id || !statements.some(({ query }) => held.test(query))) return undefined;
      reads += 1;
      return asked.promise;
    },
  });
  const headers = { Authorization: `Bearer ${api.token}`, 'Accept-Encoding': 'identity', ...fresh };
  const leaving = Array.from({ length: most }, () => unread(`${api.url}/api/v1${path}`, headers));
  await until('all are being read', () => reads === most);
  // Said aloud: of one who only says that nothing more comes the Worker learns when it answers.
  for (const { socket } of leaving) socket?.resetAndDestroy();
  // What their isolate does after this it does knowing that they have gone.
  for (let i = 0; i < 3; i += 1) expect((await bystander.api.get('/branches', { headers: fresh })).status).toBe(200);
  world.neon.setHooks({ onRequest: null });
  asked.resolve();
  expect((await api.get(path, { headers: fresh })).status).toBe(200);
});

test('a page of several pieces keeps its turn no longer either, where it had to wait for a place between two of them', async () => {
  const { api, companyId } = await openCompany(world);
  await addFatClients(world, companyId, 40);
  const [id, piece, lists] = [uuidOf('comp', companyId), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const reads = { pieces: 0, lists: 0 };
  world.neon.setHooks({
    onRequest({ statements }) {
      if (statements[0]?.params[0] !== id) return undefined;
      if (statements.some(({ query }) => query.includes('with ordinality as wanted'))) {
        reads.pieces += 1;
        return piece.promise;
      }
      if (reads.pieces === 0) return undefined;
      reads.lists += 1;
      return lists.promise;
    },
  });
  const path = '/clients?limit=100';
  const leaving = unread(`${api.url}/api/v1${path}`, { Authorization: `Bearer ${api.token}`, ...fresh });
  await until('its second piece is being read', () => reads.pieces === 1);
  // The other five places, and one who waits.
  const others = Array.from({ length: 6 }, () => api.get('/clients?limit=5', { headers: fresh }));
  await until('all places are taken', () => reads.lists === 5);
  leaving.socket?.resetAndDestroy();
  for (let i = 0; i < 3; i += 1) expect((await bystander.api.get('/branches', { headers: fresh })).status).toBe(200);
  piece.resolve();
  await until('whoever waited is served before its third', () => reads.lists === 6);
  world.neon.setHooks({ onRequest: null });
  lists.resolve();
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect((await api.get(path, { headers: fresh })).status).toBe(200);
});
