import { CLOSE } from '../../core/upgrade.ts';
import type { Change } from '../../data/log.ts';
import type { Position } from '../../data/position.ts';
import { type Audience, isFor, signatureOf } from './audience.ts';
import { Credit, PATIENCE } from './credit.ts';
import { askingFrame, type Message, partsOf, SharedFrame } from './frames.ts';
import type { Telling } from './lists.ts';
import type { Connection, Member } from './member.ts';
import { errorFrame } from './protocol.ts';
import type { Batch } from './sequence.ts';
import type { Time } from './stream.ts';

const DOUBTED =
  'Only a frame with "ack": true asks for a confirmation, which names its revision. Too many others came: none of this socket counts any more.';

/** Characters of a frame around its messages and lists, about. */
const AROUND = 100;

/** A change that nobody is shown still moves everybody's position. */
const unseen = (revision: number): Message => ({ revision, topic: '', permission: '', text: '' });

export type DeliveryParts = {
  audience: Audience;
  time: Time;
  random(): number;
  /** Where everybody is who is live. */
  position(): Position | null;
  /** One who was live has taken no more for now: what follows this revision is sent as they confirm. */
  behind(connection: Connection, revision: number): void;
};

/** Sends batches as frames, each rendered once for all who see the same, and closes those who do not read. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #signatures = new WeakMap<Connection, Pick<Member, 'topics' | 'grant'> & { signature: string }>();
  readonly #credits = new WeakMap<Connection, Credit>();
  /** Who waits until a reader may be sent more, each told whether it is there. */
  readonly #waiting = new Map<Connection, ((isThere: boolean) => void)[]>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /**
   * To each of these: everything after the batch's `prev`, as far as they see it; an empty frame moves their position.
   * @param telling what their lists are told of the changes of one frame, and then of the next
   */
  send(connections: Iterable<Connection>, batch: Batch<Change>, telling: Telling): void {
    const readers = [...connections];
    // Changes go on while nobody listens; they are rendered for somebody.
    if (readers.length === 0) return;
    const parts = this.#partsOf(batch);
    const rendered = new Map<string, SharedFrame[]>();
    const told = parts.map(({ changes }) => telling(changes));
    for (const connection of readers) {
      const signature = this.#signatureOf(connection);
      let frames = rendered.get(signature);
      if (frames === undefined) {
        frames = parts.map((part) => this.#frame(connection, part));
        rendered.set(signature, frames);
      }
      for (const [at, frame] of frames.entries()) {
        const { prev, revision } = parts[at] as Part;
        if (this.#creditOf(connection).isFull) {
          this.#parts.behind(connection, prev);
          break;
        }
        this.#send(connection, frame, told[at]?.(connection, revision) ?? [], revision);
      }
    }
  }

  /** To one who is told again: as much of the batch as they may be sent. @returns up to which revision */
  replay(connection: Connection, batch: Batch<Change>, telling: Telling): number {
    for (const part of this.#partsOf(batch)) {
      if (this.isFull(connection)) return part.prev;
      const lists = telling(part.changes)(connection, part.revision);
      this.#send(connection, this.#frame(connection, part), lists, part.revision);
    }
    return batch.revision;
  }

  /** To one who listens, something that is told once or not at all: not to who has confirmed too little. */
  pass(connection: Connection, text: string): void {
    const { position, time } = this.#parts;
    const credit = this.#creditOf(connection);
    const at = connection.member.live ? position() : null;
    if (at === null ? credit.isHalf : credit.isFull) return;
    connection.send(text);
    if (at === null) credit.add(text.length);
    else if (this.#spend(connection, text.length, at.revision)) connection.send(askingFrame(at.revision, time.now()));
  }

  isFull(connection: Connection): boolean {
    return this.#creditOf(connection).isFull;
  }

  /** Waits until a reader may be sent more; who confirms nothing is closed. @returns whether it is there */
  room(connection: Connection): Promise<boolean> {
    const credit = this.#creditOf(connection);
    if (!credit.isFull) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(connection);
      this.#waiting.set(connection, [...(waiting ?? []), resolve]);
      // Behind that: one for whom it is too late already is told at once.
      if (waiting === undefined) this.#look(connection, credit);
    });
  }

  /** @returns whether it was asked for */
  confirmed(connection: Connection, revision: number): boolean {
    const credit = this.#creditOf(connection);
    const wasBelieved = credit.isBelieved;
    const isAsked = credit.confirm(revision);
    // Whoever wrote a client that confirms every frame is told so at once, and not by a close hours later.
    if (wasBelieved && !credit.isBelieved) connection.send(errorFrame('bad_frame', DOUBTED));
    connection.save();
    if (!credit.isFull) this.#settle(connection, true);
    return isAsked;
  }

  /** The socket has closed. */
  left(connection: Connection): void {
    this.#settle(connection, false);
  }

  /** Again and again while somebody waits: is what was asked for late? */
  #look(connection: Connection, credit: Credit): void {
    const { time } = this.#parts;
    const now = time.now();
    const due = credit.due ?? now;
    if (due <= now) {
      connection.close(CLOSE.slow, 'slow reader');
      this.#settle(connection, false);
      return;
    }
    // However far the clock stepped back meanwhile.
    time.after(Math.min(due - now, PATIENCE), () => {
      if (this.#waiting.has(connection)) this.#look(connection, credit);
    });
  }

  #settle(connection: Connection, isThere: boolean): void {
    const waiting = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    for (const resolve of waiting ?? []) resolve(isThere);
  }

  #partsOf(batch: Batch<Change>): Part[] {
    const messages = batch.items.map((change) => this.#parts.audience.render(change) ?? unseen(change.revision));
    let at = 0;
    return partsOf({ ...batch, items: messages }).map(({ prev, revision, items }) => {
      at += items.length;
      return { prev, revision, messages: items, changes: batch.items.slice(at - items.length, at) };
    });
  }

  #frame({ member }: Connection, { prev, revision, messages }: Part): SharedFrame {
    const { audience, time } = this.#parts;
    const seen = messages.filter((message) => isFor(audience, member, message));
    return new SharedFrame({ prev, revision, messages: seen.map(({ text }) => text), timestamp: time.now() });
  }

  #send(connection: Connection, frame: SharedFrame, lists: readonly string[], revision: number): void {
    const length = lists.reduce((sum, text) => sum + text.length, frame.length + AROUND);
    connection.send(frame.text(lists, this.#spend(connection, length, revision)));
  }

  /** @returns whether to ask for confirmation */
  #spend(connection: Connection, length: number, revision: number): boolean {
    const credit = this.#creditOf(connection);
    const asks = credit.spend(length, revision, this.#parts.time.now());
    if (credit.mustBeKept(asks)) connection.save();
    return asks;
  }

  #creditOf(connection: Connection): Credit {
    let credit = this.#credits.get(connection);
    if (credit === undefined) {
      const { member } = connection;
      credit = new Credit(member.unread, this.#parts.random);
      member.unread = credit.unread;
      this.#credits.set(connection, credit);
    }
    return credit;
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

/** What fits into one frame: as it is shown, and as it was logged. */
type Part = { prev: number; revision: number; messages: readonly Message[]; changes: readonly Change[] };
