import { setTimeout as pause } from 'node:timers/promises';
import type { Api, Json } from './api.ts';
import { type Frame, type Message, ticketOf } from './listener.ts';

/** The part of a WebSocket that the libraries have in common. */
export type AnySocket = {
  send(text: string): void;
  close(): void;
  addEventListener(type: 'message', heard: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close' | 'error', heard: () => void): void;
};
export type SocketClass = new (url: string, protocols: string[]) => AnySocket;

/** Moments until a lost connection is tried again lie within so many ms. */
const WITHIN = 1000;
const TOPIC = 'clients';

/**
 * What somebody writes by the contract alone, over whatever WebSocket there is: keeps the clients of a company as it was told
 * of them, through lost connections, and whatever was wrong with what it was told.
 */
export class Follower {
  readonly rows = new Map<string, Json>();
  readonly revisions: number[] = [];
  readonly faults: string[] = [];
  /** Answers to `subscribe`, and reloads that the server asked for. */
  subscribed = 0;
  recovered = 0;
  resets = 0;
  readonly #socket: SocketClass;
  readonly #api: Api;
  #position: { epoch: string; revision: number } | null = null;
  #current: AnySocket | null = null;
  #ended = false;

  constructor(socket: SocketClass, api: Api) {
    this.#socket = socket;
    this.#api = api;
    void this.#connect();
  }

  /** Where it is; -1 before it was told. */
  get revision(): number {
    return this.#position?.revision ?? -1;
  }

  close(): void {
    this.#ended = true;
    this.#current?.close();
  }

  async #connect(): Promise<void> {
    while (!this.#ended) {
      const ticket = await ticketOf(this.#api).catch(() => null);
      if (ticket !== null)
        return this.#open(new this.#socket(ticket.url, ['clientsplus.v1', `ticket.${ticket.ticket}`]));
      await pause(Math.random() * WITHIN);
    }
  }

  #open(socket: AnySocket): void {
    this.#current = socket;
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#current) this.#hear(JSON.parse(String(data)) as Frame, socket);
    });
    // Said by the close as well.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      if (socket === this.#current) setTimeout(() => void this.#connect(), Math.random() * WITHIN);
    });
  }

  #hear(frame: Frame, socket: AnySocket): void {
    const { companyId, epoch, revision } = frame as unknown as { companyId: string; epoch: string; revision: number };
    const subscribe = (): void => {
      const resume = this.#position === null ? {} : { resume: this.#position };
      socket.send(JSON.stringify({ type: 'subscribe', id: 1, companyId, topics: [TOPIC], ...resume }));
    };
    if (frame.type === 'welcome') subscribe();
    if (frame.type === 'error') this.faults.push(JSON.stringify(frame));
    if (frame.type === 'reset') this.resets += 1;
    if (frame.type === 'subscribed') {
      this.subscribed += 1;
      if (frame.recovered === true) this.recovered += 1;
      if (this.#position !== null && this.#position.revision !== revision) this.faults.push(`starts at ${revision}`);
      this.#position = { epoch, revision };
    }
    if (frame.type === 'batch_update') this.#take(frame, revision, socket);
  }

  #take(frame: Frame, revision: number, socket: AnySocket): void {
    if (frame.ack === true) socket.send(JSON.stringify({ type: 'ack', revision }));
    if (frame.prev !== this.revision) this.faults.push(`${frame.prev} is not where it was, ${this.revision}`);
    for (const message of frame.messages as Message[]) {
      if (message.revision <= this.revision) this.faults.push(`${message.revision} is not new`);
      if (message.revision <= (this.revisions.at(-1) ?? 0)) this.faults.push(`${message.revision} is out of order`);
      this.revisions.push(message.revision);
      this.rows.set(message.entityId, message.data);
    }
    if (this.#position !== null) this.#position.revision = revision;
  }
}
