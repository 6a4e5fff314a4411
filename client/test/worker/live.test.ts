import { expect, test } from 'vitest';
import { sharedWorld } from '../../../test/support/shared.ts';
import { until } from '../../../test/support/until.ts';
import { memoryStorage, openLive } from '../../src/live.ts';
import { signUp } from '../support/sign-up.ts';

const { worker } = await sharedWorld();

test('lists are what GET answers, byte for byte, through writes, another visit and an optimistic write', async () => {
  const { client } = await signUp(worker.url);
  const storage = memoryStorage();
  const paths = [
    '/clients?sort=lastName&limit=4',
    '/clients?status=INACTIVE',
    '/clients?fields=id,tags',
    '/clients?search=er',
  ] as const;
  const check = async (live: ReturnType<typeof openLive>, revision: number): Promise<void> => {
    for (const path of paths) {
      const { body } = await client.send('get', path, { minRevision: revision });
      const { data } = body as { data: unknown[] };
      const text = JSON.stringify(data);
      const list = live.list(path);
      await until(
        `${path} is ${text}`,
        () => JSON.stringify(list.getSnapshot().data) === text && list.getSnapshot().status === 'live',
      );
      list.close();
    }
  };
  const live = openLive(client, { storage });
  const lists = paths.map((path) => live.list(path));
  let last = 0;
  const add = async (lastName: string): Promise<string> => {
    const { body, revision } = await client.request('post', '/clients', { body: { lastName } });
    last = revision ?? 0;
    return body.id;
  };
  const ids = [];
  for (const name of ['Huber', 'Maier', 'Adler']) ids.push(await add(name));
  await check(live, last);
  for (const name of ['Zeiler', 'Berger', 'Ähre']) ids.push(await add(name));
  const patched = await client.request('patch', '/clients/{id}', {
    path: { id: ids[1] ?? '' },
    body: { status: 'INACTIVE', tags: ['vip'], lastName: 'Aal' },
  });
  const gone = await client.request('delete', '/clients/{id}', { path: { id: ids[4] ?? '' } });
  last = Math.max(patched.revision ?? 0, gone.revision ?? 0);
  await check(live, last);

  // The next visit paints what was kept, and hears what happened since. Rows are kept soon; up to where they hold, later.
  await until('all is kept', async () => {
    const kept = await Promise.all(paths.map((path) => storage.read(keyOf(path))));
    return lists.every((list, n) => JSON.stringify(kept[n]?.rows) === JSON.stringify(list.getSnapshot().data));
  });
  function keyOf(path: string): string {
    const { companyId, userId, role } = client.session.current ?? {};
    return `${companyId}/${userId}/${role} ${path}`;
  }
  for (const list of lists) list.close();
  live.close();
  await add('Ernst');
  const again = openLive(client, { storage });
  const [first] = paths.map((path) => again.list(path));
  await until('it is painted', () => first?.getSnapshot().data.length === 4);
  await check(again, last);

  const shown: number[] = [];
  first?.subscribe(() => shown.push(first.getSnapshot().data.filter(({ id }) => id === 'draft').length));
  const made = await first?.optimistic(
    (rows) => [{ ...(rows[0] as (typeof rows)[number]), id: 'draft' }, ...rows],
    () => client.request('post', '/clients', { body: { lastName: 'Aaa' } }),
  );
  await until('the draft is the client', () => first?.getSnapshot().data[0]?.id === made?.id);
  expect([shown[0], shown.at(-1)]).toEqual([1, 0]);
  again.close();
});
