import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeCommand, RedisError, type Reply, ReplyParser } from './resp.ts';

interface Pending {
  left: number;
  replies: Reply[];
  resolve(replies: Reply[]): void;
  reject(error: Error): void;
}

/**
 * One pipelined connection to a Redis server for all callers, reopened when it breaks. Commands that block or change
 * the connection's state must not be sent through it.
 */
export class RedisClient {
  readonly #url: URL;
  readonly #waiting: Pending[] = [];
  #socket: Socket | undefined;
  #outbox = '';

  /** `url`: `redis://[user:password@]host:port[/database]`, or `rediss://` for TLS. */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Sends commands back to back, nothing of other callers between them. Rejects when the connection is lost. */
  send(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    if (commands.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#socket ??= this.#open();
      this.#waiting.push({ left: commands.length, replies: [], resolve, reject });
      for (const command of commands) this.#write(encodeCommand(command));
    });
  }

  stop(): void {
    this.#socket?.destroy();
  }

  // Everything written in one turn of the event loop leaves in one packet.
  #write(text: string): void {
    if (this.#outbox === '') setImmediate(() => this.#flush());
    this.#outbox += text;
  }

  #flush(): void {
    const text = this.#outbox;
    this.#outbox = '';
    this.#socket?.write(text);
  }

  #open(): Socket {
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    const target = { host, port: Number(this.#url.port || 6379) };
    const socket = this.#url.protocol === 'rediss:' ? connectTls({ ...target, servername: host }) : connectTcp(target);
    const parser = new ReplyParser();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const reply of parser.push(chunk)) this.#take(reply);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    let cause: Error | undefined;
    socket.once('error', (error) => {
      cause = error;
    });
    socket.once('close', () => this.#fail(cause ?? new Error('the connection to Redis was closed')));
    this.#greet();
    return socket;
  }

  #greet(): void {
    const { username, password, pathname } = this.#url;
    const commands: string[][] = [];
    const words = [username, password].map(decodeURIComponent).filter((word) => word !== '');
    if (password !== '') commands.push(['AUTH', ...words]);
    if (pathname.length > 1) commands.push(['SELECT', pathname.slice(1)]);
    if (commands.length === 0) return;
    // A refusal shows up as the error of the commands that follow, so this result is not needed.
    const ignore = (): void => undefined;
    this.#waiting.push({ left: commands.length, replies: [], resolve: ignore, reject: ignore });
    for (const command of commands) this.#write(encodeCommand(command));
  }

  #take(reply: Reply): void {
    const pending = this.#waiting[0];
    if (pending === undefined) throw new RangeError('Redis answered a question nobody asked');
    pending.replies.push(reply);
    pending.left -= 1;
    if (pending.left > 0) return;
    this.#waiting.shift();
    pending.resolve(pending.replies);
  }

  #fail(error: Error): void {
    this.#socket = undefined;
    this.#outbox = '';
    for (const pending of this.#waiting.splice(0)) pending.reject(error);
  }
}

/** Rejects when no Redis answers at `url`, or when it refuses the login. */
export async function pingRedis(url: string): Promise<void> {
  const client = new RedisClient(url);
  try {
    const [reply] = await client.send([['PING']]);
    if (isRedisError(reply)) throw new Error(reply.message);
  } finally {
    client.stop();
  }
}

/** Whether a reply is an error of Redis. */
export function isRedisError(reply: Reply | undefined): reply is RedisError {
  return reply instanceof RedisError;
}
