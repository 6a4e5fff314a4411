import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { ownWorld } from '../../support/shared.ts';

// Forty who want the same, twenty-five times, all at once.

const world = await ownWorld({}, 2);
const { api } = await openCompany(world);
const salon = await openSalon(api);

test('of 40 identical starts on each of 25 times one is booked, the others are told who is in the way', {
  timeout: 120_000,
}, async () => {
  const starts = Array.from({ length: 25 }, (_, n) =>
    new Date(Date.UTC(2029, 5, 1, 8) + n * 30 * 60_000).toISOString(),
  );
  const wanted = starts.flatMap((startsAt) => Array.from({ length: 40 }, () => startsAt));
  const { branchId, staffId, serviceId } = salon;
  // As many at once as no company may have under way: who is told to come again does.
  const book = async (startsAt: string, n: number): Promise<Reply> => {
    const caller = n % 2 === 0 ? api : api.at(String(world.elsewhere[0]));
    const body = { branchId, staffId, services: [{ serviceId }], startsAt };
    for (;;) {
      const reply = await caller.post('/appointments', body);
      if (reply.status !== 503) return reply;
      await pause(1000 * Number(reply.headers.get('retry-after') ?? 1));
    }
  };
  const replies = await Promise.all(wanted.map(book));
  const codes: Record<string, number> = {};
  for (const { status, json } of replies)
    codes[`${status} ${json.code ?? ''}`] = (codes[`${status} ${json.code ?? ''}`] ?? 0) + 1;
  expect(codes).toEqual({ '201 ': 25, '409 slot_taken': 975 });
  const [row] = await world.sql<{ count: number }>('select count(distinct starts_at)::int as count from appointments');
  expect(row?.count).toBe(25);
});
