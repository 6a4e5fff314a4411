import type { Delimiter } from './delimiter.ts';

/** One record as it stood in the file. `malformed`: a quote where RFC 4180 allows none; the cells are a best guess. */
export type CsvRecord = { cells: string[]; malformed: boolean };

const QUOTE = 34;
const LF = 10;
const CR = 13;

/** Blank lines of a run that count as records; a spreadsheet may end in a hundred thousand. */
const MOST_BLANK = 1000;

/** Cells of a record that are kept: one with more fits no header, and its commas alone could fill the memory. */
const MOST_CELLS = 1000;

type State = 'start' | 'plain' | 'quoted' | 'closed';

/**
 * RFC 4180, fed piece by piece: a piece may end anywhere, inside a cell, between two quotes, between CR and LF. Lines end
 * with CRLF, LF or CR; the last one needs no end. Blank lines are no records, except that in a file of one column a blank
 * line between others is a record whose only cell is blank.
 */
export class CsvParser {
  readonly #take: (record: CsvRecord) => void;
  readonly #delimiter: number;
  #state: State = 'start';
  #cells: string[] = [];
  #cell = '';
  #malformed = false;
  #wasQuoted = false;
  #afterCr = false;
  /** Cells of the first record; the blank lines since the last record, whose meaning the next one decides. */
  #width = 0;
  #blank = 0;

  constructor(take: (record: CsvRecord) => void, delimiter: Delimiter = ',') {
    this.#take = take;
    this.#delimiter = delimiter.charCodeAt(0);
  }

  push(text: string): void {
    let at = 0;
    if (this.#afterCr && text !== '') {
      this.#afterCr = false;
      if (text.charCodeAt(0) === LF) at = 1;
    }
    while (at < text.length) {
      if (this.#state === 'quoted') at = this.#quoted(text, at);
      else if (this.#state === 'start' && text.charCodeAt(at) === QUOTE) {
        this.#state = 'quoted';
        this.#wasQuoted = true;
        at += 1;
      } else if (this.#state === 'closed' && text.charCodeAt(at) === QUOTE) {
        this.#cell += '"';
        this.#state = 'quoted';
        at += 1;
      } else at = this.#plain(text, at);
    }
  }

  /** @returns false when the text ended inside a quoted cell: what follows its quote cannot be told apart any more */
  end(): boolean {
    if (this.#state === 'quoted') return false;
    if (this.#cells.length > 0 || this.#cell !== '' || this.#wasQuoted) this.#endRecord();
    return true;
  }

  #quoted(text: string, from: number): number {
    const quote = text.indexOf('"', from);
    if (quote < 0) {
      this.#cell += text.slice(from);
      return text.length;
    }
    this.#cell += text.slice(from, quote);
    this.#state = 'closed';
    return quote + 1;
  }

  /** Text outside quotes up to the end of its cell. */
  #plain(text: string, from: number): number {
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== this.#delimiter && code !== LF && code !== CR) {
        if (code === QUOTE || this.#state === 'closed') this.#malformed = true;
        this.#state = 'plain';
        continue;
      }
      this.#cell += text.slice(from, at);
      if (code === this.#delimiter) this.#endCell();
      else {
        this.#endRecord();
        if (code === CR) {
          if (at + 1 === text.length) this.#afterCr = true;
          else if (text.charCodeAt(at + 1) === LF) return at + 2;
        }
      }
      return at + 1;
    }
    this.#cell += text.slice(from);
    return text.length;
  }

  #endCell(): void {
    if (this.#cells.length < MOST_CELLS) this.#cells.push(this.#cell);
    this.#cell = '';
    this.#state = 'start';
    this.#wasQuoted = false;
  }

  #endRecord(): void {
    const blank = this.#cells.length === 0 && this.#cell === '' && !this.#wasQuoted;
    this.#endCell();
    const record = { cells: this.#cells, malformed: this.#malformed };
    this.#cells = [];
    this.#malformed = false;
    if (blank) {
      if (this.#width === 1 && this.#blank < MOST_BLANK) this.#blank += 1;
      return;
    }
    for (; this.#blank > 0; this.#blank -= 1) this.#take({ cells: [''], malformed: false });
    if (this.#width === 0) this.#width = record.cells.length;
    this.#take(record);
  }
}
