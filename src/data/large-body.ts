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

/** Its bytes in order, so many at a time at most: small parts together, large ones cut. */
export function* bytesOf({ parts }: LargeBody, most: number): Generator<Uint8Array<ArrayBuffer>> {
  let gathered: Uint8Array[] = [];
  let filled = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += most) {
      const cut = part.subarray(at, at + most);
      if (filled + cut.byteLength > most) {
        yield joined(gathered, filled);
        [gathered, filled] = [[], 0];
      }
      gathered.push(cut);
      filled += cut.byteLength;
    }
  }
  if (filled > 0) yield joined(gathered, filled);
}

function joined(parts: readonly Uint8Array[], byteLength: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
