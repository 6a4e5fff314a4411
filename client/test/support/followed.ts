import { expect } from 'vitest';
import { type ListStorage, openLive } from '../../src/live.ts';
import { json, settled } from './fake-host.ts';
import { type FakeRoom, room } from './fake-room.ts';

export const PATH = '/clients?sort=firstName';
export type Thing = { id: string; firstName: string | null };
export const thing = (id: string, firstName: string | null = id): Thing => ({ id, firstName });

export function openIn(fake: FakeRoom, storage?: ListStorage) {
  const live = openLive(fake.client, storage && { storage });
  const list = live.list(PATH);
  const names = () => (list.getSnapshot().data as unknown as Thing[]).map(({ id }) => id);
  return { live, list, names };
}

/** A list that is live at revision 10, with these rows. */
export async function start(rows: Thing[] = [thing('a'), thing('c')], storage?: ListStorage) {
  const fake = await room();
  fake.pages = () => json({ data: rows }, { Revision: '10' });
  const parts = openIn(fake, storage);
  await expect.poll(() => fake.host.sockets.length, { interval: 1 }).toBe(1);
  await fake.live(10);
  await settled();
  const tell = (revision: number, change: object): void =>
    fake.batch(revision - 1, revision, [], { lists: [{ id: 'l1', revision, ...change }] });
  return { fake, tell, ...parts };
}
export const news = (enter: Thing[], update: Thing[] = [], leave: string[] = []) => ({ enter, update, leave });
export const gets = (fake: FakeRoom) => fake.host.asked.filter(({ url }) => url.includes('/clients'));
