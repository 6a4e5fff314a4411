import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const TICK_MS = 100;

/** A line to a server on 127.0.0.1 that lets through what it is told to, for one connection after another. */
export class BadLine {
  readonly #server: Server;
  #rate: number | null = null;
  #ends: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<BadLine> {
    const server = createServer();
    const line = new BadLine(server);
    server.on('connection', (near) => line.#join(near, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes a second on the way from the server; null: all there are. */
  setRate(bytes: number | null): void {
    this.#rate = bytes;
  }

  /** Both ends are told that there is no connection (RST). */
  reset(): void {
    for (const end of this.#ends.splice(0)) end.resetAndDestroy();
  }

  close(): void {
    this.reset();
    this.#server.close();
  }

  #join(near: Socket, port: number): void {
    const far = connect(port, '127.0.0.1');
    this.#ends.push(near, far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined);
      one.once('close', () => other.destroy());
    }
    near.pipe(far);
    let held = Buffer.alloc(0);
    far.on('data', (chunk: Buffer) => {
      if (this.#rate === null && held.length === 0) {
        near.write(chunk);
        return;
      }
      held = Buffer.concat([held, chunk]);
      // Behind what is held the server's own buffers fill.
      far.pause();
    });
    const tick = setInterval(() => {
      const some = this.#rate === null ? held.length : Math.round((this.#rate * TICK_MS) / 1000);
      if (some > 0 && held.length > 0) near.write(held.subarray(0, some));
      held = held.subarray(some);
      if (held.length === 0) far.resume();
    }, TICK_MS);
    far.once('close', () => clearInterval(tick));
  }
}
