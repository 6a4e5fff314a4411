import { makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { isBefore, type Position } from '../data/position.ts';
import { announcedHead, announceFromLog } from '../data/relay.ts';
import { callRoom } from '../data/rooms.ts';
import { Looks } from './looks.ts';

/**
 * What a room knows of its company's announcements: how far the company is announced, and when to look whether Redis
 * still knows. Redis itself keeps no gap open (R3 raises the floor), so whatever was announced last is how far it is.
 */
export class CompanyRelay {
  readonly #sql: SqlStorage;
  readonly #deps: () => Deps;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #looks = new Looks();
  /** As its row has it, which nobody else changes. */
  #companyId: string | null;
  #position: Position | null;

  constructor(sql: SqlStorage, deps: () => Deps, waitUntil: (work: Promise<unknown>) => void) {
    this.#sql = sql;
    this.#deps = deps;
    this.#waitUntil = waitUntil;
    sql.exec(
      `create table if not exists room (one integer primary key check (one = 1), company_id text not null, epoch text, revision integer)`,
    );
    const row = sql.exec('select company_id, epoch, revision from room').toArray()[0];
    this.#companyId = row === undefined ? null : String(row.company_id);
    const isPlaced = row !== undefined && row.epoch !== null;
    this.#position = isPlaced ? { epoch: String(row.epoch), revision: Number(row.revision) } : null;
  }

  /** Whose room it is. */
  belongsTo(companyId: string): void {
    if (this.#companyId !== null) return;
    this.#sql.exec('insert or ignore into room (one, company_id) values (1, ?)', companyId);
    this.#companyId = companyId;
  }

  companyId(): string | null {
    return this.#companyId;
  }

  /** Redis took an announcement up to here. */
  announced(position: Position, now: number): void {
    this.#move(position);
    this.#looks.announced(now);
  }

  /** A write has committed up to here, which Redis does not know. */
  committed(position: Position): void {
    this.#move(position);
  }

  /** Somebody has seen the company here, where Redis did not know of it. */
  suspected(position: Position, now: number): void {
    this.#move(position);
    this.#looks.suspected(now);
  }

  /** Announces whatever the log holds beyond what Redis knows. @returns whether Redis took it */
  async catchUp(companyId: string, now: number): Promise<boolean> {
    const deps = this.#deps();
    const ctx = this.#ctx();
    const reached = await announceFromLog(ctx, deps, companyId, this.position());
    if (reached === null) {
      // Whoever can still read Redis would believe it: the watch, which may reach it, says that nobody is to.
      this.#waitUntil(callRoom(ctx, () => deps.watch().alert()).catch(() => undefined));
      return false;
    }
    this.announced(reached, now);
    return true;
  }

  /** Looks at Redis' head, where that is due, and announces again when it is behind. @returns false to look again soon */
  async look(now: number): Promise<boolean> {
    const companyId = this.companyId();
    if (companyId === null || !this.#looks.isDue(now)) return true;
    const position = this.position();
    const known = await announcedHead(this.#ctx(), this.#deps(), companyId);
    if (known === undefined) return false;
    // What Redis does not know at all it cannot be wrong about.
    const behind = known !== null && position !== null && isBefore(known, position);
    if (behind && !(await this.catchUp(companyId, now))) return false;
    this.#looks.looked(now);
    return true;
  }

  /** When the next look is due, ms; null when none is. */
  nextLook(): number | null {
    return this.#looks.next();
  }

  /** How far the company is announced, or known to be. */
  position(): Position | null {
    return this.#position;
  }

  #move(position: Position): void {
    const present = this.#position;
    if (this.#companyId === null || (present !== null && !isBefore(present, position))) return;
    this.#sql.exec('update room set epoch = ?, revision = ?', position.epoch, position.revision);
    this.#position = position;
  }

  #ctx() {
    return makeCtx(`room_${crypto.randomUUID()}`, this.#waitUntil);
  }
}
