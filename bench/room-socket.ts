import { WebSocket } from 'ws';
import type { Faults, Follower, Heard } from './room-load.ts';

type Batch = {
  prev: number;
  revision: number;
  ack?: boolean;
  messages: { revision: number; at: string }[];
};

/** Well within what a room takes for being there. */
const PING_EVERY_MS = 30_000;
const PING = '{"type":"ping"}';

/**
 * One follower of a company, by a library nobody here wrote, whose every revision is a change that it may see: so the
 * next one is always one more. Trusts neither the server's chain nor its numbers.
 */
export class RoomSocket implements Follower {
  frames = 0;
  readonly faults: Faults = { lost: 0, duplicated: 0, reordered: 0, broken: 0 };
  readonly #socket: WebSocket;
  readonly #missing = new Set<number>();
  readonly #heard: Heard;
  #last = Number.NaN;

  private constructor(socket: WebSocket, heard: Heard) {
    this.#socket = socket;
    this.#heard = heard;
  }

  /** Opens one and subscribes. @throws Error when the room refuses or closes it */
  static async open(url: string, key: string, heard: Heard): Promise<RoomSocket> {
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${key}` }, perMessageDeflate: false });
    const opened = new RoomSocket(socket, heard);
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (code) => {
        opened.faults.broken += 1;
        reject(new Error(`closed with ${code}`));
      });
      socket.on('message', (data) => {
        if (opened.#hear(String(data))) resolve();
      });
    });
    const ping = setInterval(() => socket.send(PING), PING_EVERY_MS);
    socket.once('close', () => clearInterval(ping));
    return opened;
  }

  isAt(revision: number): boolean {
    return this.#last >= revision;
  }

  settle(head: number): Faults {
    return { ...this.faults, lost: this.#missing.size + Math.max(0, head - this.#last) };
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.terminate();
  }

  /** @returns whether it is subscribed from now on */
  #hear(text: string): boolean {
    const here = performance.now();
    const frame = JSON.parse(text) as { type: string };
    if (frame.type === 'batch_update') this.#batch(frame as unknown as Batch, here);
    if (frame.type === 'error') throw new Error(`refused: ${text}`);
    if (frame.type === 'welcome') {
      const { companyId } = frame as unknown as { companyId: string };
      this.#socket.send(JSON.stringify({ type: 'subscribe', id: 1, companyId }));
    }
    if (frame.type !== 'subscribed') return false;
    this.#last = (frame as unknown as { revision: number }).revision;
    return true;
  }

  #batch({ prev, revision, ack, messages }: Batch, here: number): void {
    if (ack === true) this.#socket.send(JSON.stringify({ type: 'ack', revision }));
    this.frames += 1;
    if (prev !== this.#last || (messages.at(-1)?.revision ?? revision) !== revision) this.faults.broken += 1;
    for (const message of messages) {
      this.#count(message.revision);
      this.#heard(message.revision, Date.parse(message.at), here);
    }
    this.#last = Math.max(this.#last, revision);
  }

  #count(revision: number): void {
    if (revision <= this.#last) {
      const wasMissing = this.#missing.delete(revision);
      this.faults[wasMissing ? 'reordered' : 'duplicated'] += 1;
      return;
    }
    for (let skipped = this.#last + 1; skipped < revision; skipped += 1) this.#missing.add(skipped);
    this.#last = revision;
  }
}
