import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { used } from '../../support/plans.ts';
import { beginWrite, openStage, type Stage } from '../support.ts';
import { at, bookingRow, makeSalon, part, type Salon } from './salon.ts';

// How long one request keeps its company's other writers waiting grows with what it books and not with its square.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage, 1, 20);
});
afterAll(() => stage.close());

const DAY = 86_400_000;

/** ms of Postgres' processor that so many days with so many chairs take, nothing of which stays. */
async function taken(count: number, chairs: number, services = 1): Promise<number> {
  const rows = Array.from({ length: count }, (_, n) => ({
    ...bookingRow(salon, at('09:00'), { resources: Array(chairs).fill({ kind: 'CHAIR' }) }),
    services: Array.from({ length: services }, (_, k) => part(salon, { offset: k, minutes: 1 })),
    starts_at: new Date(Date.parse(at('09:00')) + n * DAY).toISOString(),
  }));
  await beginWrite(app, salon.company);
  await app.query(`set local statement_timeout = '60s'`);
  const before = await used(app);
  await app.query('select app.insert_rows($1, $2)', ['appointments', JSON.stringify(rows)]);
  const ms = (await used(app)) - before;
  await app.query('rollback');
  return ms;
}

// Four times as long where it grows with what is booked, sixteen times with its square. The quickest of several, in turn, so that
// what else the machine does is in both.
test.each([
  ['twenty chairs', 20, 1],
  ['twenty services', 0, 20],
] as const)('four times as many days with %s each do not take eight times as long', async (_, chairs, services) => {
  const [few, many]: [number[], number[]] = [[], []];
  const ratio = (): number => Math.min(...many) / Math.min(...few);
  for (let round = 0; round < 5 || (round < 15 && ratio() >= 8); round += 1) {
    few.push(await taken(50, chairs, services));
    many.push(await taken(200, chairs, services));
  }
  expect(ratio()).toBeLessThan(8);
});
