import type { IncomingMessage } from 'node:http';
import { type BridgeAnswer, type Fault, startBridgeServer } from './bridge-http.ts';
import { errorText } from './errors.ts';
import { isRedisError, RedisClient } from './redis-client.ts';
import { RedisError, type Reply } from './resp.ts';

export interface UpstashOptions {
  port?: number;
  /** Port of a Redis on 127.0.0.1; `redisUrl` wins over it. */
  redisPort?: number;
  /** `redis://[user:password@]host:port[/database]`. */
  redisUrl?: string;
  /** The bearer token callers must show. */
  token: string;
  /** Added once to every HTTP request, before its work; milliseconds. */
  delayMs?: number;
  /** Requests of these keys alone are neither counted nor held back by a budget: what goes on by itself. */
  isApart?: (commands: readonly (readonly string[])[]) => boolean;
}

export type Refusal = null | 'full' | 'replica';

export interface UpstashBridge {
  port: number;
  setDelay(ms: number): void;
  setFault(fault: Fault): void;
  setBudget(requests: number | null): void;
  /**
   * 'full' takes no more data, as over a quota: it reads and deletes. 'replica' only reads. null: takes everything.
   */
  setRefusal(refusal: Refusal): void;
  /** Totals since the start: HTTP requests, commands in all. */
  counts(): { requests: number; commands: number };
  stop(): Promise<void>;
}

const reads = new Set(
  `GET MGET GETRANGE STRLEN EXISTS TTL PTTL TYPE KEYS SCAN HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS SMEMBERS SISMEMBER
  SCARD ZRANGE ZSCORE ZCARD LRANGE LLEN DBSIZE PING ECHO TIME INFO EVAL_RO`.split(/\s+/),
);
const deletes = new Set(['DEL', 'UNLINK', 'HDEL', 'FLUSHALL', 'FLUSHDB']);
const refusals = {
  full: 'ERR DB capacity quota exceeded',
  replica: "READONLY You can't write against a read only replica.",
};

// They block the shared connection, change its state, or end the server.
const denied = new Set(
  `SELECT AUTH HELLO QUIT RESET CLIENT MONITOR SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE
  MULTI EXEC DISCARD WATCH UNWATCH BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF CONFIG
  SHUTDOWN DEBUG REPLICAOF SLAVEOF SYNC PSYNC FAILOVER ACL MODULE SAVE BGSAVE BGREWRITEAOF`.split(/\s+/),
);

/**
 * Speaks Upstash's REST dialect (`POST /`, `/pipeline`, `/multi-exec`) on 127.0.0.1 in front of a Redis server, as far
 * as @upstash/redis uses it without subscriptions.
 */
