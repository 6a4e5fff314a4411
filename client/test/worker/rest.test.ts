import { expect, test } from 'vitest';
import { sharedWorld } from '../../../test/support/shared.ts';
import { ProblemError } from '../../src/index.ts';
import { signUp } from '../support/sign-up.ts';

const { worker } = await sharedWorld();

test('signs up, writes, reads what it wrote, walks, renews, and signs out', async () => {
  let ahead = 0;
  const { client, email } = await signUp(worker.url, { now: () => Date.now() + ahead });
  const { id, version } = await client.post('/clients', { body: { firstName: 'Ada' } });
  const patched = await client.patch('/clients/{id}', { path: { id }, body: { tags: ['vip'] }, ifMatch: version });
  expect(patched.tags).toEqual(['vip']);
  const stale = client.patch('/clients/{id}', { path: { id }, body: { tags: [] }, ifMatch: version });
  await expect(stale).rejects.toMatchObject({ code: 'version_mismatch', status: 412 });
  const { data } = await client.get('/clients', { query: { fields: 'id,tags' } });
  expect(data).toEqual([{ id, tags: ['vip'] }]);
  await client.post('/clients/bulk', {
    body: { mode: 'atomic', items: ['Bea', 'Cleo', 'Dora', 'Ella'].map((firstName) => ({ firstName })) },
  });
  const names = [];
  for await (const row of client.each('/clients', { query: { sort: 'firstName', limit: 2 } }))
    names.push(row.firstName);
  expect(names).toEqual(['Ada', 'Bea', 'Cleo', 'Dora', 'Ella']);

  const first = client.session.current?.accessToken;
  ahead = 595_000;
  expect((await client.me()).user.email).toBe(email);
  expect(client.session.current?.accessToken).not.toBe(first);

  const wrong = await client.post('/clients', { body: { firstName: 5 as unknown as string } }).catch((e: unknown) => e);
  expect(wrong).toBeInstanceOf(ProblemError);
  expect((wrong as ProblemError).problem?.errors?.[0]?.pointer).toBe('/firstName');
  await client.signOut();
  await expect(client.get('/clients')).rejects.toMatchObject({ code: 'unauthenticated' });
});
