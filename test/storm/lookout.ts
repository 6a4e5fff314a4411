import { setTimeout as pause } from 'node:timers/promises';
import { Broken, type Caller } from './caller.ts';
import type { Company } from './company.ts';

const PATH = '/clients?sort=-createdAt&limit=100&fields=notes';

/** Reads a company's newest clients through another Worker, demanding nothing, and keeps when each was first shown. */
export class Lookout {
  /** Mark → wall clock, ms. */
  readonly seen = new Map<string, number>();
  readonly #caller: Caller;
  readonly #company: Company;

  constructor(caller: Caller, company: Company) {
    this.#caller = caller;
    this.#company = company;
  }

  async watch(ended: () => boolean): Promise<void> {
    while (!ended()) {
      await this.look();
      await pause(100);
    }
  }

  async look(): Promise<void> {
    try {
      const reply = await this.#caller.ask({ path: PATH, token: this.#company.token });
      if (reply.status !== 200) return;
      const now = Date.now();
      for (const { notes } of (JSON.parse(reply.text) as { data: { notes: string | null }[] }).data)
        if (notes !== null && !this.seen.has(notes)) this.seen.set(notes, now);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
  }
}
