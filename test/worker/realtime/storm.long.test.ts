import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api } from '../../support/api.ts';
import { until } from '../../support/until.ts';
import { openStack, type Stack } from '../../support/world.ts';
import { House } from './storm/house.ts';
import { judge, type Verdict } from './storm/judge.ts';
import { Salon } from './storm/salon.ts';
import { Weather } from './storm/weather.ts';

// Rooms over real sockets, under everything at once: lines that are cut, rooms put to sleep and killed, a Worker killed between
// a commit and its announcement, announcements dropped, doubled, delayed and reordered, Postgres away for half a minute, Redis
// wiped. Each delivery is held against the log. `npm run test:long` makes a share; by hand:
//   ROOM_STORM_DELIVERIES=1000000 npx vitest run --project long test/worker/realtime/storm.long.test.ts

const DELIVERIES = Number(process.env.ROOM_STORM_DELIVERIES ?? 400_000);
const SALONS = 3;
const SOCKETS = 80;
/** Changes of each company in a second. */
const PER_SECOND = 400;
/** Of some more, whose rooms are put to sleep between their writes: a busy one never is at rest. */
const DOZING = { salons: 2, sockets: 8, perSecond: 30 };

/** For what is certain to come, on a machine that is slow, ms. */
const PATIENCE = 240_000;

let stack: Stack;
let house: House;
beforeAll(async () => {
  stack = await openStack();
  house = await House.open({ ...stack.vars, ROOM_MESSAGES_PER_MINUTE: '100000' });
});
afterAll(async () => {
  await house?.close();
  await stack?.close();
});

test('each change comes once, in order, to each who may see it, whatever happens to rooms meanwhile', {
  timeout: 3 * 3600_000,
}, async () => {
  const busy: Salon[] = [];
  const place = { api: new Api(house.url), sql: stack.sql, vars: stack.vars };
  while (busy.length < SALONS) busy.push(await Salon.open(place, SOCKETS));
  const dozing: Salon[] = [];
  while (dozing.length < DOZING.salons) dozing.push(await Salon.open(place, DOZING.sockets));
  const salons = [...busy, ...dozing];
  const sockets = salons.flatMap((salon) => salon.sockets);
  await until('all listen', () => sockets.every(({ start }) => start !== null), PATIENCE);
  const deliveries = (): number => salons.reduce((sum, salon) => sum + salon.deliveries, 0);

  const began = performance.now();
  const weather = new Weather({ stack, house, salons: busy, dozing });
  let writing = true;
  const writers = salons.map((salon) =>
    salon.write(dozing.includes(salon) ? DOZING.perSecond : PER_SECOND, () => writing),
  );
  const progress = setInterval(
    () => console.log(`${deliveries()} deliveries, ${JSON.stringify(weather.faults)}`),
    30_000,
  );
  const hasSeenAll = (): boolean => Math.min(...Object.values(weather.faults)) > 0;
  await weather.blow(() => deliveries() >= DELIVERIES && hasSeenAll());
  writing = false;
  await Promise.all(writers);
  clearInterval(progress);
  const seconds = Math.round((performance.now() - began) / 1000);

  for (const salon of salons) {
    await until(
      'it is written to again',
      () =>
        salon.last().then(
          () => true,
          () => false,
        ),
      PATIENCE,
    );
    const head = (await salon.log()).at(-1)?.revision ?? 0;
    const late = () => salon.sockets.filter(({ revision }) => revision < head);
    await until(`all are at ${head}`, () => late().length === 0, PATIENCE).catch((error: unknown) => {
      throw new Error(
        late()
          .map(({ state }) => state)
          .join('; '),
        { cause: error },
      );
    });
  }
  const verdicts: Verdict[] = [];
  for (const salon of salons) {
    const from = Math.min(...salon.sockets.map(({ start }) => start ?? 0));
    verdicts.push(judge(salon.sockets, await salon.log(), await salon.told.foreign(salon.witness, from)));
  }
  const reopened = sockets.reduce((sum, { counts }) => sum + counts.opened - 1, 0);
  const recovered = sockets.reduce((sum, { counts }) => sum + counts.recovered, 0);
  console.log(
    `${deliveries()} deliveries to ${sockets.length} sockets in ${seconds} s; slowest write ${Math.round(Math.max(...salons.map(({ slowest }) => slowest)))} ms`,
  );
  console.log(JSON.stringify({ ...weather.faults, reopened, recovered }));
  console.log(JSON.stringify(verdicts));
  for (const socket of sockets) socket.end();
  const none = { lost: 0, duplicated: 0, reordered: 0, foreign: 0, beyondRole: 0, brokenChain: 0, resets: 0 };
  expect(verdicts).toEqual(salons.map(() => none));
  expect(deliveries()).toBeGreaterThanOrEqual(DELIVERIES);
});
