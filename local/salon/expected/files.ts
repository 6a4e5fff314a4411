import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A row of a file: the text of its column of this name. */
export type Row = (column: string) => string;

/** Rows of a CSV file, read letter by letter. */
export async function read(folder: string, file: string): Promise<Row[]> {
  const [header = [], ...rows] = records(await readFile(join(folder, file), 'utf8'));
  return rows.map((cells) => (column) => {
    const at = header.indexOf(column);
    if (at < 0) throw new Error(`${file} has no column ${column}`);
    return cells[at] ?? '';
  });
}

/** RFC 4180; the last line may end without its end. */
function records(text: string): string[][] {
  const all: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let quoted = false;
  /** A quote within quotes has just come: it ends them, or is the first of a doubled one. */
  let closing = false;
  const endCell = (): void => {
    record.push(cell.trim());
    cell = '';
  };
  const endRecord = (): void => {
    if (record.length > 0 || cell !== '') {
      endCell();
      all.push(record);
    }
    record = [];
  };
  for (const letter of text.replace(/^\uFEFF/, '')) {
    if (quoted && !closing) {
      if (letter === '"') closing = true;
      else cell += letter;
      continue;
    }
    if (closing) {
      closing = false;
      quoted = letter === '"';
      if (quoted) {
        cell += letter;
        continue;
      }
    }
    if (letter === '"') quoted = true;
    else if (letter === ',') endCell();
    else if (letter === '\n') endRecord();
    else if (letter !== '\r') cell += letter;
  }
  endRecord();
  return all;
}

/** `MM/DD/YYYY` as ISO 8601. */
export function dayOf(text: string): string {
  const [month = '', day = '', year = ''] = text.split('/');
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** Cents of `-4.032`, half away from zero, by its digits; more decimals than four are refused. */
export function cents(text: string): number {
  const [, sign, whole = '', decimals = ''] = /^(-?)(\d*)(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  if (sign === undefined) throw new Error(`${text} is no amount`);
  const rounded = Math.trunc((Number(`${whole}${decimals.padEnd(4, '0')}`) + 50) / 100);
  return sign === '-' && rounded > 0 ? -rounded : rounded;
}