export async function startUpstashBridge(options: UpstashOptions): Promise<UpstashBridge> {
  const redis = new RedisClient(options.redisUrl ?? `redis://127.0.0.1:${options.redisPort ?? 6379}`);
  const total = { requests: 0, commands: 0 };
  let refusal: Refusal = null;

  function readCommand(json: unknown): Command {
    const words = wordsOf(json);
    const name = typeof words === 'string' ? '' : (words[0]?.toUpperCase() ?? '');
    if (refusal === null || typeof words === 'string' || reads.has(name)) return words;
    return refusal === 'full' && deletes.has(name) ? words : refusals[refusal];
  }

  async function run(request: IncomingMessage, body: string): Promise<BridgeAnswer> {
    if (request.headers.authorization !== `Bearer ${options.token}`) {
      return fail(401, 'WRONGPASS invalid or missing auth token');
    }
    const path = request.url ?? '/';
    if (request.method !== 'POST' || !['/', '/pipeline', '/multi-exec'].includes(path)) return fail(404, 'not found');
    const json = parse(body);
    const render = request.headers['upstash-encoding'] === 'base64' ? renderBase64 : renderPlain;
    const apart = options.isApart?.(commandsIn(body)) === true;
    if (!apart) total.commands += path !== '/' && Array.isArray(json) ? json.length : 1;
    if (path === '/') return await single(readCommand(json), render);
    if (!Array.isArray(json)) return fail(400, 'ERR expected an array of commands');
    const commands = json.map(readCommand);
    return path === '/pipeline' ? await pipeline(commands, render) : await transaction(commands, render);
  }

  async function single(command: Command, render: Render): Promise<BridgeAnswer> {
    const [reply] = typeof command === 'string' ? [new RedisError(command)] : await redis.send([command]);
    if (isRedisError(reply)) return fail(400, reply.message);
    return { status: 200, body: JSON.stringify({ result: render(reply ?? null, true) }) };
  }

  async function pipeline(commands: Command[], render: Render): Promise<BridgeAnswer> {
    const replies = await redis.send(commands.filter((command) => typeof command !== 'string'));
    let next = 0;
    const items = commands.map((command) => {
      const reply = typeof command === 'string' ? new RedisError(command) : (replies[next++] ?? null);
      return item(reply, render);
    });
    return { status: 200, body: JSON.stringify(items) };
  }

  async function transaction(commands: Command[], render: Render): Promise<BridgeAnswer> {
    const bad = commands.find((command) => typeof command === 'string');
    if (bad !== undefined) return fail(400, `EXECABORT Transaction discarded because of: ${String(bad)}`);
    const words = commands.filter((command) => typeof command !== 'string');
    const replies = await redis.send([['MULTI'], ...words, ['EXEC']]);
    const last = replies.at(-1);
    if (!Array.isArray(last)) return fail(400, isRedisError(last) ? last.message : 'EXECABORT nothing was executed');
    return { status: 200, body: JSON.stringify(last.map((reply) => item(reply, render))) };
  }

  const server = await startBridgeServer(
    {
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.delayMs === undefined ? {} : { delayMs: options.delayMs }),
      onRequest: () => {
        total.requests += 1;
      },
      isApart: (body) => {
        const apart = options.isApart?.(commandsIn(body)) === true;
        if (apart) total.requests -= 1;
        return apart;
      },
    },
    async (request, body) => {
      try {
        return await run(request, body);
      } catch (error) {
        return error instanceof BadBody ? fail(400, error.message) : fail(503, `ERR ${errorText(error)}`);
      }
    },
  );
  return {
    ...server,
    setRefusal(next) {
      refusal = next;
    },
    counts: () => ({ ...total }),
    async stop() {
      await server.stop();
      redis.stop();
    },
  };
}

/** The words of a command, or (as text) why it is refused. */
type Command = string[] | string;
type Render = (reply: Reply, top: boolean) => unknown;

class BadBody extends Error {}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadBody('ERR failed to parse the body as JSON');
  }
}

function wordsOf(json: unknown): Command {
  if (!Array.isArray(json) || json.length === 0) return 'ERR empty command';
  const words = json.map((word) => (typeof word === 'object' ? JSON.stringify(word) : String(word)));
  const name = words[0]?.toUpperCase() ?? '';
  if (denied.has(name)) return `ERR Command is not available: '${name}'`;
  // A flag of the hosted service's own, which no other Redis knows. The line stays, so that errors name the right one.
  if (name === 'EVAL') words[1] = words[1]?.replace(/^#!lua flags=allow-key-locking(?=\n)/, '') ?? '';
  return words;
}

/** The commands of a request, none of one that `run` will refuse. */
function commandsIn(body: string): string[][] {
  try {
    const json = parse(body);
    if (!Array.isArray(json)) return [];
    return (Array.isArray(json[0]) ? json : [json]).map((command) => (command as unknown[]).map(String));
  } catch {
    return [];
  }
}

function item(reply: Reply, render: Render): { result: unknown } | { error: string } {
  return reply instanceof RedisError ? { error: reply.message } : { result: render(reply, true) };
}

function renderPlain(reply: Reply): unknown {
  if (reply instanceof Uint8Array) return reply.toString('utf8');
  if (reply instanceof RedisError) return reply.message;
  return Array.isArray(reply) ? reply.map(renderPlain) : reply;
}

function renderBase64(reply: Reply, top: boolean): unknown {
  if (reply instanceof Uint8Array) return reply.toString('base64');
  // The client takes a bare OK literally at the top only, and decodes every text inside an array.
  if (typeof reply === 'string') return top && reply === 'OK' ? reply : Buffer.from(reply).toString('base64');
  if (reply instanceof RedisError) return Buffer.from(reply.message).toString('base64');
  return Array.isArray(reply) ? reply.map((each) => renderBase64(each, false)) : reply;
}

function fail(status: number, error: string): BridgeAnswer {
  return { status, body: JSON.stringify({ error }) };
}
