import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What a bridge does instead of its work: 'refuse' destroys the connection, 'slow' works at once but answers after
 * 5 s, 'garbage' does nothing and answers 200 with a body nobody asked for. null = no fault.
 */
export type Fault = null | 'refuse' | 'slow' | 'garbage';

/** An answer of a bridge: HTTP status, finished JSON text, extra headers. */
export interface BridgeAnswer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export interface BridgeServer {
  port: number;
  setDelay(ms: number): void;
  setFault(fault: Fault): void;
  /** Lets so many more requests through and holds the others; null lets all through, those held first. */
  setBudget(requests: number | null): void;
  stop(): Promise<void>;
}

/** `left` is aborted when the caller goes away before its answer. */
type Handler = (request: IncomingMessage, body: string, left: AbortSignal) => Promise<BridgeAnswer>;

const slowMs = 5_000;
/** Largest request, and by default largest answer, of the hosted services. */
export const MOST_BYTES = 10 * 1024 * 1024;
const garbage = [
  '<html><body><h1>502 Bad Gateway</h1></body></html>',
  '{"result":["dHJ1bmNhdG',
  '{"ok":[1,{"x":null}]}',
];

/**
 * An HTTP server on 127.0.0.1 with the shared parts of both bridges: body cap (10 MiB → 413), latency injection,
 * faults, and keep-alive that never closes under the client's feet. `onRequest` runs once per HTTP request.
 */
export async function startBridgeServer(
  options: {
    port?: number;
    delayMs?: number;
    /** What a request above the cap is answered. */
    tooLarge?: BridgeAnswer;
    onRequest?: () => void;
    /** Called with the size of each answer of the handler. */
    onAnswer?: (bytes: number) => void;
    /** Requests that a budget neither counts nor holds. */
    isApart?: (body: string) => boolean;
  },
  handle: Handler,
): Promise<BridgeServer> {
  let delayMs = options.delayMs ?? 0;
  let fault: Fault = null;
  let garbageTurn = 0;
  let budget = Number.POSITIVE_INFINITY;
  const held: (() => void)[] = [];
  const stopping = new AbortController();
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    options.onRequest?.();
    const left = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) left.abort();
    });
    if (fault === 'refuse') return void request.socket.destroy();
    const body = await readBody(request);
    if (body === undefined) {
      send(response, options.tooLarge ?? { status: 413, body: '{"message":"request is too large"}' });
      return;
    }
    const apart = options.isApart?.(body) === true;
    if (!apart) budget -= 1;
    if (!apart && budget < 0) await new Promise<void>((go) => held.push(go));
    if (delayMs > 0) await exactly(delayMs);
    if (fault === 'garbage') {
      const text = garbage[garbageTurn++ % garbage.length] ?? '';
      send(response, { status: 200, body: text });
      return;
    }
    const slow = fault === 'slow';
    const answer = await handle(request, body, left.signal);
    if (slow) await wait(slowMs);
    const bytes = send(response, answer);
    options.onAnswer?.(bytes);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // The client left while sending, or a hook of a test failed: there is nobody to tell but the socket.
      if (!request.destroyed) console.error(error);
      request.socket.destroy();
    });
  });
  // A server that closes idle connections races with the client's next request on them.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const setBudget = (requests: number | null): void => {
    budget = requests ?? Number.POSITIVE_INFINITY;
    for (const go of held.splice(0)) go();
  };
  return {
    setBudget,
    port: (server.address() as AddressInfo).port,
    setDelay(ms) {
      delayMs = ms;
    },
    setFault(next) {
      fault = next;
    },
    async stop() {
      stopping.abort();
      setBudget(null);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Waits so many ms and no more: timers overshoot by one or two, which a benchmark would take for the Worker's. */
async function exactly(ms: number): Promise<void> {
  const end = performance.now() + ms;
  if (ms > 3) await sleep(ms - 3);
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

/** @returns the bytes of its body */
function send(response: ServerResponse, answer: BridgeAnswer): number {
  const bytes = Buffer.byteLength(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes,
    ...answer.headers,
  });
  response.end(answer.body);
  return bytes;
}

/** The whole body as text, or undefined when it is larger than allowed. Rejects when the client leaves half-way. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
    });
    request.once('end', () => resolve(bytes > MOST_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client left before its request was complete')));
  });
}
