import { DurableObject } from 'cloudflare:workers';
import { type Ctx, makeCtx } from '../data/context.ts';
import type { Doors } from '../data/doors.ts';
import { announceFromLog, type Position } from '../data/relay.ts';
import type { RoomApi } from '../data/room.ts';
import type { Env } from '../env.ts';
import { dueAt, isOver, RETRY } from './schedule.ts';

const MOST_AHEAD = 500;

/**
 * One per company: its relay. Every write announces itself here before it commits; when the Worker died or Redis failed
 * before the announcement, the alarm reads the log and announces what was left. State is a handful of rows, because the
 * room may be evicted at any moment.
 */
export abstract class Room extends DurableObject<Env> implements RoomApi {
  /** Injected by index.ts: the room reaches views and tags of the contexts only through the registry in here. */
  protected abstract doors(env: Env): Doors;

  readonly #sql: SqlStorage;
  /** Ranges that were published before an earlier one, first → last. Lost with an eviction: then the log is read again. */
  readonly #ahead = new Map<number, number>();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`create table if not exists room (one integer primary key check (one = 1), company_id text not null, epoch text, revision integer);
      create table if not exists expectations (request_id text primary key, since integer not null)`);
  }

  async expect(companyId: string, requestId: string): Promise<void> {
    const now = Date.now();
    this.#sql.exec('insert or ignore into room (one, company_id) values (1, ?)', companyId);
    this.#sql.exec('insert or replace into expectations (request_id, since) values (?, ?)', requestId, now);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(dueAt(now));
  }

  async publish(
    _companyId: string,
    requestId: string,
    range: { epoch: string; first: number; last: number },
  ): Promise<void> {
    const position = this.#position();
    if (position === null) this.#move({ epoch: range.epoch, revision: range.last });
    else if (position.epoch === range.epoch) this.#advance(position, range);
    this.#forget(requestId);
  }

  async settle(_companyId: string, requestId: string): Promise<void> {
    this.#forget(requestId);
  }

  async catchUp(companyId: string): Promise<boolean> {
    this.#sql.exec('insert or ignore into room (one, company_id) values (1, ?)', companyId);
    const reached = await announceFromLog(this.#ctx(), this.doors(this.env), companyId, this.#position());
    if (reached === null) {
      await this.ctx.storage.setAlarm(Date.now() + RETRY);
      return false;
    }
    this.#move(reached);
    return true;
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    const due = this.#sql
      .exec('select request_id, since from expectations where since <= ?', now - dueAt(0) + 1)
      .toArray();
    const room = this.#sql.exec('select company_id from room').toArray()[0];
    if (due.length > 0 && room !== undefined) {
      const caughtUp = await this.catchUp(String(room.company_id)).catch(() => false);
      // Retries are ours: the platform's own would back off beyond the promise of ten seconds.
      if (!caughtUp) return this.ctx.storage.setAlarm(Date.now() + RETRY);
      // A write that waits for its company's lock may commit long after it was due: it is looked for until it cannot.
      for (const row of due) if (isOver(Number(row.since), now)) this.#forget(String(row.request_id));
    }
    const next = this.#sql.exec('select min(since) since from expectations').toArray()[0]?.since;
    if (typeof next === 'number') await this.ctx.storage.setAlarm(Math.max(Date.now() + RETRY, dueAt(next)));
  }

  #position(): Position | null {
    const row = this.#sql.exec('select epoch, revision from room').toArray()[0];
    if (row === undefined || row.epoch === null) return null;
    return { epoch: String(row.epoch), revision: Number(row.revision) };
  }

  /** Behind a gap lies a write whose own Worker publishes it, or the alarm if that one died. */
  #advance(position: Position, range: { first: number; last: number }): void {
    if (this.#ahead.size > MOST_AHEAD) this.#ahead.clear();
    this.#ahead.set(range.first, range.last);
    let { revision } = position;
    for (let last = this.#ahead.get(revision + 1); last !== undefined; last = this.#ahead.get(revision + 1)) {
      this.#ahead.delete(revision + 1);
      revision = last;
    }
    if (revision > position.revision) this.#move({ epoch: position.epoch, revision });
  }

  #move(position: Position): void {
    this.#sql.exec('update room set epoch = ?, revision = ?', position.epoch, position.revision);
  }

  #forget(requestId: string): void {
    this.#sql.exec('delete from expectations where request_id = ?', requestId);
  }

  #ctx(): Ctx {
    return makeCtx(`room_${crypto.randomUUID()}`, (work) => this.ctx.waitUntil(work));
  }
}
