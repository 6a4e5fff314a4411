import type { ListQuery } from '../core/list-query.ts';
import { compileProjection } from '../core/project.ts';
import type { Row } from '../data/log.ts';
import { csvLine } from '../http/csv.ts';
import { pieceByPiece, type Reading } from '../http/slow-readers.ts';
import { besides, type Shown } from './exported.ts';
import type { Resource } from './resource.ts';

export const FORMATS = ['ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** How rows become text: what stands before, each row, what stands after. */
type Writer = { head: string; view(row: Row): View; line(view: View): string; tail(count: number): string };
type View = Record<string, unknown>;

export function writerOf(resource: Resource, format: Format, { fields }: ListQuery): Writer {
  const project = compileProjection(fields);
  const view = (row: Row) => project(resource.view(row, resource.version));
  if (format === 'ndjson') {
    return {
      head: '',
      view,
      line: (shown) => `${JSON.stringify(shown)}\n`,
      // Without this line a file is not whole.
      tail: (count) => `${JSON.stringify({ _end: true, count })}\n`,
    };
  }
  const columns =
    fields === null
      ? [...resource.list.fields, ...besides(resource)]
      : ['id', ...fields.filter((field) => field !== 'id')];
  return {
    head: csvLine(columns),
    view,
    line: (shown) => csvLine(columns.map((column) => shown[column])),
    tail: () => '',
  };
}

const encoder = new TextEncoder();
/** So many characters at least are made bytes at a time. */
const LEAST = 64 * 1024;

/** What one read of an export brought, and whether more follows. */
export type Piece = { rows: Iterable<Shown>; count: number; more: boolean };

/** Rows are made objects as they are taken: a megabyte of them at once, and of their bytes, is collected so late that two exports had 90 MB. */
export function* shownOneByOne(
  texts: (string | null)[],
  { view }: Writer,
  whole: (of: Shown) => View = (of) => of.view,
): Generator<Shown> {
  for (const [at, text] of texts.entries()) {
    texts[at] = null;
    const row = JSON.parse(String(text)) as Row;
    const id = String(row.id);
    yield { id, view: whole({ id, view: view(row) }) };
  }
}

/** The text of an export, made as it is taken. */
export class Pages {
  readonly #next: (after: string) => Promise<Piece>;
  readonly #writer: Writer;
  #rows: Iterator<Shown>;
  #piece: Piece;
  #last = '';
  #text: string;
  #count = 0;

  constructor(first: Piece, next: (after: string) => Promise<Piece>, writer: Writer) {
    this.#piece = first;
    this.#rows = first.rows[Symbol.iterator]();
    this.#next = next;
    this.#writer = writer;
    this.#text = writer.head;
  }

  /** All of it, where it is one page of at most `most` bytes. */
  small(most: number): Uint8Array | null {
    const { count, more } = this.#piece;
    // A row is never below ten bytes, so many rows need no writing to be too long.
    if (more || count > most / 10) return null;
    for (let row = this.#rows.next(); row.done !== true; row = this.#rows.next()) this.#write(row.value);
    const bytes = encoder.encode(this.#text + this.#writer.tail(this.#count));
    return bytes.byteLength <= most ? bytes : null;
  }

  stream(reading: Reading): ReadableStream<Uint8Array> {
    return pieceByPiece(reading, async () => {
      for (;;) {
        const row = this.#rows.next();
        if (row.done === true) {
          if (!this.#piece.more)
            return { bytes: encoder.encode(this.#text + this.#writer.tail(this.#count)), last: true };
          this.#piece = await this.#next(this.#last);
          this.#rows = this.#piece.rows[Symbol.iterator]();
          continue;
        }
        const full = this.#text.length >= LEAST ? this.#text : null;
        if (full !== null) this.#text = '';
        this.#write(row.value);
        if (full !== null) return { bytes: encoder.encode(full), last: false };
      }
    });
  }

  #write({ id, view }: Shown): void {
    this.#text += this.#writer.line(view);
    this.#last = id;
    this.#count += 1;
  }
}
