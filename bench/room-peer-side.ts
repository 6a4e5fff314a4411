import { WebSocket } from 'ws';
import type { Client } from './client.ts';
import type { Faults, Follower, Heard, RoomTarget } from './room-load.ts';
import type { Side } from './room-side.ts';

/** A change as the peer tells it: a client, or what a client was made to say. */
type Told = { data: { notes: string; updatedAt: string } };

/** Changes in a second that the peer stores; beyond, its sockets are given them without a database, in its favour. */
const MOST_STORED = 200;

/** Socket.IO over a bare WebSocket, as far as it is needed: Engine.IO 4, Socket.IO 5. */
class PeerSocket implements Follower {
  frames = 0;
  readonly #faults: Faults = { lost: 0, duplicated: 0, reordered: 0, broken: 0 };
  readonly #socket: WebSocket;
  readonly #from: number;
  readonly #heard: Heard;
  readonly #seen = new Set<number>();

  private constructor(socket: WebSocket, from: number, heard: Heard) {
    this.#socket = socket;
    this.#from = from;
    this.#heard = heard;
  }

  static async open(url: string, { key, company }: RoomTarget, from: number, heard: Heard): Promise<PeerSocket> {
    const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
    const opened = new PeerSocket(socket, from, heard);
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (code) => {
        opened.#faults.broken += 1;
        reject(new Error(`closed with ${code}`));
      });
      socket.on('message', (data) => {
        const text = String(data);
        if (text === '2') socket.send('3');
        else if (text.startsWith('42')) opened.#hear(text);
        else if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token: key })}`);
        else if (text.startsWith('40')) socket.send(`420${JSON.stringify(['subscribe', { companyId: company }])}`);
        else if (text === '430[{"ok":true}]') resolve();
        else reject(new Error(`refused: ${text}`));
      });
    });
    return opened;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  isAt(change: number): boolean {
    return this.#seen.size >= change - this.#from;
  }

  settle(change: number): Faults {
    return { ...this.#faults, lost: Math.max(0, change - this.#from - this.#seen.size) };
  }

  say(data: Told['data']): void {
    this.#socket.send(`42${JSON.stringify(['message', data])}`);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.terminate();
  }

  #hear(text: string): void {
    const here = performance.now();
    const [, { messages }] = JSON.parse(text.slice(2)) as [string, { messages: Told[] }];
    this.frames += 1;
    // Its order is that of the answers, and means nothing here.
    for (const { data } of messages) {
      const change = Number(data.notes.slice('change '.length));
      if (this.#seen.has(change)) this.#faults.duplicated += 1;
      this.#seen.add(change);
      this.#heard(change, Date.parse(data.updatedAt), here);
    }
  }
}

/** The system beside ours: each change is a write of its own, and tells when it was sent to the database. */
export function peerAt(url: string, client: Client, changesPerSecond: () => number): Side {
  const speakers = new WeakMap<RoomTarget, PeerSocket>();
  /** It does not number its changes, so they are given numbers as they are due. */
  const numbers = new WeakMap<RoomTarget, number>();
  const socketUrl = url.replace('http', 'ws');
  async function store({ key, clients }: RoomTarget, change: number): Promise<void> {
    const { status, text } = await client.ask({
      ...{ method: 'PATCH', path: `/api/v1/clients/${clients[change % clients.length]}` },
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
      body: JSON.stringify({ notes: `change ${change}` }),
    });
    if (status >= 300) throw new Error(`a write of the peer answered ${status}: ${text}`);
  }
  return {
    async follow(room, heard) {
      const socket = await PeerSocket.open(socketUrl, room, numbers.get(room) ?? 0, heard);
      if (speakers.get(room)?.isOpen !== true) speakers.set(room, socket);
      return socket;
    },
    async write({ room, count }) {
      const before = numbers.get(room) ?? 0;
      const changes = Array.from({ length: count }, (_, at) => before + 1 + at);
      numbers.set(room, before + count);
      const updatedAt = new Date().toISOString();
      if (changesPerSecond() <= MOST_STORED) await Promise.all(changes.map((change) => store(room, change)));
      else for (const change of changes) speakers.get(room)?.say({ ...SAID, notes: `change ${change}`, updatedAt });
      return { last: before + count, redisMs: Number.NaN };
    },
  };
}

/** As long as a client of the peer. */
const SAID = {
  ...{ id: '01900000-0006-7001-8000-000000000007', firstName: 'Vorname 7', lastName: 'Nachname 7' },
  ...{ email: 'client-7@example.com', phone: null, status: 'ACTIVE', isActive: true },
  createdAt: '2026-03-01T09:00:00.000Z',
};
