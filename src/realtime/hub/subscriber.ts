import { AppError } from '../../core/errors.ts';
import { type LiveList, MOST_FOLLOWED } from '../../data/live-list.ts';
import type { Position } from '../../data/position.ts';
import { type Audience, topicsFor } from './audience.ts';
import type { Delivery } from './delivery.ts';
import type { Refusal } from './following.ts';
import type { Lists } from './lists.ts';
import type { Connection } from './member.ts';
import { type Command, errorFrame } from './protocol.ts';
import type { Ring } from './ring.ts';
import type { Log, LogPage, Stream } from './stream.ts';

export type Subscribe = Extract<Command, { type: 'subscribe' }>;

/** What a client who comes back is told again: at most so many changes, not older than so many ms. Beyond, it loads anew. */
const MOST_REPLAYED = 5000;
const OLDEST_REPLAYED = 24 * 60 * 60 * 1000;
/** When to ask again while the log cannot be read, ms. */
const TRY_AGAIN = 2000;

export type SubscriberParts = {
  audience: Audience;
  stream: Stream;
  ring: Ring;
  log: Log;
  delivery: Delivery;
  lists: Lists;
  now(): number;
};

/**
 * Puts connections at the room's position, from which on they get every frame: at once where the ring holds what they
 * missed, else page by page from the log. The last step is synchronous, so nothing can come in between.
 */
export class Subscriber {
  readonly #parts: SubscriberParts;
  /** The subscription a connection is being brought to; a later one takes its place. */
  readonly #current = new WeakMap<Connection, Subscribe>();
  /** Pages of the log that are being read, by the revision they follow. */
  readonly #pages = new Map<number, Promise<LogPage>>();

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
  }

  /** Never rejects; answers with `subscribed`, `reset` or `error`. The returned promise is for tests and `waitUntil`. */
  async subscribe(connection: Connection, wanted: Subscribe): Promise<void> {
    const { member } = connection;
    const { audience, stream } = this.#parts;
    if (wanted.companyId !== member.company)
      return refuse(connection, wanted, 'unknown_company', 'This connection belongs to another company.');
    const topics = topicsFor(audience, member.grant, wanted.topics);
    // Whoever follows lists may want nothing else.
    if (topics.length === 0 && (wanted.topics?.length !== 0 || wanted.queries.length === 0))
      return refuse(connection, wanted, 'forbidden', 'None of these topics exists and may be listened to.');
    const lists = this.#find(connection, wanted);
    if (lists === null) return;
    this.#current.set(connection, wanted);
    try {
      // A position beyond what is known here may be right: what was kept may have been lost with a crash.
      const known = stream.position();
      if (known === null || (wanted.resume !== null && isBeyond(wanted.resume, known)))
        await stream.locate(wanted.resume);
      const refusal = lists.length === 0 ? null : await this.#parts.lists.open(lists);
      if (this.#current.get(connection) !== wanted) return;
      if (refusal !== null) return refuse(connection, wanted, refusal.code, refusalOf(wanted, refusal));
      // Taken in the very turn that puts the connection there.
      const at = stream.position() ?? (await this.#located());
      if (this.#current.get(connection) !== wanted) return;
      Object.assign(member, { topics, lists: wanted.queries, live: false });
      // What a sleep would bring back otherwise gets frames again, and not those in between.
      connection.save();
      await this.#bring(connection, wanted, at);
    } catch {
      if (this.#current.get(connection) !== wanted) return;
      const more = { id: wanted.id, temporary: true, retryAfterMs: TRY_AGAIN };
      connection.send(errorFrame('unavailable', 'The log cannot be read at the moment.', more));
    }
  }

  /** The lists that are asked for; null when one of them is refused, and all with it. */
  #find(connection: Connection, wanted: Subscribe): LiveList[] | null {
    const found: LiveList[] = [];
    for (const { id, path } of wanted.queries) {
      try {
        found.push(this.#parts.lists.find(connection, path));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const code = error.code === 'forbidden' ? 'forbidden' : 'unknown_query';
        refuse(connection, wanted, code, `queries: ${id}: ${error.message}`);
        return null;
      }
    }
    return found;
  }

  async #bring(connection: Connection, wanted: Subscribe, at: Position): Promise<void> {
    const { resume } = wanted;
    if (resume === null) return this.#begin(connection, wanted, at, at.revision, false);
    if (resume.epoch !== at.epoch) return reset(connection, 'epoch_changed', at);
    if (resume.revision > at.revision) return reset(connection, 'position_ahead', at);
    if (at.revision - resume.revision > MOST_REPLAYED) return reset(connection, 'window_exceeded', at);
    const kept = this.#parts.ring.after(resume.revision);
    if (kept === null) return await this.#catchUp(connection, wanted, at, resume.revision);
    this.#begin(connection, wanted, at, resume.revision, true);
    if (kept.length === 0) return;
    const { delivery, lists } = this.#parts;
    const batch = { prev: resume.revision, revision: at.revision, items: kept };
    delivery.send([connection], batch, lists.past(connection, kept, at.revision));
  }

  /** Answers `subscribed`; from here on the connection is live, after what it is sent in the same turn. */
  #begin(connection: Connection, wanted: Subscribe, at: Position, from: number, recovered: boolean): void {
    connection.send(subscribed(connection, wanted, at, from, recovered));
    connection.member.live = true;
    connection.save();
  }

  /** Where the room is, which may have been lost with nobody to tell. @throws whatever reading the log throws */
  async #located(): Promise<Position> {
    const { stream } = this.#parts;
    for (;;) {
      await stream.locate();
      const at = stream.position();
      if (at !== null) return at;
    }
  }

  /** From the log, until the rest is what everybody live has. */
  async #catchUp(connection: Connection, wanted: Subscribe, at: Position, from: number): Promise<void> {
    const { stream, ring, delivery, lists, now } = this.#parts;
    const telling = lists.unsure(connection);
    let reached = from;
    for (let first = true; ; first = false) {
      const page = await this.#page(reached);
      const sent = stream.position() ?? (await this.#located());
      if (this.#current.get(connection) !== wanted) return;
      // Where it was counts in the history that it was asked for in.
      if (sent.epoch !== at.epoch || page.epoch !== at.epoch) return reset(connection, 'epoch_changed', sent);
      const lost = page.oldest !== null && page.oldest > reached + 1;
      const oldest = page.changes[0];
      const tooOld = first && oldest !== undefined && now() - Date.parse(oldest.changedAt) > OLDEST_REPLAYED;
      if (lost || tooOld) return reset(connection, 'window_exceeded', sent);
      if (first) connection.send(subscribed(connection, wanted, sent, from, true));
      // Not beyond what everybody live has: those frames come to all at once.
      const items = page.changes.filter(({ revision }) => revision > reached && revision <= sent.revision);
      const revision = items.at(-1)?.revision ?? reached;
      if (items.length > 0) delivery.send([connection], { prev: reached, revision, items }, telling);
      reached = revision;
      const rest = reached === sent.revision ? [] : ring.after(reached);
      if (rest !== null) {
        if (rest.length > 0)
          delivery.send([connection], { prev: reached, revision: sent.revision, items: rest }, telling);
        connection.member.live = true;
        return connection.save();
      }
      // Read before all of it was there: once more.
      if (items.length === 0 && page.head >= sent.revision) return reset(connection, 'window_exceeded', sent);
    }
  }

  /** Those whose lines were lost together stand at the same place: one read is for all of them. */
  #page(after: number): Promise<LogPage> {
    const underWay = this.#pages.get(after);
    if (underWay !== undefined) return underWay;
    const page = this.#parts.log.after(after).finally(() => this.#pages.delete(after));
    this.#pages.set(after, page);
    return page;
  }
}

