import type { Host } from '../host.ts';
import { PATIENCE } from './connection.ts';

/** What was asked of the server and is not answered yet. Of several on their way the latest counts. */
export class Asking {
  readonly #host: Host;
  readonly #late: () => void;
  #lastId = 0;
  #pending: number | null = null;
  #cancel: () => void = () => undefined;

  /** @param late the server does not answer */
  constructor(host: Host, late: () => void) {
    this.#host = host;
    this.#late = late;
  }

  get isPending(): boolean {
    return this.#pending !== null;
  }

  /** A name for something whose answer nobody waits for. */
  name(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  ask(): number {
    this.stop();
    this.#pending = this.name();
    this.#cancel = this.#host.after(PATIENCE, this.#late);
    return this.#pending;
  }

  /** @returns whether this answers what was asked last */
  settles(id: number | undefined): boolean {
    const isAnswer = this.#pending !== null && id === this.#pending;
    if (isAnswer) this.stop();
    return isAnswer;
  }

  /** Has it asked again after a while. */
  again(ms: number, ask: () => void): void {
    this.#cancel = this.#host.after(ms, ask);
  }

  stop(): void {
    this.#pending = null;
    this.#cancel();
  }
}
