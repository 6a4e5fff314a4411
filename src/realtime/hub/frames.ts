import type { Batch, Item } from './sequence.ts';

/** A change as it is sent, rendered once for everybody who may see it. */
export type Message = Item & {
  topic: string;
  /** The permission that shows it. */
  permission: string;
  /** The element of `messages`, serialised. */
  text: string;
};

/** Frames end at about so many characters; a single message may be longer. */
const FRAME = 64 * 1024;

/** A batch in parts that fit into a frame each; the chain of `prev` and `revision` runs through them. */
export function partsOf<T extends { text: string } & Item>({ prev, revision, items }: Batch<T>): Batch<T>[] {
  const parts: Batch<T>[] = [];
  let from = prev;
  let part: T[] = [];
  let length = 0;
  for (const item of items) {
    if (length > 0 && length + item.text.length > FRAME) {
      const last = part.at(-1)?.revision ?? from;
      parts.push({ prev: from, revision: last, items: part });
      [from, part, length] = [last, [], 0];
    }
    part.push(item);
    length += item.text.length;
  }
  // The last part reaches the whole batch's end, whatever nobody may see behind its last message.
  parts.push({ prev: from, revision, items: part });
  return parts;
}

type Shared = { prev: number; revision: number; messages: readonly string[]; timestamp: number };

/** A `batch_update` for all who see the same messages, written out once for those of them who are told nothing else. */
export class SharedFrame {
  readonly #shared: Shared;
  /** Characters of its messages. */
  readonly length: number;
  #plain: string | null = null;
  #asking: string | null = null;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.length = shared.messages.reduce((sum, { length }) => sum + length, 0);
  }

  /** @param lists what this connection's lists are told, serialised */
  text(lists: readonly string[], ack: boolean): string {
    if (lists.length > 0) return batchFrame(this.#shared, lists, ack);
    if (ack) {
      this.#asking ??= batchFrame(this.#shared, lists, true);
      return this.#asking;
    }
    this.#plain ??= batchFrame(this.#shared, lists, false);
    return this.#plain;
  }
}

/** Nothing new for one who is here, but that they are to confirm that they are. */
export const askingFrame = (revision: number, timestamp: number): string =>
  batchFrame({ prev: revision, revision, messages: [], timestamp }, [], true);

function batchFrame(shared: Shared, lists: readonly string[], ack: boolean): string {
  const { prev, revision, messages, timestamp } = shared;
  const more = `${lists.length > 0 ? `,"lists":[${lists.join(',')}]` : ''}${ack ? ',"ack":true' : ''}`;
  return `{"type":"batch_update","prev":${prev},"revision":${revision},"messages":[${messages.join(',')}],"timestamp":${timestamp}${more}}`;
}
