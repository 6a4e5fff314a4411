/**
 * Lines of one company that are walked at a time: a Worker may wait for six answers at once, some of them Postgres'. Of these
 * places some are kept from lines that have taken nothing yet, and more from those that fail: who hangs keeps a place until
 * time is up.
 */
const PLACES = 4;
const FOR_UNPROVEN = 3;
const FOR_FAILING = 2;

/** What may be expected of a line, the best first. */
const EXPECTED = ['proven', 'unproven', 'failing'] as const;
type Expected = (typeof EXPECTED)[number];

/** Which lines are under way, beyond the turn that sent them too. Lost with the object; all are unproven then. */
export class Flights {
  readonly #running = new Map<string, Expected>();
  readonly #proven = new Set<string>();
  #next = Promise.withResolvers<void>();

  get count(): number {
    return this.#running.size;
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  expected(name: string, isFailing: boolean): Expected {
    if (isFailing) return 'failing';
    return this.#proven.has(name) ? 'proven' : 'unproven';
  }

  mayStart(expected: Expected): boolean {
    const running = [...this.#running.values()];
    const failing = running.filter((one) => one === 'failing').length;
    const proven = running.filter((one) => one === 'proven').length;
    if (running.length >= PLACES) return false;
    if (expected !== 'proven' && running.length - proven >= FOR_UNPROVEN) return false;
    return expected !== 'failing' || failing < FOR_FAILING;
  }

  /** The line has taken something. */
  prove(name: string): void {
    this.#proven.add(name);
  }

  /** @param work does not throw */
  start(name: string, expected: Expected, work: () => Promise<void>): void {
    this.#running.set(name, expected);
    void work().then(() => {
      this.#running.delete(name);
      const landing = this.#next;
      this.#next = Promise.withResolvers();
      landing.resolve();
    });
  }

  /** Until the next one has ended. */
  landing(): Promise<void> {
    return this.#next.promise;
  }
}

/** Those of whom most is expected first, each kind in its order. */
export const inOrder = <T extends { expected: Expected }>(lines: readonly T[]): T[] =>
  [...lines].sort((a, b) => EXPECTED.indexOf(a.expected) - EXPECTED.indexOf(b.expected));
