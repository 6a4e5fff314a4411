/** A frame as far as a reader counts it. One text is read once, as many sockets get the same. */
export type ReadFrame = {
  type: string;
  epoch: string;
  prev: number;
  revision: number;
  recovered: boolean;
  ack: boolean;
  temporary: boolean;
  messages: readonly { revision: number; topic: string; text: string }[];
};

/** Texts remembered; those of a batch come to all of a room within a moment. */
const REMEMBERED = 400;

export class FrameReader {
  readonly #read = new Map<string, ReadFrame>();

  read(text: string): ReadFrame {
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const { messages = [], ...frame } = JSON.parse(text) as Partial<ReadFrame> & {
      messages?: { revision: number; topic: string }[];
    };
    const read: ReadFrame = {
      type: frame.type ?? '',
      epoch: frame.epoch ?? '',
      prev: frame.prev ?? Number.NaN,
      revision: frame.revision ?? Number.NaN,
      recovered: frame.recovered === true,
      ack: frame.ack === true,
      temporary: frame.temporary === true,
      messages: messages.map((each) => ({
        revision: each.revision,
        topic: each.topic,
        text: JSON.stringify(each),
      })),
    };
    if (this.#read.size >= REMEMBERED) this.#read.delete(this.#read.keys().next().value ?? '');
    this.#read.set(text, read);
    return read;
  }
}
