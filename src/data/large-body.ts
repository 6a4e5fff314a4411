/**
 * The body of a large answer, in the parts that it was written in, a turn each: to make one text of ten megabytes and then its bytes
 * is a turn of 20 to 50 ms, and everybody of the isolate waits for it. Plain data.
 */
export type LargeBody = { readonly parts: readonly Uint8Array[]; readonly byteLength: number };

export function largeBodyOf(parts: readonly Uint8Array[]): LargeBody {
  let byteLength = 0;
  for (const part of parts) byteLength += part.byteLength;
  return { parts, byteLength };
}

/** From so much on a part is given as it is: a copy of ten megabytes is as much garbage, which an isolate keeps for a while. */
const WHOLE = 16 * 1024;

/** Its bytes in order, so many at a time at most: small parts together, large ones cut. */
export function* bytesOf({ parts }: LargeBody, most: number): Generator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let filled = 0;
  for (const part of parts) {
    const isWhole = part.byteLength >= Math.min(WHOLE, most);
    if (filled > 0 && (isWhole || filled + part.byteLength > most)) {
      yield joined(gathered, filled);
      [gathered, filled] = [[], 0];
    }
    if (isWhole) for (let at = 0; at < part.byteLength; at += most) yield part.subarray(at, at + most);
    else {
      gathered.push(part);
      filled += part.byteLength;
    }
  }
  if (filled > 0) yield joined(gathered, filled);
}

function joined(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
