import type { Client } from './client.ts';
import type { Side } from './room-side.ts';
import { RoomSocket } from './room-socket.ts';

/** The bare rooms under ours: the same frames, of changes that are numbers. */
export function bareAt(url: string, client: Client): Side {
  const socketUrl = url.replace('http', 'ws');
  return {
    follow: ({ key, company }, heard) => RoomSocket.open(`${socketUrl}/${company}`, key, heard),
    async write({ room: { company }, n, count }) {
      const body = JSON.stringify({ notes: `change ${n}`, count });
      const { status, headers, text } = await client.ask({ method: 'POST', path: `/${company}`, body });
      if (status >= 300) throw new Error(`a write of the bare Worker answered ${status}: ${text}`);
      return { last: Number(headers.revision), redisMs: Number.NaN };
    },
  };
}
