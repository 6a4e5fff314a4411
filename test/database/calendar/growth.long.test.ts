import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

/** ms that so many days with so many chairs take, nothing of which stays. */
async function taken(count: number, chairs: number, services = 1): Promise<number> {
  const rows = Array.from({ length: count }, (_, n) => ({
    ...bookingRow(salon, at('09:00'), { resources: Array(chairs).fill({ kind: 'CHAIR' }) }),
    services: Array.from({ length: services }, (_, k) => part(salon, { offset: k, minutes: 1 })),
    starts_at: new Date(Date.parse(at('09:00')) + n * DAY).toISOString(),
  }));
  await beginWrite(app, salon.company);
  const before = performance.now();
  await app.query('select app.insert_rows($1, $2)', ['appointments', JSON.stringify(rows)]);
  const ms = performance.now() - before;
  await app.query('rollback');
  return ms;
}

const quickest = async (...args: Parameters<typeof taken>): Promise<number> =>
  Math.min(await taken(...args), await taken(...args), await taken(...args));

test.each([
  ['twenty chairs', 20, 1],
  ['twenty services', 0, 20],
] as const)(
  'four times as many days with %s each take no more than six times as long',
  async (_, chairs, services) => {
    const few = await quickest(60, chairs, services);
    const many = await quickest(240, chairs, services);
    expect(many / few).toBeLessThan(6);
  },
  120_000,
);
