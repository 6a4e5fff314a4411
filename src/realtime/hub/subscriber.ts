import { AppError } from '../../core/errors.ts';
import { CLOSE } from '../../core/upgrade.ts';
import { type LiveList, MOST_FOLLOWED } from '../../data/live-list.ts';
import type { Position } from '../../data/position.ts';
import { type Audience, topicsFor } from './audience.ts';
import { CatchUp, type CatchUpParts, MOST_READ, reset, setLive } from './catch-up.ts';
import type { Refusal } from './following.ts';
import type { Connection } from './member.ts';
import { type Command, errorFrame } from './protocol.ts';
import type { Quotas } from './quota.ts';

export type Subscribe = Extract<Command, { type: 'subscribe' }>;

/** What a client who comes back is told again: at most so many changes. Beyond, it loads anew. */
const MOST_REPLAYED = 5000;
/** Of these at most so many characters at once, which tell its lists what became of them; of more it is told as it reads. */
const LONGEST_AT_ONCE = 512 * 1024;
/** When to ask again while the log cannot be read, ms. */
const TRY_AGAIN = 2000;

export type SubscriberParts = CatchUpParts & { audience: Audience; quotas: Quotas };

/**
 * Puts connections at the room's position, from which on they get every frame: at once where the ring holds what they
 * missed, else page by page from the log. The last step is synchronous, so nothing can come in between.
 */
export class Subscriber {
  readonly #parts: SubscriberParts;
  /** The subscription a connection is being brought to; a later one takes its place. */
  readonly #current = new WeakMap<Connection, Subscribe>();
  readonly #catchUp: CatchUp;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
    this.#catchUp = new CatchUp(parts);
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
    if (!this.#mayRead(connection, wanted)) return;
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
      const at = stream.position() ?? (await this.#catchUp.located());
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

  /** Paths that nobody asked for before, and changes that are told again, are read at the pace at which GET may ask for them. */
  #mayRead(connection: Connection, { id, queries, resume }: Subscribe): boolean {
    const { quotas, lists, now } = this.#parts;
    const reads = lists.unknown(connection, queries) + this.#pagesAfter(resume);
    const wait = quotas.takeReads(connection.member.actor, reads, now());
    if (wait === 0) return true;
    const more = { id, temporary: true, retryAfterMs: wait };
    connection.send(errorFrame('rate_limited', 'Too much would have to be read at once.', more));
    return false;
  }

  /** What is told again to whoever was there, in answers of GET /events; of what is not known yet one finds out. */
  #pagesAfter(resume: Position | null): number {
    const at = this.#parts.stream.position();
    if (resume === null) return 0;
    if (at === null || isBeyond(resume, at)) return 1;
    if (resume.epoch !== at.epoch) return 0;
    const behind = at.revision - resume.revision;
    return behind <= 0 || behind > MOST_REPLAYED ? 0 : Math.ceil(behind / MOST_READ);
  }

  async #bring(connection: Connection, wanted: Subscribe, at: Position): Promise<void> {
    const { resume } = wanted;
    if (resume === null) {
      connection.send(subscribed(connection, wanted, at, at.revision, false));
      return setLive(connection, true);
    }
    if (resume.epoch !== at.epoch) return reset(connection, 'epoch_changed', at);
    if (resume.revision > at.revision) return reset(connection, 'position_ahead', at);
    if (at.revision - resume.revision > MOST_REPLAYED) return reset(connection, 'window_exceeded', at);
    const { delivery, lists, ring } = this.#parts;
    const isWanted = (): boolean => this.#current.get(connection) === wanted;
    const begin = (now: Position): void => connection.send(subscribed(connection, wanted, now, resume.revision, true));
    const isShort = !delivery.isFull(connection) && ring.length(resume.revision) <= LONGEST_AT_ONCE;
    const kept = isShort ? ring.after(resume.revision) : null;
    if (kept === null) return await this.#catchUp.bring(connection, { from: resume, isWanted, begin });
    begin(at);
    const batch = { prev: resume.revision, revision: at.revision, items: kept };
    const telling = lists.past(connection, kept, at.revision);
    const revision = kept.length === 0 ? at.revision : delivery.replay(connection, batch, telling);
    if (revision < at.revision)
      return await this.#catchUp.bring(connection, { from: { epoch: at.epoch, revision }, isWanted });
    setLive(connection, true);
  }

  /** One who was live takes no more for now: what follows this position is sent as they confirm. Never rejects. */
  async behind(connection: Connection, from: Position): Promise<void> {
    const wanted = this.#current.get(connection);
    setLive(connection, false);
    const isWanted = (): boolean => this.#current.get(connection) === wanted;
    await this.#catchUp
      .bring(connection, { from, isWanted })
      .catch(() => connection.close(CLOSE.positionLost, 'position lost'));
  }

  /** Whether anybody is on the way to being live. */
  get isBringing(): boolean {
    return this.#catchUp.isUnderWay;
  }

  /** The socket has closed. */
  left(connection: Connection): void {
    this.#current.delete(connection);
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
