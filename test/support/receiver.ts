import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Webhook } from 'standardwebhooks';
import type { Json } from './api.ts';
import { until } from './until.ts';

/** What a receiver of webhooks was sent, and when. */
export type Received = { path: string; headers: Record<string, string>; body: string; at: number };
export type Event = Json & { revision: number; type: string; id: string; companyId: string; data: Json };

/** How it answers the `n`th request, from 0; whoever answers nothing lets it hang. */
export type Answering = (response: ServerResponse, n: number, got: Received) => void;

const status =
  (code: number, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(code, headers).end('thank you');

/** Says that all is well, and then never comes to an end. */
const endless: Answering = (response) => {
  response.writeHead(200);
  const more = setInterval(() => response.write('and so on'), 20);
  response.once('close', () => clearInterval(more));
};
/** Small on its way, 8 MiB to whoever unpacks it. */
const packed = gzipSync(Buffer.alloc(8 << 20));
const bomb: Answering = (response) => void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(packed);
/** Announces more than comes. */
const cut: Answering = (response) => {
  response.writeHead(200, { 'Content-Length': '100' });
  response.write('half of', () => response.destroy());
};
const broken: Answering = (response) => void response.destroy();

export const answers = {
  ...{ ok: status(204), failing: status(500), gone: status(410), status, hanging: () => undefined },
  ...{ endless, bomb, cut, broken },
};

/** A server of HTTP that is nobody's: what it is sent it keeps, and its events are verified by the library of the standard. */
export class Receiver {
  readonly all: Received[] = [];
  answer: Answering = answers.ok;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const got = { path: String(request.url), headers, body, at: Date.now() };
    this.all.push(got);
    this.answer(response, this.all.length - 1, got);
  }

  /** Answers requests to this path one after the other so, then as ever. */
  answering(path: string, ...ones: Answering[]): void {
    let n = 0;
    this.answer = (response, at, got) => {
      const own = got.path === path ? (ones[n++] ?? answers.ok) : answers.ok;
      own(response, at, got);
    };
  }

  /** Those sent to this path. */
  of(path: string): Received[] {
    return this.all.filter((got) => got.path === path);
  }

  /** The events sent to this path, as soon as there are so many. */
  async events(path: string, least: number, deadline?: number): Promise<Event[]> {
    await until(`${least} events at ${path}`, () => this.of(path).length >= least, deadline);
    return this.of(path).map(({ body }) => JSON.parse(body) as Event);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The event, if the library of the standard believes that the owner of this secret sent it. @throws Error */
export const verified = (secret: string, { body, headers }: Received): Event =>
  new Webhook(secret).verify(body, headers) as Event;
