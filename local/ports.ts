import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from './errors.ts';

/** A TCP port of 127.0.0.1 that was free a moment ago; Postgres cannot bind port 0 itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

/** Whether something already listens on this port of 127.0.0.1 (or the port may not be bound by this user). */
export async function portTaken(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return false;
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE' || errorCode(error) === 'EACCES') return true;
    throw error;
  }
}
