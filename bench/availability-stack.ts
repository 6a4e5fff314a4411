import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from '../local/roles.ts';
import { uuidOf } from '../src/core/id.ts';
import { openSalon, type Salon, type Size } from './availability-salon.ts';
import type { BenchOptions } from './benchmark.ts';
import { Client, type Timed } from './client.ts';
import type { Bench } from './stack.ts';
import { median, quantile, round } from './statistics.ts';

const ASKED = 20;
const YEARS = 3;
const BEHIND = 365 * YEARS;

/** As it is commonly asked: the bookings of each staff member, row by row. */
async function rowsPerStaff(
  bench: Bench,
  { company, staff }: Salon,
  { from, to }: Size,
): Promise<Map<string, number[]>> {
  const busy = new Map<string, number[]>();
  await withClient(bench.vars.DATABASE_MIGRATION_URL ?? '', async (client) => {
    for (const [n, id] of staff.entries()) {
      const { rows } = await client.query<{ start: Date; end: Date }>(
        `select lower(r) as start, upper(r) as end from occupancies o, unnest(o.busy) r
          where o.company_id = $1 and o.staff_id = $2 and o.busy && tstzmultirange(tstzrange($3::date - 1, $4::date + 1)) order by 1`,
        [company, uuidOf('stf', id), from, to],
      );
      busy.set(
        `staff-${n}`,
        rows.flatMap(({ start, end }) => [start.getTime() / 60_000, end.getTime() / 60_000]),
      );
    }
  });
  return busy;
}

type Kind = 'cold' | 'coldBehind' | 'lists' | 'listsBehind' | 'step' | 'hit';
const KINDS: readonly Kind[] = ['cold', 'coldBehind', 'lists', 'listsBehind', 'step', 'hit'];
const nothing = (): Record<Kind, number[]> => ({
  cold: [],
  coldBehind: [],
  lists: [],
  listsBehind: [],
  step: [],
  hit: [],
});
/** How long what is stored behind an answer takes at most, as a rule, ms: it is not to come into the next one's time. */
const CALM = 10;
/** More than an isolate keeps the sweeps of: what is asked in turn is swept each time. */
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** The answers of a Worker, in turn with the naive form over the same rows. */
export async function overHttp(
  { rounds, stack, progress }: BenchOptions,
  size: Size,
  naive: (busy: Map<string, number[]>) => number,
): Promise<{ lines: string[][]; figures: Record<string, unknown> }> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const salons: Salon[] = [];
  for (const behind of [0, BEHIND]) {
    progress(`a salon with ${size.bookings} bookings and ${behind} days behind it`);
    salons.push(await openSalon(bench, await bench.company(worker, 0), size, behind));
  }
  const client = new Client(worker.url);
  let step = 15;
  const ask = async (
    salon: Salon,
    stepMinutes: number,
    headers: Record<string, string> = {},
    service: string = salon.service,
  ): Promise<Timed> => {
    const query = `branchId=${salon.branch}&serviceId=${service}&from=${size.from}&to=${size.to}&stepMinutes=${stepMinutes}`;
    const answer = await client.ask({
      path: `/api/v1/availability?${query}`,
      headers: { Authorization: `Bearer ${salon.tenant.api.token}`, ...headers },
    });
    if (answer.status !== 200) throw new Error(`availability answered ${answer.status}: ${answer.text}`);
    return answer;
  };
  const [plain, old] = salons as [Salon, Salon];
  // The watch over Redis has rested while the database was filled: readings count once it is heard.
  for (const salon of salons) {
    for (let tries = 0; (await ask(salon, 1000 + tries)).headers['x-cache'] !== 'HIT'; tries += 1) {
      if (tries > 200) throw new Error('lists are never at hand');
      await pause(50);
    }
    await ask(salon, 15, {}, salon.thirds.join());
  }
  const calm = async (salon: Salon): Promise<unknown> => {
    await pause(CALM);
    return await ask(salon, 15);
  };
  const times = nothing();
  const naiveMs: number[] = [];
  const raw: unknown[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    const own = nothing();
    for (let i = 0; i < ASKED; i += 1) {
      const fresh = { 'Cache-Control': 'no-cache' };
      own.cold.push((await ask(plain, 15, fresh)).ms);
      own.coldBehind.push((await ask(old, 15, fresh)).ms);
      // Nobody has asked with this step: the answer is put together, from lists, and where the order is another one swept.
      step = step >= 900 ? 16 : step + 1;
      const order = ORDERS[i % ORDERS.length] ?? [];
      const swept = (salon: Salon) => ask(salon, step, {}, order.map((n) => salon.thirds[n]).join());
      await calm(plain);
      own.hit.push((await ask(plain, 15)).ms);
      own.step.push(expectHit(await ask(plain, step)));
      await calm(plain);
      own.lists.push(expectHit(await swept(plain)));
      await calm(old);
      own.listsBehind.push(expectHit(await swept(old)));
    }
    const began = performance.now();
    const busy = await rowsPerStaff(bench, plain, size);
    naive(busy);
    const took = performance.now() - began;
    progress(`round ${number} of ${rounds}`);
    if (number === 0) continue;
    naiveMs.push(took);
    for (const kind of KINDS) times[kind].push(...own[kind]);
    raw.push({
      round: number,
      coldP50Ms: round(median(own.cold), 2),
      listsP50Ms: round(median(own.lists), 2),
      naiveMs: round(took, 1),
    });
  }
  const trickled = await trickle(plain, ask);
  client.close();
  await worker.stop();
  const at = (kind: Kind, share: number): number => round(quantile(times[kind], share), 2);
  const own = (kind: Kind, share: number): number => round(at(kind, share) - at('hit', share), 2);
  const figures = {
    ...{ coldP50Ms: at('cold', 0.5), coldP95Ms: at('cold', 0.95) },
    ...{ coldWithHistoryP50Ms: at('coldBehind', 0.5), coldWithHistoryP95Ms: at('coldBehind', 0.95) },
    historyRatio: round(at('coldBehind', 0.5) / at('cold', 0.5), 3),
    ...{ hitP50Ms: at('hit', 0.5), hitP95Ms: at('hit', 0.95) },
    ...{ anotherStepP50Ms: at('step', 0.5), anotherStepP95Ms: at('step', 0.95) },
    ...{ fromListsP50Ms: at('lists', 0.5), fromListsP95Ms: at('lists', 0.95) },
    ...{ fromListsOverHitP50Ms: own('lists', 0.5), fromListsOverHitP95Ms: own('lists', 0.95) },
    ...{ fromListsWithHistoryP50Ms: at('listsBehind', 0.5) },
    naiveWithRowsMs: round(median(naiveMs), 1),
    coldRatio: round(at('cold', 0.5) / median(naiveMs), 5),
    ...trickled,
    httpRounds: raw,
  };
  const lines = [
    ['over HTTP', 'p50, ms', 'p95, ms'],
    ['cold', String(at('cold', 0.5)), String(at('cold', 0.95))],
    [`cold, ${YEARS} years behind it`, String(at('coldBehind', 0.5)), String(at('coldBehind', 0.95))],
    ['from busy lists', String(at('lists', 0.5)), String(at('lists', 0.95))],
    ['from what was swept, by another step', String(at('step', 0.5)), String(at('step', 0.95))],
    ['the answer itself from memory', String(at('hit', 0.5)), String(at('hit', 0.95))],
    ['rows per staff, a loop of dates', String(round(median(naiveMs), 1)), ''],
    [`hits with a booking after every ${trickled.questionsPerBooking}`, `${round(100 * trickled.hitRate, 1)} %`, ''],
  ];
  return { lines, figures };
}

