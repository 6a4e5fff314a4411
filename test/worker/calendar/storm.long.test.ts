import { expect, test } from 'vitest';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { ownWorld } from '../../support/shared.ts';
import { bystander, counted, crowd } from './crowd.ts';

// Many who want the same, all at once, and nobody comes twice.

const world = await ownWorld({}, 4);
const { api } = await openCompany(world);
const other = await openCompany(world, 'Elsewhere');
const salon = await openSalon(api);
const urls = [api.url, ...world.elsewhere];
const { branchId, staffId, serviceId } = salon;
const wish = (startsAt: string) => ({ branchId, staffId, services: [{ serviceId }], startsAt });

const quantile = (told: readonly { ms: number }[], share: number): number =>
  told.map(({ ms }) => ms).sort((a, b) => a - b)[Math.ceil(told.length * share) - 1] ?? 0;

/** p95 of another company that reads its clients at another isolate, ms. */
async function watched(calls: number): Promise<number> {
  const path = '/api/v1/clients?limit=20';
  const took = await bystander({ url: String(urls.at(-1)), token: String(other.api.token), path, calls, pause: 40 });
  return Math.round(
    quantile(
      took.map((ms) => ({ ms })),
      0.95,
    ),
  );
}

test('of a thousand people on one time one has it, all others are told so, and in time', {
  timeout: 120_000,
}, async () => {
  for (let round = 0; round < 3; round += 1) {
    const startsAt = new Date(Date.UTC(2029, 6, 2 + round, 8)).toISOString();
    const quiet = await watched(50);
    const beside = watched(60);
    const told = await crowd(
      api,
      urls,
      Array.from({ length: 1000 }, () => wish(startsAt)),
    );
    const [median, p99] = [quantile(told, 0.5), quantile(told, 0.99)];
    console.log(
      `1,000 on one time: p50 ${Math.round(median)} ms, p99 ${Math.round(p99)} ms; another company's p95 ${await beside} ms, quiet ${quiet} ms`,
      counted(told),
    );
    expect(counted(told)).toEqual({ '201': 1, '409 slot_taken': 999 });
  }
});

test('of 40 identical starts on each of 25 times one is booked, the others are told who is in the way', {
  timeout: 120_000,
}, async () => {
  const starts = Array.from({ length: 25 }, (_, n) =>
    new Date(Date.UTC(2029, 5, 1, 8) + n * 30 * 60_000).toISOString(),
  );
  const wanted = Array.from({ length: 40 }, () => starts.map(wish)).flat();
  const told = await crowd(api, urls, wanted);
  console.log(
    `40 on each of 25: p50 ${Math.round(quantile(told, 0.5))} ms, p99 ${Math.round(quantile(told, 0.99))} ms`,
  );
  expect(counted(told)).toEqual({ '201': 25, '409 slot_taken': 975 });
  const [row] = await world.sql<{ count: number }>(
    `select count(distinct starts_at)::int as count from appointments where starts_at < '2029-06-15'`,
  );
  expect(row?.count).toBe(25);
});
