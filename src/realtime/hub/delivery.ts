import { CLOSE } from '../../core/upgrade.ts';
import type { Change } from '../../data/log.ts';
import { type Audience, isFor, signatureOf } from './audience.ts';
import { Credit } from './credit.ts';
import { batchFrame, type Message, partsOf } from './frames.ts';
import type { Telling } from './lists.ts';
import type { Connection } from './member.ts';
import type { Batch } from './sequence.ts';

/** A change that nobody is shown still moves everybody's position. */
const unseen = (revision: number): Message => ({ revision, topic: '', permission: '', text: '' });

/** Sends batches as frames, each rendered once for all who see the same, and closes those who do not read. */
export class Delivery {
  readonly #audience: Audience;
  readonly #now: () => number;
  readonly #credits = new WeakMap<Connection, Credit>();

  constructor(audience: Audience, now: () => number) {
    this.#audience = audience;
    this.#now = now;
  }

  /**
   * To each of these: everything after the batch's `prev`, as far as they see it; an empty frame moves their position.
   * @param telling what their lists are told of the changes of one frame, and then of the next
   */
  send(connections: Iterable<Connection>, batch: Batch<Change>, telling: Telling): void {
    const readers = [...connections];
    // Changes go on while nobody listens; they are rendered for somebody.
    if (readers.length === 0) return;
    const now = this.#now();
    const messages = batch.items.map((change) => this.#audience.render(change) ?? unseen(change.revision));
    const parts = partsOf({ ...batch, items: messages });
    const rendered = new Map<string, string[][]>();
    let at = 0;
    const told = parts.map(({ items }) => {
      at += items.length;
      return telling(batch.items.slice(at - items.length, at));
    });
    for (const connection of readers) {
      const { member } = connection;
      const signature = signatureOf(member);
      let seen = rendered.get(signature);
      if (seen === undefined) {
        seen = parts.map(({ items }) => items.filter((m) => isFor(this.#audience, member, m)).map(({ text }) => text));
        rendered.set(signature, seen);
      }
      for (const [at, { prev, revision }] of parts.entries()) {
        const lists = told[at]?.(connection, revision) ?? [];
        this.#frame(connection, { prev, revision, messages: seen[at] ?? [], timestamp: now, lists }, now);
      }
    }
  }

  confirmed(connection: Connection, revision: number): void {
    this.#credits.get(connection)?.confirm(revision);
  }

  #frame(connection: Connection, frame: Parameters<typeof batchFrame>[0], now: number): void {
    let credit = this.#credits.get(connection);
    if (credit === undefined) {
      credit = new Credit();
      this.#credits.set(connection, credit);
    }
    if (credit.isSlow(now)) {
      connection.close(CLOSE.slow, 'slow reader');
      return;
    }
    const { messages, lists = [] } = frame;
    const length = [...messages, ...lists].reduce((sum, text) => sum + text.length, 100);
    connection.send(batchFrame({ ...frame, ack: credit.spend(length, frame.revision, now) }));
  }
}
