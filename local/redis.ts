import { once } from 'node:events';
import type { Socket } from 'node:net';
import {
  createRedisCommandExecutor,
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
