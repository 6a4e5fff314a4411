import { randomUUID } from 'node:crypto';
import type { SQL } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoice } from '../../../src/billing/invoices/resource.ts';
import { appointment } from '../../../src/calendar/appointments/resource.ts';
import { branch } from '../../../src/catalog/branches/resource.ts';
import { formatId, type Prefix } from '../../../src/core/id.ts';
import { client as clientResource } from '../../../src/people/clients/resource.ts';
import { askedOf } from '../../../src/resources/filters.ts';
import { pageStatements } from '../../../src/resources/page.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { fill, openRows, type Rows } from '../../support/many-rows.ts';
import { asReader, statementOf } from '../../support/plans.ts';

// Every index that the brief lists, in the form it has here, is what a statement of the product takes, among enough rows.

const company = randomUUID();
const id = (prefix: Prefix): string => formatId(prefix, '00000003-0000-7000-8000-000000000007');
const SOMEBODY = formatId('clnt', '00000000-0000-7000-8000-000000000007');
let rows: Rows;
let client: pg.Client;

/** A hundred days, nine branches and staff, 499 clients, and each status in turn; every other row is another company's. */
const DRAWN = `with drawn as (select n, gen_random_uuid() as id, date '2025-01-01' + (n * 7 % 100)::int as day, timestamptz '2025-01-01Z' + n * interval '7 minutes' as made,
  case when n % 2 = 0 then '${company}' else '00000000-0000-7000-8000-000000000001' end::uuid as c,
  ('0000000' || (1 + n / 2 % 9) || '-0000-7000-8000-000000000007')::uuid as whose,
  ('00000000-0000-7000-8000-' || lpad((n / 2 % 499)::text, 12, '0'))::uuid as client from generate_series(0, 11999) n)`;
const FILLS = [
  `${DRAWN} insert into appointments (company_id, id, branch_id, client_id, services, starts_at, ends_at, time_zone, local_date, local_start, status, status_history, created_at, updated_at)
   select c, id, whose, client, jsonb_build_array(jsonb_build_object('serviceId', whose, 'staffId', whose, 'name', 'Cut', 'startOffsetMinutes', 0, 'durationMinutes', 60,
       'bufferBeforeMinutes', 0, 'bufferAfterMinutes', 0, 'processing', '[]'::jsonb, 'price', null, 'taxes', '[]'::jsonb)), day + time '09:00', day + time '10:00', 'UTC', day, '09:00',
     status, jsonb_build_array(jsonb_build_object('status', status)), made, made
   from drawn, lateral (select (array['CONFIRMED', 'COMPLETED', 'CANCELLED', 'PENDING'])[1 + n / 2 % 4] as status) s`,
  `insert into appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
   select company_id, id, 1, gen_random_uuid(), staff_id, local_date, local_start from appointments`,
  `${DRAWN} insert into invoices (company_id, id, branch_id, client_id, status, series, number, currency, tax_inclusive, lines, subtotal, discount_total, tax, total, paid, issue_date, due_date, created_at, updated_at)
   select c, id, whose, client, case when n % 200 = 0 then 'OPEN' else 'PAID' end, 'IMPORTED', n, 'EUR', false, '[]', 100, 0, 0, 100,
     case when n % 200 = 0 then 0 else 100 end, day, day + 14, made, made from drawn`,
];

beforeAll(async () => {
  rows = await openRows(company);
  ({ client } = rows);
  for (const table of ['clients', 'branches']) await fill(client, table, company, { own: 3000, others: 3000 });
  await client.query('set session_replication_role = replica');
  for (const rows of FILLS) await client.query(rows);
  await client.query('reset session_replication_role');
  await client.query('vacuum analyze');
});
afterAll(() => rows.close());

/** In the brief; here; and the query of a list that takes it. */
const INDEXES: readonly [brief: string, index: string, resource: Resource, query: string][] = [
  ['companyId, status', 'clients_created', clientResource, 'status=INACTIVE'],
  ['companyId, isActive', 'branches_created', branch, 'isActive=false'],
  [
    'branchId, date, status',
    'appointments_branch_day',
    appointment,
    `branchId=${id('brch')}&date=2025-02-03&status=PENDING`,
  ],
  ['staffId, date, startTime', 'appointment_parts_staff_day', appointment, `staffId=${id('stf')}&date=2025-02-03`],
  ['companyId, date, status', 'appointments_day', appointment, 'date=2025-02-03&status=PENDING'],
  ['companyId, createdAt', 'clients_created', clientResource, 'createdAfter=2025-01-20T00:00:00Z'],
  ['clientId, createdAt', 'appointments_client_created', appointment, `clientId=${SOMEBODY}`],
  ['clientId, createdAt of invoices', 'invoices_client', invoice, `clientId=${SOMEBODY}`],
  ['companyId, paymentStatus', 'invoices_payment_status', invoice, 'paymentStatus=UNPAID'],
  ['status, dueDate of what is open', 'invoices_overdue', invoice, 'overdue=true'],
  ['status, dueDate in its order', 'invoices_due', invoice, 'status=OPEN&sort=dueDate'],
];

type Node = {
  'Index Name'?: string;
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Loops': number;
  Plans?: Node[];
};
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

test.each(INDEXES)('%s: %s', async (_, index, resource, text) => {
  const query = askedOf(resource.list, new URLSearchParams(`${text}&limit=10&count=none`));
  const { text: statement, values } = statementOf(
    pageStatements(resource, query, null, { companyId: company })[0] as SQL,
  );
  const { rows } = await asReader(client, company, () =>
    client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (analyze, timing off, format json) ${statement}`, values),
  );
  const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0].Plan as Node).filter((node) => node['Actual Loops'] > 0);
  expect(nodes.flatMap((node) => node['Index Name'] ?? [])).toContain(index);
  const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
  expect(scanned).not.toContain(resource.topic);
});
