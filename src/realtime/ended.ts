import type { Listener } from '../core/ticket.ts';
import type { Change } from '../data/log.ts';
import type { Audience } from './hub/audience.ts';

/** Longer than any token or ticket of a credential is good, ms. */
const REMEMBERED = 60 * 60 * 1000;

/**
 * Sessions and keys that the room was told, or found, to have ended, and users and keys whose right is another than it was.
 * Whoever comes as one of them is asked for before they are let in; of all others the room goes by what they show, and looks
 * after them soon.
 */
export class Ended {
  readonly #sql: SqlStorage;
  /** Those of the rows, which nobody else changes, until when each is remembered. */
  readonly #until: Map<string, number>;
  #heard = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('create table if not exists ended (credential text primary key, until integer not null)');
    const rows = sql.exec('select credential, until from ended').toArray();
    this.#until = new Map(rows.map(({ credential, until }) => [String(credential), Number(until)]));
  }

  /** @param ids credentials, or actors as the log writes them: no id is both */
  add(ids: readonly string[], now: number): void {
    if (ids.length === 0) return;
    this.#heard += 1;
    // First, because it counts also where it cannot be kept.
    for (const id of ids) this.#until.set(id, now + REMEMBERED);
    for (const id of ids)
      this.#sql.exec('insert or replace into ended (credential, until) values (?, ?)', id, now + REMEMBERED);
    // Here as well, because a room that nobody listens to sweeps nothing.
    this.forget(now);
  }

  /** Of these changes those that end or alter what somebody may. What is shown from before an old one is good no more. */
  hear(changes: readonly Change[], { grantAfter }: Pick<Audience, 'grantAfter'>, now: number): void {
    const marked = new Set<string>();
    for (const change of changes) {
      const changed = grantAfter(change);
      if (changed === null || change.before === null || Date.parse(change.changedAt) < now - REMEMBERED) continue;
      const before = grantAfter({ ...change, after: change.before });
      if (JSON.stringify(before) !== JSON.stringify(changed)) marked.add(changed.actor);
    }
    this.add([...marked], now);
  }

  /** How often there was something to hear, since this object began. */
  get heard(): number {
    return this.#heard;
  }

  has({ credential, actor }: Pick<Listener, 'credential' | 'actor'>): boolean {
    return this.#until.has(credential) || this.#until.has(actor);
  }

  forget(now: number): void {
    const over = [...this.#until].filter(([, until]) => until < now);
    if (over.length === 0) return;
    this.#sql.exec('delete from ended where until < ?', now);
    for (const [id] of over) this.#until.delete(id);
  }
}
