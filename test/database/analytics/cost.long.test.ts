import { randomUUID } from 'node:crypto';
import type { SQL } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillCompanies } from '../../../bench/queries-rows.ts';
import type { Principal } from '../../../src/http/context.ts';
import { appointmentReport } from '../../../src/insight/analytics/appointments.ts';
import { clientReport } from '../../../src/insight/analytics/clients.ts';
import { revenueReport } from '../../../src/insight/analytics/revenue.ts';
import type { ParsedQuery, ReadRoute } from '../../../src/resources/read.ts';
import { asReader, explain, statementOf, used } from '../../support/plans.ts';
import { openStage, type Stage } from '../support.ts';

// What a year of a company with 100,000 appointments costs the processor of Postgres, by report. Printed; what is asserted is what is read.

const company = randomUUID();
const others = Array.from({ length: 6 }, () => randomUUID());
let stage: Stage;
let client: pg.Client;
beforeAll(async () => {
  stage = await openStage();
  const insert = `insert into companies (id, name, currency, time_zone) values ($1, 'Salon', 'EUR', 'Europe/Vienna')`;
  for (const id of [company, ...others]) await stage.sql(insert, [id]);
  await fillCompanies(stage.adminUrl, [company, ...others], () => undefined);
  client = await stage.console();
}, 600_000);
afterAll(() => stage.close());

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const YEAR = { from: day(-365), to: day(0), before: day(-365), branchId: null, normalised: '' };
const ROUNDS = 7;

async function cost<Q extends ParsedQuery, S extends readonly SQL[]>(route: ReadRoute<Q, S>, query: Q) {
  const [statement] = route.statements(query, { companyId: company } as Principal);
  const { text, values } = statementOf(statement as SQL);
  return asReader(client, company, async () => {
    await client.query('set local max_parallel_workers_per_gather = 0');
    const times: number[] = [];
    for (let n = 0; n < ROUNDS; n += 1) {
      const before = await used(client);
      await client.query(text, values);
      times.push((await used(client)) - before);
    }
    times.sort((a, b) => a - b);
    return { ms: Math.round(times[ROUNDS >> 1] ?? 0), reading: await explain(client, { text, values }) };
  });
}

test.each(['day', 'status', 'branch', 'staff', 'service'])('appointments by %s', async (groupBy) => {
  const { ms, reading } = await cost(appointmentReport, { ...YEAR, groupBy });
  console.log(`appointments by ${groupBy}: ${ms} ms`);
  // The service stands in the parts, which are in no index.
  if (groupBy !== 'service') expect(reading.scans.join()).toContain('Index Only Scan of appointments');
});

test.each(['day', 'month', 'branch', 'staff', 'service', 'tax'])('revenue by %s', async (groupBy) => {
  const { ms } = await cost(revenueReport, { ...YEAR, groupBy });
  console.log(`revenue by ${groupBy}: ${ms} ms`);
});

test('clients, new and returning', async () => {
  const { ms, reading } = await cost(clientReport, { ...YEAR, groupBy: 'client' });
  console.log(`clients: ${ms} ms`);
  expect(reading.scans.join()).toContain('Index Only Scan of appointments');
});
