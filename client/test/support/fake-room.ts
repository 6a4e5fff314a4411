import { ApiClient } from '../../src/index.ts';
import { FakeHost, type FakeSocket, json, settled, signedIn } from './fake-host.ts';

export const EPOCH = 'epoch-1';
export const change = (revision: number, topic = 'clients') => ({ revision, id: `evt_${revision}`, topic });

/** An API that gives tickets and pages, and its sockets, of which the test is the other end. */
export class FakeRoom {
  readonly host = new FakeHost();
  readonly client = new ApiClient({ url: 'http://api.test', host: this.host });
  tickets: () => Response = () =>
    json({ url: 'ws://api.test/room', ticket: `t${this.host.sockets.length}` }, { status: 201 });
  pages: (request: Request) => Response | Promise<Response> = () => json({ data: [] }, { Revision: '0' });
  #pairs = 0;

  async signIn(): Promise<void> {
    this.host.answer = (request) => {
      if (request.url.includes('/auth/')) return json(signedIn(++this.#pairs));
      return request.url.endsWith('/realtime/tickets') ? this.tickets() : this.pages(request);
    };
    await this.client.signIn({ email: 'a@example.com', password: 'x' });
    this.host.asked.length = 0;
  }

  get socket(): FakeSocket {
    const last = this.host.sockets.at(-1);
    if (last === undefined) throw new Error('no socket was opened');
    return last;
  }

  /** What was asked of the present socket last. */
  get subscribed(): Record<string, unknown> {
    return this.socket.frames.filter(({ type }) => type === 'subscribe').at(-1) ?? {};
  }

  /** The session's name of the `n`th ticket. */
  async sessions(): Promise<unknown[]> {
    const bodies = this.host.asked
      .filter(({ url }) => url.endsWith('/tickets'))
      .map((request) => request.clone().json()) as Promise<{ session?: string }>[];
    return (await Promise.all(bodies)).map(({ session = null }) => session);
  }

  async greet(): Promise<void> {
    await settled();
    const limits = { messagesPerMinute: 50, messageBytes: 8192, queries: 20 };
    const session = `rts_${this.host.sockets.length}`;
    this.socket.tell({ type: 'welcome', session, companyId: 'comp_1', pingIntervalMs: 30_000, limits });
  }

  accept(revision: number, { recovered = false, epoch = EPOCH } = {}): void {
    this.socket.tell({ type: 'subscribed', id: this.subscribed.id, topics: ['clients'], epoch, revision, recovered });
  }

  /** Greeted, and live from this revision on. */
  async live(revision: number): Promise<void> {
    await this.greet();
    this.accept(revision);
    await settled();
  }

  batch(prev: number, revision: number, messages: unknown[] = [], more: object = {}): void {
    this.socket.tell({ type: 'batch_update', prev, revision, messages, timestamp: 0, ...more });
  }
}

export async function room(): Promise<FakeRoom> {
  const made = new FakeRoom();
  await made.signIn();
  return made;
}
