import { DurableObject } from 'cloudflare:workers';
import { AppError } from '../core/errors.ts';
import { type Ctx, makeCtx } from '../data/context.ts';
import type { Doors } from '../data/doors.ts';
import { announceFromLog, type Position } from '../data/relay.ts';
import type { RoomApi } from '../data/room.ts';
import type { Env } from '../env.ts';
import { Expectations } from './expectations.ts';
import { dueAt, longestWrite, RETRY } from './schedule.ts';
import { TurnDesk } from './turn-desk.ts';

const MOST_AHEAD = 500;

/** The company was deleted: there is nothing to announce, and nobody to announce it to. */
const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'unauthenticated';

/**
 * One per company: its relay. Every write announces itself here before it commits; when the Worker died or Redis failed
 * before the announcement, the alarm reads the log and announces what was left. State is a handful of rows, because the
 * room may be evicted at any moment.
 */
export abstract class Room extends DurableObject<Env> implements RoomApi {
  /** Injected by index.ts: the room reaches views and tags of the contexts only through the registry in here. */
  protected abstract doors(env: Env): Doors;

  readonly #sql: SqlStorage;
  readonly #expectations: Expectations;
  readonly #desk = new TurnDesk({ now: Date.now, after: (ms, work) => void setTimeout(work, ms) });
  /** Ranges that were published before an earlier one, first → last. Lost with an eviction: then the log is read again. */
  readonly #ahead = new Map<number, number>();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(
      `create table if not exists room (one integer primary key check (one = 1), company_id text not null, epoch text, revision integer)`,
    );
    this.#expectations = new Expectations(this.#sql);
  }

  async expect(companyId: string, requestId: string): Promise<boolean> {
    if (!this.#desk.begin(requestId)) return false;
    await this.#expect(companyId, requestId);
    return true;
  }

  async turn(companyId: string, requestId: string, patience: number): Promise<boolean> {
    if (!(await this.#desk.wait(requestId, patience))) return false;
    // Expected from now on: while it waited there was nothing to find.
    await this.#expect(companyId, requestId);
    return true;
  }

  async free(requestId: string): Promise<void> {
    this.#desk.end(requestId);
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
    const room = this.#sql.exec('select company_id from room').toArray()[0];
    if (room !== undefined && this.#expectations.anyDue(now)) {
      try {
        // Retries are ours: the platform's own would back off beyond the promise of ten seconds.
        if (!(await this.catchUp(String(room.company_id)))) return this.ctx.storage.setAlarm(Date.now() + RETRY);
      } catch (error) {
        if (!isGone(error)) return this.ctx.storage.setAlarm(Date.now() + RETRY);
        return this.#expectations.clear();
      }
      this.#expectations.forgetOver(now, longestWrite(this.doors(this.env).settings.databaseAcquireTimeout));
    }
    const next = this.#expectations.nextLook(now);
    if (next !== null) await this.ctx.storage.setAlarm(next);
  }

  async #expect(companyId: string, requestId: string): Promise<void> {
    const now = Date.now();
    this.#sql.exec('insert or ignore into room (one, company_id) values (1, ?)', companyId);
    this.#expectations.add(requestId, now);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(dueAt(now));
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
    this.#expectations.forget(requestId);
    this.#desk.end(requestId);
  }

  #ctx(): Ctx {
    return makeCtx(`room_${crypto.randomUUID()}`, (work) => this.ctx.waitUntil(work));
  }
}
