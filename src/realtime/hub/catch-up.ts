import type { Position } from '../../data/position.ts';
import type { Delivery } from './delivery.ts';
import type { Lists } from './lists.ts';
import type { Connection } from './member.ts';
import type { Ring } from './ring.ts';
import type { Log, LogPage, Stream } from './stream.ts';

/** Whoever was away for longer loads anew, ms. */
const OLDEST = 24 * 60 * 60 * 1000;
/** Changes read at once; of large ones about as many as a reader takes before it confirms some. */
export const MOST_READ = 500;
const LEAST_READ = 16;

export type CatchUpParts = {
  stream: Stream;
  ring: Ring;
  log: Log;
  delivery: Delivery;
  lists: Lists;
  now(): number;
};

/** Who is brought to where: `isWanted` asks whether that still is so, `begin` is called when the first of it has been read. */
export type Bringing = { from: Position; isWanted(): boolean; begin?(at: Position): void };

/** Brings connections from an earlier position to that of all who are live, no faster than they confirm that they read. */
export class CatchUp {
  readonly #parts: CatchUpParts;
  /** Pages of the log that are being read, by the revision they follow and how much was asked for. */
  readonly #pages = new Map<string, Promise<LogPage>>();

  #underWay = 0;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /** Whether anybody is being brought anywhere. */
  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  /** From the ring or the log, until the rest is what everybody live has. @throws whatever reading the log throws */
  async bring(connection: Connection, bringing: Bringing): Promise<void> {
    this.#underWay += 1;
    try {
      await this.#bring(connection, bringing);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #bring(connection: Connection, { from, isWanted, begin }: Bringing): Promise<void> {
    const { stream, ring, delivery, lists } = this.#parts;
    const telling = lists.unsure(connection);
    let [reached, most, isBegun] = [from.revision, MOST_READ, begin === undefined];
    for (;;) {
      if (!(await delivery.room(connection)) || !isWanted()) return;
      let at = stream.position();
      let items = at?.epoch === from.epoch ? ring.after(reached, most) : null;
      if (items === null) {
        const page = await this.#page(reached, most);
        const sent = stream.position() ?? (await this.located());
        if (!isWanted()) return;
        // Where it was counts in the history that it was asked for in.
        if (sent.epoch !== from.epoch || page.epoch !== from.epoch) return reset(connection, 'epoch_changed', sent);
        // Not beyond what everybody live has: those frames come to all at once.
        items = page.changes.filter(({ revision }) => revision > reached && revision <= sent.revision);
        const isEmpty = items.length === 0 && page.head >= sent.revision && reached < sent.revision;
        if (isEmpty || (!isBegun && this.#isTooOld(page)) || (page.oldest !== null && page.oldest > reached + 1))
          return reset(connection, 'window_exceeded', sent);
        at = sent;
      }
      // The last step is synchronous from where the room was asked for its position.
      const { revision } = at ?? from;
      if (!isBegun) begin?.(at ?? from);
      isBegun = true;
      const end = items.at(-1)?.revision ?? reached;
      const batch = { prev: reached, revision: end, items };
      if (items.length > 0) reached = delivery.replay(connection, batch, telling);
      if (reached < end) most = Math.max(LEAST_READ, 2 * items.filter((item) => item.revision <= reached).length);
      else if (reached === revision) break;
    }
    setLive(connection, true);
  }

  /** Where the room is, which may have been lost with nobody to tell. @throws whatever reading the log throws */
  async located(): Promise<Position> {
    const { stream } = this.#parts;
    for (;;) {
      await stream.locate();
      const at = stream.position();
      if (at !== null) return at;
    }
  }

  #isTooOld({ changes: [oldest] }: LogPage): boolean {
    return oldest !== undefined && this.#parts.now() - Date.parse(oldest.changedAt) > OLDEST;
  }

  /** Those whose lines were lost together stand at the same place: one read is for all of them. */
  #page(after: number, most: number): Promise<LogPage> {
    const key = `${after} ${most}`;
    const underWay = this.#pages.get(key);
    if (underWay !== undefined) return underWay;
    const page = this.#parts.log.after(after, most).finally(() => this.#pages.delete(key));
    this.#pages.set(key, page);
    return page;
  }
}

/** Whether it gets every frame from here on. */
export function setLive(connection: Connection, live: boolean): void {
  connection.member.live = live;
  connection.save();
}

export function reset(
  connection: Connection,
  reason: 'epoch_changed' | 'window_exceeded' | 'position_ahead',
  { epoch, revision }: Position,
): void {
  setLive(connection, false);
  connection.send(JSON.stringify({ type: 'reset', reason, epoch, revision }));
}