function expectHit(answer: Timed): number {
  if (answer.headers['x-cache'] !== 'HIT') throw new Error(`lists at hand answered ${answer.headers['x-cache']}`);
  return answer.ms;
}

const BOOKED = 30;
const QUESTIONS = 10;

/** Bookings trickle in; everybody asks for the whole month. */
async function trickle(salon: Salon, ask: (salon: Salon, step: number) => Promise<Timed>) {
  let hits = 0;
  const misses: number[] = [];
  for (let n = 0; n < BOOKED; n += 1) {
    const { data } = JSON.parse((await ask(salon, 15)).text) as { data: { staffId: string; starts: string[] }[] };
    const whose = data.filter(({ starts }) => starts.length > 0)[n % 7];
    const booked = await salon.tenant.api.post('/appointments', {
      ...{ branchId: salon.branch, staffId: whose?.staffId, services: [{ serviceId: salon.service }] },
      startsAt: whose?.starts[(n * 7) % whose.starts.length],
    });
    if (booked.status !== 201) throw new Error(`booking answered ${booked.status}: ${booked.text}`);
    for (let question = 0; question < QUESTIONS; question += 1) {
      const answer = await ask(salon, 15 + question);
      if (answer.headers['x-cache'] === 'HIT') hits += 1;
      else misses.push(answer.ms);
    }
  }
  return {
    questionsPerBooking: QUESTIONS,
    hitRate: round(hits / (BOOKED * QUESTIONS), 3),
    spoiltDayP50Ms: round(median(misses), 2),
  };
}
