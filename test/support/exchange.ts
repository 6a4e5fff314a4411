import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** What was answered, read whole. */
export type Answer = { status: number; headers: Headers; text: string };

export type Question = { method: string; headers: Record<string, string>; body?: string | Uint8Array | undefined };

/** workerd closes what has been idle for five seconds, and must not do so under the next request. */
const IDLE = 3000;
const agent = new Agent({ keepAlive: true, timeout: IDLE });
const since = new WeakMap<Socket, number>();
agent.on('free', (socket: Socket) => since.set(socket, performance.now()));

/** The agent's own timer is late where a test has kept this process busy for seconds. */
function dropIdle(): void {
  const now = performance.now();
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) if (now - (since.get(socket) ?? now) > IDLE) socket.destroy();
}

/**
 * What `fetch` does for a URL over plain HTTP, for two fifths of its processor time. Redirects are answers.
 */
export function exchange(url: string, { method, headers, body }: Question): Promise<Answer> {
  const { hostname, port, pathname, search } = new URL(url);
  dropIdle();
  return new Promise((resolve, reject) => {
    const asked = request(
      { agent, host: hostname, port, path: pathname + search, method, headers: sent(headers, body) },
      (answer) => read(answer).then(resolve, reject),
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const headers = new Headers();
  const { rawHeaders, statusCode = 0 } = answer;
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(String(rawHeaders[i]), String(rawHeaders[i + 1]));
  const whole = Buffer.concat(chunks);
  // A HEAD says how a body would be sent, and sends none.
  const plain = whole.length > 0 && headers.get('content-encoding') === 'gzip' ? gunzipSync(whole) : whole;
  return { status: statusCode, headers, text: new TextDecoder().decode(plain) };
}

const CONDITION = /^if-(?:none-match|match|modified-since|unmodified-since|range)$/i;

/** As `fetch` sends them: whoever asks under a condition of its own wants no cache between. */
function sent(own: Record<string, string>, body: Question['body']): Record<string, string | number> {
  const names = Object.keys(own);
  const has = (name: string): boolean => names.some((each) => each.toLowerCase() === name);
  return {
    Accept: '*/*',
    'Accept-Encoding': 'gzip',
    'User-Agent': 'node',
    ...(names.some((name) => CONDITION.test(name)) && !has('cache-control') && { 'Cache-Control': 'no-cache' }),
    ...(typeof body === 'string' && !has('content-type') && { 'Content-Type': 'text/plain;charset=UTF-8' }),
    ...own,
    ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
  };
}
