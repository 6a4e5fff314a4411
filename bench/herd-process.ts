import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Client } from './client.ts';
import type { HerdOrder, HerdReport, HerdRoom } from './herd.ts';
import { obey } from './obey.ts';

/** Moments until a lost connection is tried again lie within so many ms. */
const WITHIN = 1000;
/** Connections for tickets: as many may be under way, as an edge keeps open to its Workers. */
const ASKERS = 64;
const OPEN_AT_ONCE = 50;
const PATIENCE = 240_000;

type Ticket = { url: string; ticket: string };
type Position = { epoch: string; revision: number };
type Frame = Position & { type: string; companyId: string; recovered?: boolean };

/** One screen: holds a session by the contract alone, and notes when it was back and how often it had to try. */
class Screen {
  /** Answers to `subscribe`; when the last of them came, ms of this process. */
  subscribed = 0;
  backAt = Number.NaN;
  recovered = false;
  readonly #client: Client;
  readonly #room: HerdRoom;
  #position: Position | null = null;
  #ended = false;
  #socket: WebSocket | null = null;

  constructor(client: Client, room: HerdRoom) {
    [this.#client, this.#room] = [client, room];
    void this.#connect();
  }

  close(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  async #connect(): Promise<void> {
    while (!this.#ended) {
      const given = await this.#ticket().catch(() => null);
      if (given !== null) return this.#open(given);
      await pause(Math.random() * WITHIN);
    }
  }

  async #ticket(): Promise<Ticket | null> {
    const { status, text } = await this.#client.ask({
      method: 'POST',
      path: '/api/v1/realtime/tickets',
      headers: { Authorization: `Bearer ${this.#room.token}`, 'Content-Length': '0' },
    });
    return status === 201 ? (JSON.parse(text) as Ticket) : null;
  }

  #open({ url, ticket }: Ticket): void {
    const socket = new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`], { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#ended) setTimeout(() => void this.#connect(), Math.random() * WITHIN);
    });
    socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as Frame, socket));
  }

  #hear({ type, companyId, epoch, revision, recovered }: Frame, socket: WebSocket): void {
    if (type === 'welcome') {
      const resume = this.#position === null ? {} : { resume: this.#position };
      socket.send(JSON.stringify({ type: 'subscribe', id: 1, companyId, topics: ['clients'], ...resume }));
    }
    if (type !== 'subscribed') return;
    [this.subscribed, this.backAt] = [this.subscribed + 1, performance.now()];
    this.recovered = recovered === true;
    this.#position = { epoch, revision };
  }
}

let screens: Screen[] = [];

obey(run);

async function run(order: HerdOrder): Promise<HerdReport> {
  if (order.kind === 'seat') return seat(order.url, order.rooms, order.sockets);
  const { since } = order;
  const before = process.cpuUsage();
  await all(screens, 2);
  const { user, system } = process.cpuUsage(before);
  return {
    backMs: screens.map(({ backAt }) => performance.timeOrigin + backAt - since),
    anew: screens.filter(({ recovered }) => !recovered).length,
    cpuMs: (user + system) / 1000,
  };
}

async function seat(url: string, rooms: readonly HerdRoom[], sockets: number): Promise<HerdReport> {
  for (const screen of screens) screen.close();
  screens = [];
  const client = new Client(url, ASKERS);
  for (const room of rooms)
    for (let left = sockets; left > 0; left -= OPEN_AT_ONCE) {
      const some = Array.from({ length: Math.min(left, OPEN_AT_ONCE) }, () => new Screen(client, room));
      screens.push(...some);
      await all(some, 1);
    }
  return { backMs: [], anew: 0, cpuMs: 0 };
}

async function all(some: readonly Screen[], times: number): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (some.some(({ subscribed }) => subscribed < times)) {
    if (performance.now() > end) throw new Error('not all came back');
    await pause(20);
  }
}
