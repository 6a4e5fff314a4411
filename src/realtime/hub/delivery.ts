import { CLOSE } from '../../core/upgrade.ts';
import type { Change } from '../../data/log.ts';
import { type Audience, isFor, signatureOf } from './audience.ts';
import { Credit } from './credit.ts';
import { type Message, partsOf, SharedFrame } from './frames.ts';
import type { Telling } from './lists.ts';
import type { Connection, Member } from './member.ts';
import type { Batch } from './sequence.ts';

/** Characters of a frame around its messages and lists, about. */
const AROUND = 100;

/** A change that nobody is shown still moves everybody's position. */
const unseen = (revision: number): Message => ({ revision, topic: '', permission: '', text: '' });

/** Sends batches as frames, each rendered once for all who see the same, and closes those who do not read. */
export class Delivery {
  readonly #audience: Audience;
  readonly #now: () => number;
  readonly #signatures = new WeakMap<Connection, Pick<Member, 'topics' | 'grant'> & { signature: string }>();
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
    const rendered = new Map<string, SharedFrame[]>();
    let at = 0;
    const told = parts.map(({ items }) => {
      at += items.length;
      return telling(batch.items.slice(at - items.length, at));
    });
    for (const connection of readers) {
      const { member } = connection;
      const signature = this.#signatureOf(connection);
      let frames = rendered.get(signature);
      if (frames === undefined) {
        frames = parts.map(({ prev, revision, items }) => {
          const seen = items.filter((message) => isFor(this.#audience, member, message));
          return new SharedFrame({ prev, revision, messages: seen.map(({ text }) => text), timestamp: now });
        });
        rendered.set(signature, frames);
      }
      for (const [at, frame] of frames.entries()) {
        const revision = parts[at]?.revision ?? batch.revision;
        this.#send(connection, frame, told[at]?.(connection, revision) ?? [], revision, now);
      }
    }
  }

  confirmed(connection: Connection, revision: number): void {
    this.#credits.get(connection)?.confirm(revision);
  }

  #send(connection: Connection, frame: SharedFrame, lists: readonly string[], revision: number, now: number): void {
    let credit = this.#credits.get(connection);
    if (credit === undefined) {
      credit = new Credit();
      this.#credits.set(connection, credit);
    }
    if (credit.isSlow(now)) {
      connection.close(CLOSE.slow, 'slow reader');
      return;
    }
    const length = lists.reduce((sum, text) => sum + text.length, frame.length + AROUND);
    connection.send(frame.text(lists, credit.spend(length, revision, now)));
  }

  #signatureOf(connection: Connection): string {
    const { topics, grant } = connection.member;
    const known = this.#signatures.get(connection);
    if (known?.topics === topics && known.grant === grant) return known.signature;
    const signature = signatureOf(connection.member);
    this.#signatures.set(connection, { topics, grant, signature });
    return signature;
  }
}
