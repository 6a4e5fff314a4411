/** Tells listeners, each on its own: one that throws keeps nothing from the others. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(told: never) => void>>();

  /** @returns stops telling */
  on<K extends keyof Events>(name: K, listener: (told: Events[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<K extends keyof Events>(name: K, told: Events[K]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (told: Events[K]) => void)(told);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
