import { setTimeout as pause } from 'node:timers/promises';
import { Api } from '../test/support/api.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import type { PlaceOrder, PlaceReport } from './bystander-place.ts';
import { type Generator, startGenerator } from './load.ts';
import { median, quantile, round } from './statistics.ts';
import { table } from './table.ts';

const SECONDS = 5;
/** Twice is what is promised. */
const LIMIT = 2;

type Waits = { p50Ms: number; p95Ms: number; refused: number };
type Round = { quiet: Waits; elsewhere: Waits; here: Waits };
type Yard = Generator<PlaceOrder, PlaceReport>;

/**
 * What each abuse of one company costs another of the same isolate. Attackers, Worker, bridges and database share the machine, so each
 * is also sent, in turn, to a Worker, a Redis and a Postgres beside it: what the bystander waits then is the machine's doing, and what it
 * waits beyond that the product's.
 */
export async function bystander({ rounds, progress }: BenchOptions): Promise<BenchResult> {
  const [here, beside]: [Yard, Yard] = [startGenerator('bystander-place.ts'), startGenerator('bystander-place.ts')];
  try {
    const [place] = [await here.run({ do: 'open' }), await beside.run({ do: 'open' })];
    const api = new Api(place.url, place.bystander);
    await watch(api, SECONDS);
    progress('two places are there');
    const lines: (string | number)[][] = [
      ['', 'quiet p95, ms', 'elsewhere', 'here', 'of quiet', 'of the greater', 'refused'],
    ];
    const figures: Record<string, unknown> = { limitRatio: LIMIT };
    for (const name of chosen(place.names)) {
      const met: Round[] = [];
      for (let n = 1; n <= rounds; n += 1) {
        const quiet = await watch(api, SECONDS / 2);
        // In turn, so that what drifts falls on both.
        const [first, second] = n % 2 === 0 ? [here, beside] : [beside, here];
        const [one, two] = [await during(first, name, api), await during(second, name, api)];
        met.push(first === here ? { quiet, here: one, elsewhere: two } : { quiet, elsewhere: one, here: two });
        const waits = `${quiet.p95Ms} ms quiet, ${met.at(-1)?.elsewhere.p95Ms} elsewhere, ${met.at(-1)?.here.p95Ms} here`;
        progress(`${name}, round ${n} of ${rounds}: ${waits}`);
      }
      const p95 = (of: keyof Round): number => round(median(met.map((each) => each[of].p95Ms)), 0);
      const ofQuiet = round(median(met.map(({ quiet, here }) => here.p95Ms / quiet.p95Ms)));
      const ratio = round(
        median(met.map((each) => each.here.p95Ms / Math.max(each.quiet.p95Ms, each.elsewhere.p95Ms))),
      );
      const refused = met.reduce((sum, each) => sum + each.here.refused, 0);
      lines.push([name, p95('quiet'), p95('elsewhere'), p95('here'), ofQuiet, ratio, refused]);
      figures[name] = { ratio, ofQuiet, refused, rounds: met };
    }
    return { lines: table(lines), figures };
  } finally {
    await Promise.all([here, beside].map(closed));
  }
}

/** Those that `BYSTANDER_ABUSES` names by a part of their names, between commas; all without it. */
function chosen(names: readonly string[]): readonly string[] {
  const wanted = process.env.BYSTANDER_ABUSES?.split(',').map((part) => part.trim());
  return wanted === undefined ? names : names.filter((name) => wanted.some((part) => name.includes(part)));
}

async function closed(yard: Yard): Promise<void> {
  await yard.run({ do: 'close' });
  await yard.stop();
}

async function during(yard: Yard, name: string, api: Api): Promise<Waits> {
  await yard.run({ do: 'begin', name });
  try {
    return await watch(api, SECONDS);
  } finally {
    await yard.run({ do: 'end' });
  }
}

/** What somebody waits who writes and reads in turn, past no cache, for some seconds. */
async function watch(api: Api, seconds: number): Promise<Waits> {
  const waits: number[] = [];
  let refused = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const began = performance.now();
    const { status } =
      waits.length % 2 === 0 ? await api.post('/clients', { firstName: 'Calm' }) : await api.get('/clients');
    if (status >= 300) refused += 1;
    waits.push(performance.now() - began);
    await pause(40);
  }
  return { p50Ms: round(quantile(waits, 0.5), 1), p95Ms: round(quantile(waits, 0.95), 1), refused };
}
