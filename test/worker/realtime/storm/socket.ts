import { WebSocket } from 'ws';
import type { FrameReader, ReadFrame } from './frames.ts';

/** Who listens: with which key, to what, and what of the log that must bring. */
export type View = {
  company: string;
  key: string;
  /** Asked for; null: all there is. */
  topics: readonly string[] | null;
  /** Topics whose messages this view gets, by what it may and wants. */
  gets: ReadonlySet<string>;
  frames: FrameReader;
};

/** Of one listener: deliveries, and what was wrong with them. */
export type Counts = {
  deliveries: number;
  duplicated: number;
  reordered: number;
  beyondRole: number;
  brokenChain: number;
  resets: number;
  /** Connections that were opened, ended by the storm, and of them those that went on where they had been. */
  opened: number;
  recovered: number;
};

const WITHIN_MS = 1000;
const AGAIN_MS = 500;

/** One who listens through everything, and believes nobody: each delivery is held against what came before. */
export class StormSocket {
  readonly counts: Counts = {
    ...{ deliveries: 0, duplicated: 0, reordered: 0, beyondRole: 0, brokenChain: 0 },
    ...{ resets: 0, opened: 0, recovered: 0 },
  };
  readonly view: View;
  /** Revision and text of each delivery is noted, for the end. */
  readonly #note: (revision: number, text: string) => void;
  readonly #url: string;
  #seen = new Uint8Array(1 << 14);
  #newest = 0;
  #start: number | null = null;
  #position: { epoch: string; revision: number } | null = null;
  #socket: WebSocket | null = null;
  #session = '';
  #subscriptions = 0;
  #ended = false;
  /** The kind of frame it was told last. */
  #last = '';

  constructor(url: string, view: View, note: (revision: number, text: string) => void) {
    this.#url = url;
    this.view = view;
    this.#note = note;
    this.#open();
  }

  /** Where its stream began; null until it was told. */
  get start(): number | null {
    return this.#start;
  }

  get revision(): number {
    return this.#position?.revision ?? -1;
  }

  has(revision: number): boolean {
    return this.#seen[revision] === 1;
  }

  /** For whoever looks for one that is not where it should be. */
  get state(): string {
    const { readyState } = this.#socket ?? { readyState: -1 };
    return JSON.stringify({
      readyState,
      last: this.#last,
      ...this.#position,
      subscriptions: this.#subscriptions,
      ...this.counts,
    });
  }

  /** The line is gone, without a word. @returns whether there was one */
  cut(): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.terminate();
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  #open(): void {
    if (this.#ended) return;
    const url = this.#session === '' ? this.#url : `${this.#url}?session=${this.#session}`;
    const headers = { Authorization: `Bearer ${this.view.key}` };
    const socket = new WebSocket(url, { headers, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('message', (data) => {
      if (socket === this.#socket) this.#hear(String(data), socket);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => void setTimeout(() => this.#open(), Math.random() * WITHIN_MS));
  }

  #hear(text: string, socket: WebSocket): void {
    const frame = this.view.frames.read(text);
    this.#last = frame.type;
    switch (frame.type) {
      case 'welcome':
        this.counts.opened += 1;
        this.#session = (JSON.parse(text) as { session: string }).session;
        this.#subscribe(socket);
        return;
      case 'subscribed':
        this.#start ??= frame.revision;
        if (frame.recovered) this.counts.recovered += 1;
        if (this.#position !== null && this.#position.revision !== frame.revision) this.counts.brokenChain += 1;
        this.#position = { epoch: frame.epoch, revision: frame.revision };
        return;
      case 'reset':
        this.counts.resets += 1;
        return;
      case 'error':
        if (!frame.temporary) throw new Error(text);
        setTimeout(() => {
          if (socket.readyState === WebSocket.OPEN) this.#subscribe(socket);
        }, AGAIN_MS);
        return;
      case 'batch_update':
        this.#take(frame, socket);
        return;
    }
  }

  #subscribe(socket: WebSocket): void {
    this.#subscriptions += 1;
    const { company, topics } = this.view;
    const resume = this.#position === null ? {} : { resume: this.#position };
    const wanted = { ...(topics !== null && { topics }), ...resume };
    socket.send(JSON.stringify({ type: 'subscribe', id: this.#subscriptions, companyId: company, ...wanted }));
  }

  #take(frame: ReadFrame, socket: WebSocket): void {
    if (frame.ack) socket.send(JSON.stringify({ type: 'ack', revision: frame.revision }));
    if (this.#position === null || frame.prev !== this.#position.revision) this.counts.brokenChain += 1;
    for (const { revision, topic, text } of frame.messages) {
      this.counts.deliveries += 1;
      if (!this.view.gets.has(topic)) this.counts.beyondRole += 1;
      if (this.has(revision)) this.counts.duplicated += 1;
      else if (revision < this.#newest) this.counts.reordered += 1;
      this.#mark(revision);
      this.#note(revision, text);
    }
    if (this.#position !== null) this.#position.revision = frame.revision;
  }

  #mark(revision: number): void {
    if (revision >= this.#seen.length) {
      const larger = new Uint8Array(Math.max(2 * this.#seen.length, revision + 1));
      larger.set(this.#seen);
      this.#seen = larger;
    }
    this.#seen[revision] = 1;
    this.#newest = Math.max(this.#newest, revision);
  }
}
