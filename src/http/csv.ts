/**
 * Begins a formula in spreadsheets, some of which trim first or read full-width signs: such a cell gets a leading apostrophe
 * (contract-details A6), telephone numbers too. So does one that has apostrophes before it already: taking one away again,
 * as an import does, gives what was exported.
 */
const FORMULA = /^'*(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/;

/** A cell as an export writes it, so that no spreadsheet computes it. */
export const neutral = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

/** What was exported as this cell. */
export const unneutral = (cell: string): string => (cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell);

/** One cell of RFC 4180. Lists of scalars are joined by `|`, unless that would read otherwise; other structures are JSON. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const raw = typeof value === 'object' ? structure(value) : String(value);
  const text = typeof value === 'number' ? raw : neutral(raw);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function structure(value: object): string {
  const flat = Array.isArray(value) && value.every((part) => typeof part !== 'object' && !String(part).includes('|'));
  const joined = flat ? (value as unknown[]).join('|') : '[';
  return joined.trimStart().startsWith('[') ? JSON.stringify(value) : joined;
}

/** One record of RFC 4180, with its line end. */
export const csvLine = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;
