import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** The connection broke or no answer came: what the Worker did is unknown, unless `sent` is false. */
export class Broken extends Error {
  readonly sent: boolean;
  /** No answer within the deadline: not a crash but a hang, which is a fault of its own. */
  readonly hung: boolean;

  constructor(cause: Error, sent: boolean, hung: boolean) {
    super(cause.message, { cause });
    this.sent = sent;
    this.hung = hung;
  }
}

export type Reply = {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The `Revision` header; -1 without one. */
  revision: number;
  /** When the request was sent and when its answer was complete; ms, one clock for the whole storm. */
  startedAt: number;
  endedAt: number;
};

/** `body` is sent as JSON, `text` as it is. */
export type Ask = {
  method?: string;
  path: string;
  token?: string;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
};

const DEADLINE = 20_000;

/** A lean HTTP client on kept-alive connections to one port of 127.0.0.1: fetch would cost more than the Worker. */
export class Caller {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 400 });

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws Broken */
  ask({ method = 'GET', path, token, body, text = JSON.stringify(body), headers = {} }: Ask): Promise<Reply> {
    const all: Record<string, string> = { ...headers };
    if (token !== undefined) all.Authorization = `Bearer ${token}`;
    if (text !== undefined) {
      all['Content-Type'] ??= 'application/json';
      all['Content-Length'] = String(Buffer.byteLength(text));
    }
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      let hung = false;
      const fail = (error: NodeJS.ErrnoException): void =>
        reject(new Broken(error, error.code !== 'ECONNREFUSED', hung));
      const options = { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path: `/api/v1${path}` };
      const sent = request({ ...options, headers: all }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', fail);
        answer.once('aborted', () => fail(new Error('the answer broke off')));
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString('utf8'),
            revision: Number(answer.headers.revision ?? -1),
            startedAt,
            endedAt: performance.now(),
          }),
        );
      });
      sent.setTimeout(DEADLINE, () => {
        hung = true;
        sent.destroy(new Error(`no answer within ${DEADLINE} ms`));
      });
      sent.once('error', fail);
      sent.end(text);
    });
  }

  stop(): void {
    this.#agent.destroy();
  }
}
