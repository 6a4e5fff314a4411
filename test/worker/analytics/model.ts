import type { Json } from '../../support/api.ts';

// What reports must say, worked out from the rows by code that shares nothing with the product.

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The day that a wall clock shows. */
export function dayAt(instant: number, timeZone: string): string {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    clocks.set(timeZone, clock);
  }
  const [month, day, year] = clock.format(instant).split('/');
  return `${year}-${month}-${day}`;
}

export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** Groups by key, each a sum of figures; money counts by its amount. */
export type Sums = Record<string, number>;
export type Groups = Map<string | null, Sums>;

export function add(groups: Groups, key: string | null, figures: Sums): void {
  const sums = groups.get(key) ?? {};
  for (const [name, value] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + value;
  groups.set(key, sums);
}

/** The sum of all groups in these figures. */
export const totalOf = (groups: Groups, figures: readonly string[]): Sums =>
  Object.fromEntries(
    figures.map((name) => [name, [...groups.values()].reduce((sum, each) => sum + (each[name] ?? 0), 0)]),
  );

const amountOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Number((value as { amount: number }).amount) : Number(value);
export const figuresOf = (shown: Json): Sums =>
  Object.fromEntries(
    Object.entries(shown).flatMap(([name, value]) =>
      name === 'key' || name === 'label' ? [] : [[name, amountOf(value)]],
    ),
  );

/** The groups that an answer shows, those with nothing in them left out. */
export function shownGroups(json: Json): Groups {
  const data = json.data as (Json & { key: string | null })[];
  const all = data.map((group): [string | null, Sums] => [group.key, figuresOf(group)]);
  return new Map(all.filter(([, sums]) => Object.values(sums).some((sum) => sum !== 0)));
}
