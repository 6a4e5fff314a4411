/** An error reply of Redis (`-ERR …`), as a value because arrays may hold one. */
export class RedisError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** A RESP2 reply: status → string, bulk → Buffer, integer → number (string beyond 2^53), nil → null. */
export type Reply = string | number | null | Buffer | RedisError | Reply[];

/** The wire form of one command. */
export function encodeCommand(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return text;
}

const cr = 13;
const incomplete = Symbol('incomplete');

/** Cuts a stream of bytes into replies. */
export class ReplyParser {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Takes the next bytes of the stream and returns every reply that is complete now. Throws on a broken stream. */
  push(chunk: Buffer): Reply[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const replies: Reply[] = [];
    let start = 0;
    for (;;) {
      this.#at = start;
      const reply = this.#read();
      if (reply === incomplete) break;
      replies.push(reply);
      start = this.#at;
    }
    this.#buffer = this.#buffer.subarray(start);
    return replies;
  }

  #read(): Reply | typeof incomplete {
    const kind = this.#buffer[this.#at];
    const end = kind === undefined ? -1 : this.#buffer.indexOf(cr, this.#at);
    // The line feed may still be on its way.
    if (end < 0 || end + 1 >= this.#buffer.length) return incomplete;
    const line = this.#buffer.toString('utf8', this.#at + 1, end);
    this.#at = end + 2;
    switch (String.fromCharCode(kind ?? 0)) {
      case '+':
        return line;
      case '-':
        return new RedisError(line);
      case ':':
        return Number.isSafeInteger(Number(line)) ? Number(line) : line;
      case '$':
        return this.#readBulk(Number(line));
      case '*':
        return this.#readArray(Number(line));
      default:
        throw new Error('Redis sent something that is not RESP2');
    }
  }

  #readBulk(length: number): Reply | typeof incomplete {
    if (length < 0) return null;
    const start = this.#at;
    if (start + length + 2 > this.#buffer.length) return incomplete;
    this.#at = start + length + 2;
    return this.#buffer.subarray(start, start + length);
  }

  #readArray(length: number): Reply | typeof incomplete {
    if (length < 0) return null;
    const items: Reply[] = [];
    for (let index = 0; index < length; index += 1) {
      const item = this.#read();
      if (item === incomplete) return incomplete;
      items.push(item);
    }
    return items;
  }
}
