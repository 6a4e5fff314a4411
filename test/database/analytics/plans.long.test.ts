import { randomUUID } from 'node:crypto';
import type { SQL } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Principal } from '../../../src/http/context.ts';
import { APPOINTMENTS_BY, appointmentReport } from '../../../src/insight/analytics/appointments.ts';
import { clientReport } from '../../../src/insight/analytics/clients.ts';
import { dashboard } from '../../../src/insight/analytics/dashboard.ts';
import { REVENUE_BY, revenueReport } from '../../../src/insight/analytics/revenue.ts';
import type { ParsedQuery, ReadRoute } from '../../../src/resources/read.ts';
import { fill, openRows, type Rows } from '../../support/many-rows.ts';
import { asReader, explain, statementOf } from '../../support/plans.ts';

// What a report reads is what its days hold, whatever else is there: ten days of a company's, among ten times as many rows of others'.

const company = randomUUID();
const caller = { companyId: company } as Principal;
const OWN = 1500;
let rows: Rows;
let client: pg.Client;
/** Rows of the days that are asked about. */
let month = { visits: 0, bills: 0 };

const DAYS = { from: '2025-01-05', to: '2025-01-07' };
beforeAll(async () => {
  rows = await openRows(company);
  ({ client } = rows);
  for (const table of ['appointments', 'invoices']) await fill(client, table, company, { own: OWN, others: 10 * OWN });
  await client.query(`set session_replication_role = replica;
    insert into invoice_lines (company_id, id, invoice_id, position, kind, quantity, net, tax, total, taxes)
      select company_id, gen_random_uuid(), id, 1, 'OTHER', 1, 1000, 0, 1000, '[{"name": "VAT", "rateBasisPoints": 0, "amount": 0}]' from invoices;
    insert into branches (company_id, id, name, time_zone) select distinct company_id, branch_id, 'B', 'UTC' from appointments where company_id = '${company}';
    reset session_replication_role`);
  await client.query('vacuum analyze');
  const counted = await client.query<{ visits: string; bills: string }>(
    `select (select count(*) from appointments where company_id = $1 and local_date >= $2::date - 2 and local_date < $3::date + 2) as visits,
      (select count(*) from invoices where company_id = $1 and issue_date >= $2::date and issue_date < $3::date) as bills`,
    [company, DAYS.from, DAYS.to],
  );
  const [found] = counted.rows;
  month = { visits: Number(found?.visits), bills: Number(found?.bills) };
});
afterAll(() => rows.close());

const readOf = async <Q extends ParsedQuery, S extends readonly SQL[]>(route: ReadRoute<Q, S>, query: Q) => {
  const [statement] = route.statements(query, caller);
  return asReader(client, company, () => explain(client, statementOf(statement as SQL)));
};
const report = (groupBy: string) => ({ ...DAYS, before: DAYS.from, groupBy, branchId: null, normalised: '' });

/** None of these is read whole. */
const LARGE = /Seq Scan of (?:appointments|invoices|invoice_lines)/;

test.each(APPOINTMENTS_BY)('appointments by %s', async (by) => {
  const reading = await readOf(appointmentReport, report(by));
  expect(month.visits).toBeGreaterThan(100);
  expect(reading.scans.join()).not.toMatch(LARGE);
  expect(reading.rows).toBeLessThanOrEqual(2 * month.visits + 50);
});

test.each(REVENUE_BY)('revenue by %s', async (by) => {
  const reading = await readOf(revenueReport, report(by));
  expect(month.bills).toBeGreaterThan(100);
  expect(reading.scans.join()).not.toMatch(LARGE);
  // Where lines are asked for, those of a small company are read at once; never anybody else's.
  expect(reading.rows).toBeLessThanOrEqual(month.bills + OWN + 50);
});

test('clients, new and returning: a look for each of them besides', async () => {
  const reading = await readOf(clientReport, report('client'));
  expect(reading.scans.join()).not.toMatch(LARGE);
  expect(reading.rows).toBeLessThanOrEqual(6 * month.visits + 50);
});

test('the dashboard reads its days alone', async () => {
  const reading = await readOf(dashboard, { branchId: null, normalised: '' });
  expect(reading.scans.join()).not.toMatch(LARGE);
  // Those that are overdue, and their branches: all else is long past.
  expect(reading.rows).toBeLessThanOrEqual(OWN / 4);
});
