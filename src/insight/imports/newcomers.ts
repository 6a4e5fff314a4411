import type { Lack } from './header.ts';

/** Keys that are asked for at once. */
const BATCH = 10_000;
/** Longer ones nobody has. */
const LONGEST_KEY = 200;

/**
 * What becomes of a file that lacks what new objects need: prices of services that are there go in without their names; where
 * none of its rows is about one that is there, nothing could.
 */
export class Newcomers {
  #lack: Lack | null = null;
  readonly #keys = new Set<string>();

  expect(lack: Lack | null): void {
    this.#lack = lack;
  }

  see(cells: readonly string[]): void {
    if (this.#lack === null) return;
    const key = this.#lack.key(cells);
    if (key !== '' && key.length <= LONGEST_KEY && !key.includes('\0')) this.#keys.add(key);
  }

  /** @param anyThere whether an object has one of these keys @throws AppError invalid_body */
  async judge(anyThere: (keys: string[]) => Promise<boolean>): Promise<void> {
    if (this.#lack === null) return;
    const keys = [...this.#keys];
    for (let from = 0; from < keys.length; from += BATCH) if (await anyThere(keys.slice(from, from + BATCH))) return;
    throw this.#lack.refusal;
  }
}
