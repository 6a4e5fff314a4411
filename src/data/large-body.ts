/**
 * The body of a large answer, in the parts that it was written in, a turn each: to make one text of ten megabytes and then its bytes
 * is a turn of 22 to 53 ms, and everybody of the isolate waits for it. Text until it is sent: of bytes V8 lets far more lie about
 * before it collects them (111 MB where texts made it 72). Plain data.
 */
export type LargeBody = { readonly parts: readonly string[]; readonly byteLength: number };

const encoder = new TextEncoder();
/** So many characters at least are made bytes at a time. */
const LEAST = 64 * 1024;

export function largeBodyOf(parts: readonly string[]): LargeBody {
  let byteLength = 0;
  for (const part of parts) byteLength += Buffer.byteLength(part);
  return { parts, byteLength };
}

/** Its bytes in order, so many parts at a time as are worth it. */
export function* bytesOf({ parts }: LargeBody): Generator<Uint8Array> {
  let gathered = '';
  for (const part of parts) {
    gathered += part;
    if (gathered.length < LEAST) continue;
    yield encoder.encode(gathered);
    gathered = '';
  }
  if (gathered !== '') yield encoder.encode(gathered);
}
