import { AppError } from '../../core/errors.ts';
import type { Packet } from '../../data/jobs.ts';
import type { Fingerprint } from '../../resources/idempotency.ts';
import { type Charset, textOf } from './charset.ts';
import { CsvParser, type CsvRecord } from './csv.ts';
import { declared, delimiterOf, firstLine } from './delimiter.ts';
import { LineSplitter } from './lines.ts';
import type { Format, RawRow } from './rows.ts';

/** Largest file, bytes (contract-details C, import). */
export const MOST_BYTES = 10 * 1024 * 1024;

/** Most rows of a file (contract-details A13): how long it keeps the company's other writers waiting. */
const MOST_ROWS = 100_000;

/** Characters of JSON per packet; four bytes each still make less than the 2 MB of a value. */
const PACKET_SIZE = 256 * 1024;
/** Characters that are sent on together. */
const SHIPMENT = 1024 * 1024;
const MOST_COLUMNS = 500;
const MOST_HEADER = 64 * 1024;

/** Where the rows of an upload go. `header` is null for NDJSON. */
type Sink = (header: string[] | null, packets: readonly Packet[]) => Promise<void>;

/** What is known of a file before it is read. */
export type FileKind = {
  format: Format;
  charset: Charset;
  /** Rows per packet: what one transaction takes in. */
  chunk: number;
  /** Whether a name of the header says anything here: the delimiter is found by it. */
  known(name: string): boolean;
  /** @throws AppError invalid_body for a file that cannot be meant for this import */
  checkHeader(header: readonly string[]): void;
  /** Each row of CSV that can be read. */
  seen(cells: readonly string[]): void;
};

/** At least how long a row is as JSON; known before it is written, which could be six times as much. */
const lengthOf = (row: RawRow): number =>
  typeof row === 'string' ? row.length : Array.isArray(row) ? row.reduce((sum, cell) => sum + cell.length + 3, 2) : 0;

/** Fills packets with rows, in order. */
class Packer {
  readonly #most: number;
  readonly ready: Packet[] = [];
  waiting = 0;
  total = 0;
  #rows: string[] = [];
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(row: RawRow): void {
    if (this.total === MOST_ROWS)
      throw new AppError('payload_too_large', `A file may have ${MOST_ROWS} rows. Send it in parts.`);
    let text = lengthOf(row) > PACKET_SIZE ? null : JSON.stringify(row);
    if (text === null || text.length > PACKET_SIZE) text = JSON.stringify({ fault: 'row_too_large' } satisfies RawRow);
    if (this.#rows.length === this.#most || this.#size + text.length > PACKET_SIZE) this.close();
    this.#rows.push(text);
    this.#size += text.length + 1;
    this.total += 1;
  }

  close(): void {
    const count = this.#rows.length;
    if (count === 0) return;
    this.ready.push({ first: this.total - count, count, rows: `[${this.#rows.join()}]` });
    this.waiting += this.#size;
    this.#rows = [];
    this.#size = 0;
  }
}

type Reader = { push(text: string): void; end(): void; header(): string[] | null };

function csvReader(packer: Packer, { known, checkHeader, seen }: FileKind): Reader {
  let header: string[] | null = null;
  let parser: CsvParser | null = null;
  // Until the first line has ended, nobody knows what separates its cells.
  let first = '';
  const take = ({ cells, malformed }: CsvRecord): void => {
    if (header !== null) {
      packer.add(malformed ? { fault: 'malformed_row' } : cells);
      if (!malformed) seen(cells);
      return;
    }
    if (malformed) throw unreadable('The header row has a quote where none may be.');
    if (cells.length > MOST_COLUMNS || cells.join().length > MOST_HEADER)
      throw unreadable(`The header row may have ${MOST_COLUMNS} columns and ${MOST_HEADER} characters.`);
    if (cells[0]?.startsWith('PK\u0003\u0004')) throw unreadable('This is a spreadsheet. Save it as CSV.');
    if (cells.some((cell) => cell.includes('\0')))
      throw unreadable('The header row holds NUL. Save the file as UTF-8.');
    checkHeader(cells);
    header = cells;
  };
  const begin = (whole: boolean): void => {
    const found = firstLine(first, whole || first.length > 2 * MOST_HEADER);
    if (found === null) return;
    const { line, next } = found;
    const said = declared(line.trim());
    parser = new CsvParser(take, said ?? delimiterOf(line, known));
    parser.push(said === null ? first : first.slice(next));
    first = '';
  };
  return {
    push(text) {
      if (parser === null) {
        first += text;
        // A line that has not ended is not looked at again with every piece.
        if (/[\r\n]/.test(text) || first.length > 2 * MOST_HEADER) begin(false);
      } else parser.push(text);
    },
    end() {
      if (parser === null) begin(true);
      if (parser?.end() === false) throw unreadable('The file ends inside a quoted cell.');
      if (header === null) throw unreadable('A header row is required.');
    },
    header: () => header,
  };
}

function lineReader(packer: Packer): Reader {
  // The last line of our export says that it is complete; anywhere else it is a row like any other, and a wrong one.
  let end: string | null = null;
  const splitter = new LineSplitter((line) => {
    if (line.trim() === '') return;
    if (end !== null) packer.add(end);
    end = /^\s*\{\s*"_end"\s*:\s*true\b/.test(line) ? line : null;
    if (end === null) packer.add(line);
  });
  return { push: (text) => splitter.push(text), end: () => splitter.end(), header: () => null };
}

/**
 * Reads a file as it comes in and hands its rows on in packets, never holding more than one record and a few packets.
 * @returns the rows there are, and the columns of CSV
 * @throws AppError payload_too_large, empty_body, malformed_file, invalid_body; and what the sink throws
 */
export async function receive(
  body: ReadableStream<Uint8Array> | null,
  kind: FileKind,
  fingerprint: Fingerprint,
  sink: Sink,
): Promise<{ total: number; header: string[] | null }> {
  const packer = new Packer(kind.chunk);
  const reader = kind.format === 'csv' ? csvReader(packer, kind) : lineReader(packer);
  const text = textOf(kind.charset);
  const ship = async (least: number): Promise<void> => {
    if (packer.ready.length === 0 || packer.waiting < least) return;
    await sink(reader.header(), packer.ready.splice(0));
    packer.waiting = 0;
  };
  let size = 0;
  for await (const chunk of chunksOf(body)) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) throw tooLarge();
    fingerprint.update(chunk);
    reader.push(text.write(chunk));
    await ship(SHIPMENT);
  }
  if (size === 0) throw new AppError('empty_body', 'This needs a file.');
  reader.push(text.end());
  reader.end();
  packer.close();
  await ship(0);
  return { total: packer.total, header: reader.header() };
}

/** The pieces of a body. A client that leaves in the middle is a fault of the file, not of ours. */
async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new AppError('malformed_file', 'The file did not arrive whole.', { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
    await drain(body);
  }
}

/** Bytes that are read of a body nobody wants. */
const MOST_DRAINED = MOST_BYTES + 2 * 1024 * 1024;

/** Reads what is left of a refused file and drops it: a client that is cut off while it sends never sees the answer. */
export async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null) return;
  let left = MOST_DRAINED;
  const reader = body.getReader();
  try {
    for (let piece = await reader.read(); !piece.done && left > 0; piece = await reader.read())
      left -= piece.value.byteLength;
    await reader.cancel();
  } catch {
    // The client has left.
  }
}

export const tooLarge = (): AppError => new AppError('payload_too_large', `A file may have ${MOST_BYTES} bytes.`);

const unreadable = (detail: string): AppError => new AppError('malformed_file', detail);
