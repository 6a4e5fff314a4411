import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from './api.ts';

/**
 * One object whose `notes` count up with every write, and readers who look at it all the time. A reader's answer is stale by
 * the time since the write after the one it shows was answered; it goes back when it shows less than the same isolate did.
 */
export class Watched {
  readonly #path: string;
  readonly #answered: number[] = [];
  #stop = false;
  #loops: Promise<void>[] = [];
  readonly seen: Readonly<Record<string, { reads: number; stalest: number; back: number; failed: number }>> = {};

  constructor(path: string) {
    this.#path = path;
  }

  /** Writes the next number. */
  async write(api: Api): Promise<void> {
    const reply = await api.patch(this.#path, { notes: String(this.#answered.length) });
    if (reply.status !== 200) throw new Error(`the write answered ${reply.status}: ${reply.text}`);
    this.#answered.push(Date.now());
  }

  /** Has somebody read every 25 ms from now on. */
  read(name: string, api: Api): void {
    const seen = { reads: 0, stalest: 0, back: 0, failed: 0 };
    Object.assign(this.seen, { [name]: seen });
    this.#loops.push(this.#look(api, seen));
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await Promise.all(this.#loops);
  }

  async #look(api: Api, seen: { reads: number; stalest: number; back: number; failed: number }): Promise<void> {
    let newest = -1;
    while (!this.#stop) {
      const asked = Date.now();
      const reply = await api.get(this.#path);
      if (reply.status === 200) {
        const shown = Number(reply.json.notes);
        const missed = this.#answered[shown + 1];
        if (missed !== undefined && missed < asked) seen.stalest = Math.max(seen.stalest, asked - missed);
        if (shown < newest) seen.back += 1;
        newest = Math.max(newest, shown);
        seen.reads += 1;
      } else seen.failed += 1;
      await pause(25);
    }
  }
}
