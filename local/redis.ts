import { once } from 'node:events';
import type { Socket } from 'node:net';
import {
  createRedisCommandExecutor,
  type RedisDatabase,
  RedisServerState,
  Resp2Server,
  resolveCompatibilityProfile,
} from 'js-redis-server/core';

/** A running embedded Redis on 127.0.0.1; its data lives in memory only. */
export interface LocalRedis {
  port: number;
  stop(): Promise<void>;
}

/** Starts an empty Redis server; without `port` the system chooses one. Rejects when the port is taken. */
export async function startRedis(options: { port?: number; password?: string } = {}): Promise<LocalRedis> {
  const compatibility = resolveCompatibilityProfile(undefined);
  const state = new RedisServerState({
    databaseCount: 16,
    compatibility,
    ...(options.password !== undefined && { requirepass: options.password }),
  });
  for (const database of state.databases) copyLess(database);
  const resp = new Resp2Server({ server: state, executor: createRedisCommandExecutor({ compatibility }) });
  // The package's own listen() would bind every interface.
  const listener = resp.server.listen(options.port ?? 0, '127.0.0.1');
  await once(listener, 'listening');
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    port: resp.getPort(),
    async stop() {
      const closed = resp.close();
      // close() waits for every connection, and a client may keep its own open for ever.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/**
 * The package copies a whole value for everyone who listens to a key, of which none looks at it, and a whole hash to know
 * whether there is one. A company's log is a hash of thousands of fields, looked at by every read.
 */
function copyLess(database: RedisDatabase): void {
  const emit = database.mutations.emit.bind(database.mutations);
  const nothing = { type: 'string' as const, value: Buffer.alloc(0) };
  database.mutations.emit = (event) => emit(event.type === 'write' ? { ...event, value: nothing } : event);
  const copyHash = database.getHash.bind(database);
  database.getHash = (key) => {
    if (database.getType(key) !== 'hash') return copyHash(key);
    return {
      type: 'hash',
      get fields() {
        return copyHash(key)?.fields ?? new Map();
      },
    };
  };
}
