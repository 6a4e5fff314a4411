import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { errorCode, StackError } from './errors.ts';

/** What callers are told while no Worker stands behind the gateway. */
export interface Notice {
  status: 500 | 503;
  code: 'internal_error' | 'busy';
  detail: string;
}

/** The port of the API. It is ours from the first moment to the last, whatever becomes of the Worker behind it. */
export interface Gateway {
  /** From now on connections lead to this port of 127.0.0.1; those that waited go first. */
  open(target: number): void;
  /** Connections wait for `open` or `close`; those that are through stay. */
  hold(): void;
  /** Connections are answered with this; those that are through are cut. */
  close(notice: Notice): void;
  stop(): Promise<void>;
}

/** Takes the port, closed. Throws StackError when it cannot be had. */
export async function openGateway(port: number, notice: Notice): Promise<Gateway> {
  let target: number | 'hold' | Notice = notice;
  const through = new Set<Socket>();
  const waiting = new Set<Socket>();
  const answering = createHttpServer((request, response) => {
    // A connection kept from before the Worker came back would be told yesterday's news.
    response.setHeader('Connection', 'close');
    tell(request, response, typeof target === 'object' ? target : notice);
  });
  const admit = (socket: Socket): void => {
    if (target === 'hold') waiting.add(socket);
    else if (typeof target === 'number') lead(socket, target, through);
    else {
      answering.emit('connection', socket);
      socket.resume();
    }
  };
  const release = (): void => {
    const sockets = [...waiting];
    waiting.clear();
    for (const socket of sockets.filter(({ destroyed }) => !destroyed)) admit(socket);
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => waiting.delete(socket));
    admit(socket);
  });
  await listen(server, port);
  return {
    open(next) {
      target = next;
      release();
    },
    hold() {
      target = 'hold';
    },
    close(next) {
      target = next;
      for (const socket of through) socket.destroy();
      release();
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of [...through, ...waiting]) socket.destroy();
      answering.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    const code = errorCode(error);
    const next = port === 65_535 ? 8787 : port + 1;
    if (code === 'EADDRINUSE') throw new StackError(`port ${port} is in use; try npm run dev -- --port ${next}`);
    if (code === 'EACCES')
      throw new StackError(`no permission for port ${port} (this system keeps it for root); try one above 1023`);
    throw new StackError(`cannot listen on port ${port} (${code ?? 'unknown'})`);
  }
}

function lead(socket: Socket, port: number, through: Set<Socket>): void {
  const inner = connect({ port, host: '127.0.0.1', noDelay: true });
  through.add(socket);
  const end = (): void => {
    through.delete(socket);
    socket.destroy();
    inner.destroy();
  };
  inner.on('error', end);
  inner.once('close', end);
  socket.once('close', end);
  socket.pipe(inner);
  inner.pipe(socket);
  socket.resume();
}

function tell(request: IncomingMessage, response: ServerResponse, { status, code, detail }: Notice): void {
  const title = status === 503 ? 'Busy, try again' : 'Something went wrong';
  const [instance] = (request.url ?? '/').split('?');
  const body = { type: `/docs#${code}`, title, status, code, detail, instance };
  response.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...(status === 503 && { 'Retry-After': '1' }),
  });
  response.end(`${JSON.stringify(body)}\n`);
}
