import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Api, Reply, Tenant } from '../support/api.ts';
import { openCompany } from '../support/company.ts';
import { send } from '../support/imports.ts';
import { expectProblem } from '../support/problem.ts';
import { openWorld, type World } from '../support/world.ts';

// What is kept of a request with an Idempotency-Key must not let a reader of the database try guesses at its content: it
// depends on a secret, so under another secret the same request is another one.

let world: World;
let salon: Tenant;
let stranger: Api;
beforeAll(async () => {
  world = await openWorld();
  salon = await openCompany(world);
  const other = await world.another({ CURSOR_SECRET: 'another secret of at least thirty-two characters' });
  stranger = salon.api.at(other.url);
});
afterAll(() => world.close());

const routes: [string, (api: Api, headers: Record<string, string>) => Promise<Reply>][] = [
  ['POST /clients', (api, headers) => api.post('/clients', { firstName: 'Ann' }, { headers })],
  [
    'POST /clients/bulk',
    (api, headers) => api.post('/clients/bulk', { mode: 'atomic', items: [{ firstName: 'Ann' }] }, { headers }),
  ],
  ['POST /imports', (api, headers) => send(api, 'externalId,firstName\na,Ann', { headers })],
];

test.each(routes)('%s keeps a fingerprint that takes the secret to make', async (_, ask) => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await ask(salon.api, headers);
  expect(first.status, first.text).toBeLessThan(300);
  const again = await ask(salon.api, headers);
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([first.status, 'true']);
  expectProblem(await ask(stranger, headers), 'idempotency_key_reused');
});
