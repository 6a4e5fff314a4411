import { DurableObject } from 'cloudflare:workers';
import { makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { WatchApi } from '../data/pulse.ts';
import { type Marks, PulseKeeper } from '../data/pulse-keeper.ts';
import type { Env } from '../env.ts';

/** Pause between two beats, ms: half of what a beat is good for, less a trip. */
const PAUSE = 3000;
/** While Redis cannot be reached, or is not vouched for yet, ms. */
const PAUSE_IN_TROUBLE = 1000;
/** How long it goes on after it was last asked to, ms. Idle deployments are looked after by the sweep and their readers. */
const STAY = 120_000;

/** One per deployment: finds out within seconds that Redis was set back, and says by its beat that it was not. */
export abstract class Watch extends DurableObject<Env> implements WatchApi {
  protected abstract deps(env: Env): Deps;

  #keeper: PulseKeeper | null = null;
  #until = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    state.storage.sql.exec(`create table if not exists watch (id text not null);
      create table if not exists marks (one integer primary key check (one = 1), taken integer not null, tried integer not null)`);
  }

  async beat(stay: boolean): Promise<void> {
    if (stay) this.#until = Date.now() + STAY;
    await this.#beat();
  }

  async alert(): Promise<void> {
    await this.#open().alert(this.#ctx());
    await this.#plan(PAUSE_IN_TROUBLE);
  }

  override async alarm(): Promise<void> {
    await this.#beat();
  }

  async #beat(): Promise<void> {
    const beat = await this.#open().beat(this.#ctx());
    const troubled = beat === 'failed' || beat === 'calming';
    if (troubled || Date.now() < this.#until) await this.#plan(troubled ? PAUSE_IN_TROUBLE : PAUSE);
  }

  async #plan(pause: number): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + pause);
  }

  #open(): PulseKeeper {
    const { redis } = this.deps(this.env);
    const { sql } = this.ctx.storage;
    // Of its storage, not of its name: one that lost its marks, or runs elsewhere, must not be taken for this one.
    sql.exec('insert into watch select ? where not exists (select 1 from watch)', crypto.randomUUID());
    const id = String(sql.exec('select id from watch').one().id);
    this.#keeper ??= new PulseKeeper(redis, id, {
      read: () => {
        const row = sql.exec('select taken, tried from marks').toArray()[0];
        return row === undefined ? null : { taken: Number(row.taken), tried: Number(row.tried) };
      },
      write: ({ taken, tried }: Marks) => {
        sql.exec('insert or replace into marks (one, taken, tried) values (1, ?, ?)', taken, tried);
      },
    });
    return this.#keeper;
  }

  #ctx() {
    return makeCtx(`watch_${crypto.randomUUID()}`, (work) => this.ctx.waitUntil(work));
  }
}
