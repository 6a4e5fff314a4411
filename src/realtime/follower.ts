import { makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { Change } from '../data/log.ts';
import { isBefore, type Position } from '../data/position.ts';
import { callRoom } from '../data/rooms.ts';

type Wanted = { position: Position; entities: readonly string[] };

/**
 * Who walks the company's log elsewhere and wants to be called when it goes on: the dispatcher, once each time it asks. Most
 * rooms have nobody, and look at no row for it.
 */
export class Follower {
  readonly #sql: SqlStorage;
  #wanted: Wanted | null | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `create table if not exists follower (one integer primary key check (one = 1), epoch text not null, revision integer not null, entities text not null)`,
    );
  }

  /** True: the company is beyond this position already, as far as `present` tells, and nobody will be called. */
  follow(position: Position, entities: readonly string[], present: Position | null): boolean {
    if (present !== null && isBefore(position, present)) return true;
    this.#sql.exec(
      'insert or replace into follower (one, epoch, revision, entities) values (1, ?, ?, ?)',
      ...[position.epoch, position.revision, entities.join()],
    );
    this.#wanted = { position, entities };
    return false;
  }

  /**
   * The company is here now: whether to call. Not for changes that are not wanted.
   * @param changes all that led here; null where not all are at hand
   */
  reached(end: Position, changes: readonly Change[] | null): boolean {
    const wanted = this.#present();
    if (wanted === null || !isBefore(wanted.position, end)) return false;
    if (changes?.every(({ entity }) => !wanted.entities.includes(entity)) === true) return false;
    this.#sql.exec('delete from follower');
    this.#wanted = null;
    return true;
  }

  #present(): Wanted | null {
    if (this.#wanted !== undefined) return this.#wanted;
    const row = this.#sql.exec('select epoch, revision, entities from follower').toArray()[0];
    this.#wanted =
      row === undefined
        ? null
        : {
            position: { epoch: String(row.epoch), revision: Number(row.revision) },
            entities: String(row.entities).split(','),
          };
    return this.#wanted;
  }
}

/** Behind whatever was told: a call that is lost is made up for by the cron. */
export function callDispatcher(
  { dispatchers }: Pick<Deps, 'dispatchers'>,
  companyId: string,
  behind: (work: Promise<unknown>) => void,
): void {
  const ctx = makeCtx(`room_${crypto.randomUUID()}`, behind);
  behind(callRoom(ctx, () => dispatchers(companyId).wake(companyId)).catch(() => undefined));
}
