/** When the object's one alarm rings, remembered: whoever comes in asks for it, and it is set for most of them. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  /** Ms; null: it is not set; undefined: not known. */
  #at: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Has it ring at this time (ms) at the latest. */
  async ringBy(at: number | null): Promise<void> {
    if (at === null) return;
    // One whose time has come may have rung unheard.
    if (this.#at === undefined || (this.#at !== null && this.#at <= Date.now()))
      this.#at = await this.#storage.getAlarm();
    if (this.#at === null || this.#at > at) await this.ringAt(at);
  }

  async ringAt(at: number): Promise<void> {
    await this.#storage.setAlarm(at);
    this.#at = at;
  }

  /** It rings: it is not set any more. */
  rings(): void {
    this.#at = null;
  }
}
