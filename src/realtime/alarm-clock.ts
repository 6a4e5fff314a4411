type Alarm = Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>;

/**
 * When the object's one alarm rings, remembered: whoever comes in asks for it, and it is set for most of them. One at a time,
 * as whoever goes by what another is about to set must know that it was.
 */
export class AlarmClock {
  readonly #storage: Alarm;
  /** Ms; null: it is not set; undefined: not known. */
  #at: number | null | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #underWay = 0;

  constructor(storage: Alarm) {
    this.#storage = storage;
  }

  /** Has it ring at this time (ms) at the latest. */
  async ringBy(at: number | null): Promise<void> {
    if (at === null) return;
    // Of most who come in a crowd.
    const isSure = this.#underWay === 0 && !this.#isUncertain;
    if (isSure && typeof this.#at === 'number' && this.#at <= at) return;
    await this.#inTurn(async () => {
      if (this.#isUncertain) {
        const set = await this.#storage.getAlarm();
        // It may have rung meanwhile.
        if (this.#isUncertain) this.#at = set;
      }
      if (this.#at === null || this.#at === undefined || this.#at > at) await this.#set(at);
    });
  }

  ringAt(at: number): Promise<void> {
    return this.#inTurn(() => this.#set(at));
  }

  /** It rings: it is not set any more. */
  rings(): void {
    this.#at = null;
  }

  /** One whose time has come may have rung unheard. */
  get #isUncertain(): boolean {
    return this.#at === undefined || (this.#at !== null && this.#at <= Date.now());
  }

  async #set(at: number): Promise<void> {
    this.#at = at;
    try {
      await this.#storage.setAlarm(at);
    } catch (error) {
      this.#at = undefined;
      throw error;
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#underWay += 1;
    const done = this.#last.then(work).finally(() => {
      this.#underWay -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
