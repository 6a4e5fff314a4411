import type { Json } from '../api.ts';

/** How files of one resource look, for the suite that runs over all that can be imported. */
export type Sample = {
  resource: string;
  /** Rows of CSV, and the same as NDJSON: either finds everything there after the other. */
  csv: string;
  lines: Json[];
  /** Rows that are refused, by what is wrong with them: `pointer code`, sorted. */
  faulty: [line: Json, faults: string[]][];
  /** What GET of the list shows of them afterwards, by external id. */
  shown: Record<string, (ids: (resource: string, externalId: string) => string) => Json>;
};

export const nobody = 'unknown_reference';
export const monday = { weekday: 1, start: '09:00', end: '17:00' };
export const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
export const dollars = (amount: number): Json => ({ amount, currency: 'USD' });
/** A cell of RFC 4180. */
const cell = (value: unknown): string =>
  `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
export const csv = (...rows: unknown[][]): string => rows.map((row) => row.map(cell).join(',')).join('\r\n');
