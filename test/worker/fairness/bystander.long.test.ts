import { afterAll, beforeAll, expect, test } from 'vitest';
import { abuses, type Begin } from '../../support/abuses.ts';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { openWorld, type World } from '../../support/world.ts';

// What the abuses of the security review cost another company of the same isolate. Attackers, Worker, bridges and database
// share the machine, so each abuse is also sent to a Worker, a Redis and a database beside it: what the bystander waits then
// is the machine's doing, and what it waits beyond that the product's.

let world: World;
let beside: World;
beforeAll(async () => {
  [world, beside] = await Promise.all([openWorld(LIMIT), openWorld(LIMIT)]);
});
afterAll(() => Promise.all([world.close(), beside.close()]));

/** Without the Cache API, which the local runtime keeps in the thread that is measured. */
const LIMIT = { RATE_LIMIT_PER_MINUTE: '1000', EDGE_CACHE: 'off' };

/** What a bystander waits that writes and reads in turn for some seconds, ms. */
async function watch(bystander: Api, seconds: number): Promise<number[]> {
  const waits: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const started = performance.now();
    const reply =
      waits.length % 2 === 0 ? await bystander.post('/clients', { firstName: 'x' }) : await bystander.get('/clients');
    expect(reply.status, reply.text).toBeLessThan(300);
    waits.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return waits;
}

const p95 = (waits: readonly number[]): number =>
  waits.toSorted((a, b) => a - b).at(Math.floor(waits.length * 0.95)) ?? 0;

async function during(begin: Begin, bystander: Api): Promise<number[]> {
  const end = await begin();
  try {
    return await watch(bystander, SECONDS);
  } finally {
    await end();
  }
}

const SECONDS = 5;
/** Rounds, whose waits count together, and at most so many where it fails: what else the machine does falls on all sides alike. */
const [ROUNDS, MOST_ROUNDS] = [1, 6];
/** What another company's abuse may make of a wait at p95, of what it is when all is quiet or the same load goes elsewhere. */
const MOST = 2;
/** Beyond this it fails: a machine that others use as well cannot tell less. What it was is printed, and `npm run bench -- bystander` measures. */
const TOO_MUCH = 3;

type Met = Record<'quiet' | 'elsewhere' | 'here', number[]>;
const isHeld = ({ quiet, elsewhere, here }: Met, most: number): boolean =>
  p95(here) <= most * Math.max(p95(quiet), p95(elsewhere));

test('the p95 of a bystander under each abuse', async () => {
  const table: Record<string, string>[] = [];
  const failed: string[] = [];
  const others = await abuses(beside);
  for (const [name, begin] of Object.entries(await abuses(world))) {
    const other = others[name];
    if (other === undefined) throw new Error(name);
    const met: Met = { quiet: [], elsewhere: [], here: [] };
    for (let n = 0; n < ROUNDS || (n < MOST_ROUNDS && !isHeld(met, MOST)); n += 1) {
      const { api } = await openCompany(world);
      await watch(api, 1);
      met.quiet.push(...(await watch(api, SECONDS / 2)));
      // In turn, so that what drifts falls on both.
      const sides = [
        async () => met.elsewhere.push(...(await during(other, api))),
        async () => met.here.push(...(await during(begin, api))),
      ];
      for (const side of n % 2 === 0 ? sides : sides.reverse()) await side();
    }
    const ms = (waits: readonly number[]): string => `${Math.round(p95(waits))} ms`;
    table.push({
      abuse: name,
      quiet: ms(met.quiet),
      elsewhere: ms(met.elsewhere),
      here: ms(met.here),
      'of quiet': (p95(met.here) / p95(met.quiet)).toFixed(2),
      'of elsewhere': (p95(met.here) / p95(met.elsewhere)).toFixed(2),
    });
    if (!isHeld(met, TOO_MUCH)) failed.push(name);
  }
  console.table(table);
  expect(failed).toEqual([]);
});
