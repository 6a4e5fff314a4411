import type { Client } from './client.ts';
import type { Follower, Heard, RoomTarget } from './room-load.ts';
import { RoomSocket } from './room-socket.ts';

/** So many changes at once. */
export type Write = { room: RoomTarget; n: number; count: number };

/** The number of the last change, as followers hear it, and how long the writer waited for Redis, where that is told, ms. */
export type Written = { last: number; redisMs: number };

/** A system under load. */
export type Side = {
  follow(room: RoomTarget, heard: Heard): Promise<Follower>;
  /** @returns null for a write that was refused because there are too many */
  write(write: Write): Promise<Written | null>;
};

/** Ours: changes are numbered by the log, and many at once are a bulk. */
export function oursAt(url: string, client: Client): Side {
  const socketUrl = `${url.replace('http', 'ws')}/api/v1/realtime`;
  return {
    follow: ({ key }, heard) => RoomSocket.open(socketUrl, key, heard),
    /** One change of the notes, or so many new clients at once: the log has as many revisions. */
    async write({ room, n, count }) {
      // A write that changes nothing logs nothing.
      const notes = `change ${n} at ${performance.now()}`;
      const items = Array.from({ length: count }, (_, index) => ({ firstName: `New ${n} ${index}`, notes }));
      const id = room.clients[n % room.clients.length];
      const { status, headers, text } = await client.ask({
        ...(count === 1
          ? { method: 'PATCH', path: `/api/v1/clients/${id}` }
          : { method: 'POST', path: '/api/v1/clients/bulk' }),
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${room.key}` },
        body: JSON.stringify(count === 1 ? { notes } : { mode: 'atomic', items }),
      });
      if (status === 503) return null;
      if (status >= 300) throw new Error(`a write answered ${status}: ${text}`);
      const [, redisMs] = /redis;dur=(\d+)/.exec(String(headers['server-timing'])) ?? [];
      return { last: Number(headers.revision), redisMs: Number(redisMs) };
    },
  };
}
