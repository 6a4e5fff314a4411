import { randomOf } from '../local/random.ts';

/** What one step of the reference workload does (contract 9); numbers are places in the company's lists. */
export type Step =
  | { company: number; kind: ReadKind; manner: Manner; path: (c: CompanyIds) => string }
  | { company: number; kind: 'write'; write: Write };
export type ReadKind = 'board' | 'list' | 'search' | 'detail' | 'catalogue' | 'analytics';
/**
 * How a read is asked: by anyone; by who has written last, who sends the revision of that; by who has an answer already, and its
 * ETag; and with another company's key, too, behind it.
 */
export type Manner = 'plain' | 'own' | 'held' | 'foreign';
export type Write =
  | { what: 'appointment'; branch: number; day: number; minute: number; client: number }
  | { what: 'client'; client: number; note: number }
  | { what: 'payment' };

/** What paths and bodies name. `days`: dates around today, today in the middle. */
export type CompanyIds = {
  branches: readonly string[];
  clients: readonly string[];
  days: readonly string[];
};

export const TERMS = 60;
export const CLIENTS = 400;
export const BRANCHES = 3;
export const DAYS = 7;

const SHARES: readonly [ReadKind, number][] = [
  ['board', 58],
  ['list', 10],
  ['search', 6],
  ['detail', 10],
  ['catalogue', 11],
  ['analytics', 5],
];
const MANNERS: readonly [Manner, number][] = [
  ['plain', 68],
  ['own', 10],
  ['held', 20],
  ['foreign', 2],
];
/** Of the days around today, today most. */
const DAY_SHARES = [1, 2, 3, 8, 3, 2, 1];

/** A step after the other from a seed: the same seed, the same trace. `writes`: their share. */
export function* trace(seed: number, companies: number, writes: number): Generator<Step, never> {
  const random = randomOf(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const [whose, term, who] = [zipf(companies), zipf(TERMS), zipf(CLIENTS)];
  const day = chooser(DAY_SHARES);
  const kindOf = chooser(SHARES.map(([, share]) => share));
  const mannerOf = chooser(MANNERS.map(([, share]) => share));
  for (;;) {
    const company = whose(random());
    if (random() < writes) {
      const draw = random();
      const write: Write =
        draw < 0.6
          ? {
              what: 'appointment',
              branch: below(BRANCHES),
              day: day(random()),
              minute: below(600),
              client: below(CLIENTS),
            }
          : draw < 0.8
            ? { what: 'client', client: below(CLIENTS), note: below(1_000_000_000) }
            : { what: 'payment' };
      yield { company, kind: 'write', write };
      continue;
    }
    const [kind] = SHARES[kindOf(random())] as (typeof SHARES)[number];
    const [manner] = MANNERS[mannerOf(random())] as (typeof MANNERS)[number];
    const [branch, on, said, which, few] = [below(BRANCHES), day(random()), term(random()), who(random()), below(3)];
    yield {
      company,
      kind,
      // Which of a minute's answers another company has is asked by its own reads.
      manner: kind === 'analytics' && manner === 'foreign' ? 'plain' : manner,
      path: ({ branches, clients, days }) => {
        switch (kind) {
          case 'board':
            return `/appointments?branchId=${branches[branch]}&date=${days[on]}&limit=100`;
          case 'list':
            return '/clients?limit=20';
          case 'search':
            return `/clients?search=${termOf(said)}`;
          case 'detail':
            return `/clients/${clients[which]}`;
          case 'catalogue':
            return ['/services?limit=100', '/staff?limit=100', '/branches'][few] as string;
          case 'analytics':
            return analyticsOf(days)[Math.min(few, 1)] as string;
        }
      },
    };
  }
}

/** Answers that may be from before for a minute. */
export const analyticsOf = (days: readonly string[]): string[] => [
  '/analytics/dashboard',
  `/analytics/appointments?from=${days[0]}&to=${days[6]}&groupBy=day`,
];

const FIRST = ['anna', 'eva', 'jonas', 'lena', 'paul', 'nina', 'karin', 'felix', 'laura', 'peter'];
const LAST = [
  'huber',
  'gruber',
  'wagner',
  'moser',
  'mayer',
  'hofer',
  'berger',
  'fuchs',
  'eder',
  'weber',
  'lang',
  'wolf',
];

/** Names as clients have them, so that each term finds some. */
export const nameOf = (n: number): { firstName: string; lastName: string } => ({
  firstName: FIRST[n % FIRST.length] as string,
  lastName: LAST[Math.floor(n / FIRST.length) % LAST.length] as string,
});

/** First names, last names, and both of some. */
export function termOf(n: number): string {
  const names = [...FIRST, ...LAST];
  if (n < names.length) return names[n] as string;
  const { firstName, lastName } = nameOf(n * 3);
  return `${firstName}%20${lastName}`;
}

/** Of `n` places, the k-th 1/k as often as the first (Zipf, 1.0). */
export const zipf = (n: number): ((draw: number) => number) =>
  chooser(Array.from({ length: n }, (_, at) => 1 / (at + 1)));

/** @returns the place that a draw from 0 to 1 falls on */
export function chooser(weights: readonly number[]): (draw: number) => number {
  const ends: number[] = [];
  for (const weight of weights) ends.push((ends.at(-1) ?? 0) + weight);
  const whole = ends.at(-1) ?? 0;
  return (draw) => Math.min(ends.findIndex((end) => draw * whole < end) >>> 0, weights.length - 1);
}
