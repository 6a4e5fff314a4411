/** Begins a formula in spreadsheets; such a cell gets a leading apostrophe (contract-details A6), telephone numbers too. */
const FORMULA = /^[=+\-@\t\r]/;

/** One cell of RFC 4180. Lists of scalars are joined by `|`, other structures are JSON. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const raw = typeof value === 'object' ? structure(value) : String(value);
  const text = typeof value !== 'number' && FORMULA.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function structure(value: object): string {
  const flat = Array.isArray(value) && value.every((part) => typeof part !== 'object' && !String(part).includes('|'));
  return flat ? (value as unknown[]).join('|') : JSON.stringify(value);
}

/** One record of RFC 4180, with its line end. */
export const csvLine = (values: readonly unknown[]): string => `${values.map(cell).join(',')}\r\n`;
