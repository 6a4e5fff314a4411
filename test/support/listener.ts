import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Api, Json } from './api.ts';
import { until } from './until.ts';

export type Frame = { type: string; [member: string]: unknown };
export type Message = { revision: number; type: string; topic: string; entityId: string; data: Json };

/** A socket of the API, opened by a client that nobody here wrote, and all it was told. */
export class WireListener {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  code: number | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => void this.frames.push(JSON.parse(String(data)) as Frame));
    socket.on('close', (code) => {
      this.code = code;
    });
    // Said by the close as well.
    socket.on('error', () => undefined);
  }

  say(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  of(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** The first frame of this kind from the `from`th of its kind on. */
  async next(type: string, from = 0): Promise<Frame> {
    await until(`frame ${from} of ${type}`, () => this.of(type).length > from);
    return this.of(type)[from] as Frame;
  }

  async subscribe(more: object = {}): Promise<Frame> {
    const { companyId } = await this.next('welcome');
    const before = this.of('subscribed').length;
    const id = before + 1;
    this.say({ type: 'subscribe', id, companyId, ...more });
    const refused = () => this.of('error').find((frame) => frame.id === id);
    await until('an answer', () => this.of('subscribed').length > before || refused() !== undefined);
    if (refused() !== undefined) throw new Error(`refused: ${JSON.stringify(refused())}`);
    return this.next('subscribed', before);
  }

  messages(): Message[] {
    return this.of('batch_update').flatMap((frame) => frame.messages as Message[]);
  }

  /** @returns the close code, as soon as the frame with it is here: the local runtime ends the connection seconds later */
  async closed(): Promise<number> {
    await until('the close', () => this.socket.readyState >= WebSocket.CLOSING);
    return this.code ?? Number(Reflect.get(this.socket, '_closeCode'));
  }

  async close(): Promise<void> {
    if (this.code !== null) return;
    this.socket.close();
    if (this.socket.readyState === WebSocket.CLOSING) await once(this.socket, 'close');
  }
}

export type Ticket = { url: string; ticket: string; expiresIn: number };

export async function ticketOf(api: Api, body?: object): Promise<Ticket> {
  const reply = await api.post('/realtime/tickets', body);
  if (reply.status !== 201) throw new Error(`no ticket: ${reply.text}`);
  return reply.json as Ticket;
}

/** Opens a socket with a ticket of this caller, and waits until it is greeted. */
export async function listen(api: Api, body?: object): Promise<WireListener> {
  const { url, ticket } = await ticketOf(api, body);
  const listener = new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
  await listener.next('welcome');
  return listener;
}
