import type { LoadOrder } from './load.ts';
import type { RoomTarget } from './room-load.ts';

export type KindName = 'cached' | 'uncached' | 'writes' | 'mixed';
type Asked = NonNullable<LoadOrder['requests']>[number];

/** One list of twenty clients. */
export const LIST = '/api/v1/clients?limit=20';

// Browsers say that they take gzip, and the peer keeps its bodies packed.
export const headersOf = ({ key }: RoomTarget): Record<string, string> => ({
  Authorization: `Bearer ${key}`,
  'Accept-Encoding': 'gzip',
});

const read = (room: RoomTarget, more: Record<string, string> = {}): Asked => ({
  ...{ method: 'GET', path: LIST, headers: { ...headersOf(room), ...more } },
});

const write = (room: RoomTarget, at: number): Asked => ({
  ...{ method: 'PATCH', path: `/api/v1/clients/${room.clients[at % room.clients.length]}` },
  headers: { ...headersOf(room), 'Content-Type': 'application/json' },
  body: '{"notes":"note [<id>]"}',
});

/** What a company asks for in turn, by kind: the list, the list computed anew, changes of its clients, and both as they are used. */
export const KINDS: Readonly<Record<KindName, (room: RoomTarget) => Asked[]>> = {
  cached: (room) => [read(room)],
  uncached: (room) => [read(room, { 'Cache-Control': 'no-cache' })],
  writes: (room) => [0, 5, 11, 17].map((at) => write(room, at)),
  mixed: (room) => [...Array.from({ length: 19 }, () => read(room)), write(room, 7)],
};