/** `revision` is where the stream starts, the next frame's `prev`; `replay` is how far that is from where the room is. */
const subscribed = (
  connection: Connection,
  { id }: Subscribe,
  at: Position,
  from: number,
  recovered: boolean,
): string =>
  JSON.stringify({
    type: 'subscribed',
    id,
    topics: connection.member.topics,
    epoch: at.epoch,
    revision: from,
    recovered,
    replay: at.revision - from,
  });

export function reset(
  connection: Connection,
  reason: 'epoch_changed' | 'window_exceeded' | 'position_ahead',
  { epoch, revision }: Position,
): void {
  connection.member.live = false;
  connection.save();
  connection.send(JSON.stringify({ type: 'reset', reason, epoch, revision }));
}

const refusalOf = ({ queries }: Subscribe, { at, code }: Refusal): string =>
  `queries: ${queries[at]?.id}: ${code === 'query_too_large' ? `More than ${MOST_FOLLOWED} rows match.` : 'There is nothing at this path.'}`;

function refuse(
  connection: Connection,
  { id }: Subscribe,
  code: 'unknown_company' | 'forbidden' | Refusal['code'],
  message: string,
): void {
  connection.send(errorFrame(code, message, { id }));
}

/** Ahead in this history, or in a later one. */
const isBeyond = (resume: Position, at: Position): boolean =>
  resume.epoch > at.epoch || (resume.epoch === at.epoch && resume.revision > at.revision);
