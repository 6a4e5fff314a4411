import type { Host, Socket, Wake } from '../../src/host.ts';

/** What a test decides: the clock, chance, the network. Nothing happens but what it asks for. */
export class FakeHost implements Host {
  time = 1_000_000;
  /** Of every draw. */
  chance = 0.5;
  isOut = false;
  readonly sockets: FakeSocket[] = [];
  readonly asked: Request[] = [];
  answer: (request: Request) => Response | Promise<Response> = () => new Response(null, { status: 404 });
  readonly #timers = new Map<number, { at: number; run: () => void }>();
  readonly #wakes = new Set<(wake: Wake) => void>();
  #names = 0;
  #lock: Promise<unknown> = Promise.resolve();

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    this.asked.push(request);
    return this.answer(request);
  };

  socket = (url: string, protocols: string[]): Socket => {
    const socket = new FakeSocket(url, protocols);
    this.sockets.push(socket);
    return socket;
  };

  now = (): number => this.time;
  random = (): number => this.chance;
  unique = (): string => `unique-${++this.#names}`;

  after = (ms: number, run: () => void): (() => void) => {
    const id = ++this.#names;
    this.#timers.set(id, { at: this.time + ms, run });
    return () => this.#timers.delete(id);
  };

  locked = <T>(_name: string, run: () => Promise<T>): Promise<T> => {
    const mine = this.#lock.then(run);
    this.#lock = mine.catch(() => undefined);
    return mine;
  };

  isOffline = (): boolean => this.isOut;

  onWake = (heard: (wake: Wake) => void): (() => void) => {
    this.#wakes.add(heard);
    return () => this.#wakes.delete(heard);
  };

  wake(wake: Wake): void {
    this.isOut = wake === 'offline' || (wake !== 'online' && this.isOut);
    for (const heard of this.#wakes) heard(wake);
  }

  /** Lets so much time pass, and everything that was to happen in it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [id, { at, run }] = due;
      this.#timers.delete(id);
      this.time = Math.max(this.time, at);
      run();
    }
    this.time = end;
    await settled();
  }

  /** When timers are due, ms from now. */
  get due(): number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.time).sort((a, b) => a - b);
  }
}

/** Everything that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  await new Promise<void>((done) => setImmediate(done));
}

/** The server's end is the test's. */
export class FakeSocket implements Socket {
  readonly url: string;
  readonly protocols: string[];
  readonly said: string[] = [];
  closed: number | null = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text: string): void {
    this.said.push(text);
  }

  close(code = 1000): void {
    this.closed = code;
  }

  tell(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  drop(code: number): void {
    this.onclose?.({ code });
  }

  /** What was said but pings. */
  get frames(): Record<string, unknown>[] {
    return this.said.map((text) => JSON.parse(text) as Record<string, unknown>).filter(({ type }) => type !== 'ping');
  }
}

export const json = (
  body: unknown,
  { status = 200, ...headers }: { status?: number; [header: string]: unknown } = {},
) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...(headers as Record<string, string>) },
  });

export const refusal = (status: number, code: string, more: Record<string, unknown> = {}, headers: object = {}) =>
  new Response(JSON.stringify({ status, code, title: code, detail: code, ...more }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });

/** As /auth answers. */
export const signedIn = (n: number, expiresIn = 600) => ({
  company: { id: 'comp_1' },
  user: { id: 'usr_1', role: 'OWNER' },
  accessToken: `access-${n}`,
  refreshToken: `refresh-${n}`,
  tokenType: 'Bearer',
  expiresIn,
});
