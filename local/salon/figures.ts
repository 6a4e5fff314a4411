/**
 * What is known of a company, as numbers with a name (money in cents) and as rows that are compared one by one. The files
 * give one, the product another, and neither knows how the other came about.
 */
export type Figures = {
  readonly numbers: ReadonlyMap<string, number>;
  /** Every row as a text that says all that is compared of it. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
};

/** A line of the comparison; `differs` is 0 where both are the same. */
export type Compared = { name: string; stored: number; expected: number; differs: number; examples: readonly string[] };

/** Numbers by name and rows one by one, in the order of what was expected. */
export function compare(stored: Figures, expected: Figures): Compared[] {
  const numbers = union(expected.numbers, stored.numbers).map((name): Compared => {
    const [here, there] = [stored.numbers.get(name) ?? 0, expected.numbers.get(name) ?? 0];
    return { name, stored: here, expected: there, differs: Math.abs(here - there), examples: [] };
  });
  const rows = union(expected.rows, stored.rows).map((name): Compared => {
    const [here, there] = [stored.rows.get(name) ?? [], expected.rows.get(name) ?? []];
    const [more, less] = [without(here, there), without(there, here)];
    const examples = [...less.map((row) => `missing: ${row}`), ...more.map((row) => `unknown: ${row}`)];
    return { name, stored: here.length, expected: there.length, differs: more.length + less.length, examples };
  });
  return [...numbers, ...rows];
}

const union = (one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] => [
  ...new Set([...one.keys(), ...other.keys()]),
];

/** The rows that others do not have, as often as they do not. */
function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
}

const WIDTH = 14;

/** The table for people, numbers right-aligned. */
export function tableOf(compared: readonly Compared[]): string {
  const width = Math.max(...compared.map(({ name }) => name.length));
  const line = (name: string, ...cells: string[]): string =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(WIDTH)).join('')}`;
  const lines = compared.flatMap(({ name, stored, expected, differs, examples }) => [
    line(name, written(name, stored), written(name, expected), written(name, differs)),
    ...examples.slice(0, 5).map((example) => `    ${example}`),
  ]);
  return [line('', 'stored', 'expected', 'difference'), ...lines].join('\n');
}

/** Money is named so: it is counted in cents and read in dollars. */
const written = (name: string, value: number): string =>
  name.startsWith(MONEY) ? `${value < 0 ? '-' : ''}${dollars(Math.abs(value))}` : String(value);

const dollars = (cents: number): string => `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;

export const MONEY = '$ ';
