import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a file's cells say, by the names of their columns. */
export type Cells = Readonly<Record<string, string>>;

/** The exported files of a salon. */
export type Files = Record<'services' | 'bookings' | 'cancellations' | 'noShows' | 'receipts', Cells[]>;

export async function readFiles(folder: string): Promise<Files> {
  const [services = [], bookings = [], cancellations = [], noShows = [], receipts = []] = await Promise.all(
    ['services', 'bookings', 'cancellations', 'no-shows', 'receipts'].map(async (name) =>
      rowsOf(await readFile(join(folder, `${name}.csv`), 'utf8')),
    ),
  );
  return { services, bookings, cancellations, noShows, receipts };
}

function rowsOf(text: string): Cells[] {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = cellsOf(header);
  return lines
    .filter((line) => line !== '')
    .map((line) => Object.fromEntries(cellsOf(line).map((cell, i) => [names[i] ?? '', cell])));
}

/** One CSV record (RFC 4180): quoted cells may hold commas and doubled quotes. */
function cellsOf(line: string): string[] {
  // Each cell behind its comma: an empty first one would otherwise be matched as nothing, and the next passed over.
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"').trim(),
  );
}
