import pg from 'pg';
import type { Prefix } from '../../src/core/id.ts';
import { until } from './until.ts';
import { openStack } from './world.ts';

/** Where others' rows belong: to twenty companies, which stand between the one's. */
const OTHERS = 20;

/** One of the few that many rows belong to; a path names it by the same two. */
export const fixedId = (kind: string, n: number): string =>
  `00000000-0000-4000-8000-${kind}${String(n).padStart(8, '0')}`;
const fixed = (kind: string, n: string): string =>
  `('00000000-0000-4000-8000-${kind}' || lpad((${n})::text, 8, '0'))::uuid`;

// Most are of the first branch and staff member, a tenth of the second, a thousandth of the third; of a client's twenty, of one's thousand.
const PLACE = `case when n % 997 = 0 then 2 when n % 10 = 1 then 1 else 0 end`;
const BRANCH = fixed('b0b0', PLACE);
const STAFF = fixed('50f0', PLACE);
const CLIENT = fixed('c1c1', 'case when n % 101 = 0 then 9999 else n % 5003 end');
/** Whom or what a row refers to, by the kind of its ids. */
export const drawn = (prefix: Prefix): string =>
  ({ brch: BRANCH, stf: STAFF, clnt: CLIENT })[String(prefix)] ?? 'gen_random_uuid()';
const PART = `jsonb_build_array('{"name": "Cut", "startOffsetMinutes": 0, "durationMinutes": 30, "bufferBeforeMinutes": 0, "bufferAfterMinutes": 0,
  "processing": [], "price": null, "taxes": []}'::jsonb || jsonb_build_object('serviceId', ${fixed('5e50', '0')}, 'staffId', ${STAFF}))`;
const BOOKED = `case when n % 20 < 2 then 'CANCELLED' when n % 20 = 2 then 'NO_SHOW' when n % 20 = 3 then 'PENDING' when n % 20 = 4 then 'CONFIRMED' else 'COMPLETED' end`;
const ISSUED = `case n % 20 when 0 then 'DRAFT' when 1 then 'VOID' when 2 then 'UNCOLLECTIBLE' when 3 then 'OPEN' when 4 then 'OPEN' else 'PAID' end`;
const PAID = `case when n % 50 = 1 then 'FAILED' when n % 997 = 2 then 'PENDING' else 'SUCCEEDED' end`;

const TABLES: Readonly<Record<string, string>> = {
  // Names that many share, some without one or both; tags that are frequent, rare, at the far end only, or others' alone.
  clients: `insert into clients (company_id, id, first_name, last_name, email, external_id, status, tags, created_at, updated_at)
    select c, id, case when n % 20 = 3 then null else 'F' || (i * 31 % 997) end, case when n % 20 = 4 then null else 'L' || (i * 7 % 5003) end,
      'p' || i || '@example.com', 'X' || i, case when n % 10 < 2 then 'INACTIVE' when n % 10 = 2 then 'ARCHIVED' else 'ACTIVE' end,
      array_remove(array[case when n % 2 = 0 then 'half' end, case when n % 101 = 0 then 'hundredth' end, case when n % 997 = 0 then 'rare' end,
        case when n < most * 0.8 then 'older' end, case when not own and n % 3 = 0 then 'elsewhere' end], null), made, changed from drawn`,
  branches: `insert into branches (company_id, id, name, time_zone, is_active, external_id, created_at, updated_at)
    select c, id, 'B' || (i * 31 % 997), 'UTC', n % 10 <> 2, 'X' || i, made, changed from drawn`,
  users: `insert into users (company_id, id, name, email, role, status, external_id, created_at, updated_at)
    select c, id, 'U' || (i * 31 % 997), 'p' || (i * 7919 % 1000003) || '.' || i || '@example.com', case when n % 50 = 1 then 'ADMIN' else 'STAFF' end,
      case when n % 10 = 2 then 'ARCHIVED' else 'ACTIVE' end, 'X' || i, made, changed from drawn`,
  api_keys: `insert into api_keys (company_id, id, name, scopes, created_by, revoked_at, external_id, created_at, updated_at)
    select c, id, 'K' || (i * 31 % 997), '{clients:read}', 'SYSTEM', case when n % 10 = 2 then changed end, 'X' || i, made, changed from drawn`,
  imports: `insert into imports (company_id, id, resource, dry_run, status, created_by, created_at, finished_at)
    select c, id, 'clients', n % 7 = 1, case when n % 10 < 2 then 'FAILED' when n % 20 = 2 then 'RUNNING' else 'COMPLETED' end, 'SYSTEM', made,
      case when n % 20 = 2 then null else changed end from drawn`,
  client_tags: `insert into client_tags (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
    select c.company_id, c.id, tag, c.status, c.first_name, c.last_name, app.other_name(c.name, c.first_name, c.last_name), c.created_at, c.updated_at
    from clients c, unnest(c.tags) tag`,
  staff: `insert into staff (company_id, id, first_name, last_name, is_active, branch_ids, service_ids, user_id, external_id, created_at, updated_at)
    select c, id, 'F' || (i * 31 % 997), case when n % 20 = 4 then null else 'L' || (i * 7 % 5003) end, n % 10 <> 2, array[${BRANCH}],
      array[${fixed('5e50', PLACE)}], id, 'X' || i, made, changed from drawn`,
  staff_branches:
    'insert into staff_branches (company_id, staff_id, branch_id) select company_id, id, unnest(branch_ids) from staff',
  offers: `insert into offers (company_id, service_id, staff_id, said_by)
    select company_id, unnest(service_ids), id, 'staff' from staff union all select company_id, id, ${fixed('50f0', "case when external_id like '%7' then 1 else 0 end")}, 'service' from services`,
  services: `insert into services (company_id, id, name, category, duration_minutes, is_active, external_id, created_at, updated_at)
    select c, id, 'S' || (i * 31 % 997), case when n % 997 = 0 then 'rare' when n % 101 = 0 then 'hundredth' else 'C' || n % 3 end, 30, n % 10 <> 2,
      'X' || i, made, changed from drawn`,
  resources: `insert into resources (company_id, id, name, kind, branch_id, is_active, external_id, created_at, updated_at)
    select c, id, 'R' || (i * 31 % 997), case when n % 997 = 0 then 'rare' when n % 101 = 0 then 'hundredth' else 'K' || n % 3 end, ${BRANCH}, n % 10 <> 2,
      'X' || i, made, changed from drawn`,
  time_off: `insert into time_off (company_id, id, staff_id, starts_at, ends_at, external_id, created_at, updated_at)
    select c, id, ${fixed('50f0', '0')}, changed, changed + interval '1 hour', 'X' || i, made, changed from drawn`,
  appointments: `insert into appointments (company_id, id, branch_id, client_id, series_id, services, starts_at, ends_at, time_zone, local_date, local_start,
      status, status_history, external_id, created_at, updated_at)
    select c, id, ${BRANCH}, ${CLIENT}, case when n % 997 = 1 then ${fixed('5e70', '1')} end, ${PART}, at, at + interval '30 minutes', 'UTC',
      (at at time zone 'UTC')::date, (at at time zone 'UTC')::time, ${BOOKED},
      jsonb_build_array(jsonb_build_object('status', ${BOOKED}, 'at', made, 'by', 'SYSTEM', 'reason', null)), 'X' || i, made, changed
    from (select *, date_trunc('minute', made, 'UTC') + (i * 7919 % 1009) * interval '1 minute' as at from drawn) d`,
  appointment_parts: `insert into appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
    select company_id, id, 0, (services -> 0 ->> 'serviceId')::uuid, staff_id, local_date, local_start from appointments`,
  appointment_staff: `insert into appointment_staff (company_id, appointment_id, staff_id, status, branch_id, client_id, series_id, starts_at, local_date, created_at, updated_at)
    select company_id, id, staff_id, status, branch_id, client_id, series_id, starts_at, local_date, created_at, updated_at from appointments`,
  series: `insert into series (company_id, id, branch_id, client_id, rrule, local_start, time_zone, services, external_id, created_at, updated_at)
    select c, id, ${BRANCH}, ${CLIENT}, 'FREQ=WEEKLY', '2026-01-01T10:00', 'UTC', '[]', 'X' || i, made, changed from drawn`,
  invoices: `insert into invoices (company_id, id, branch_id, client_id, status, series, number, issue_date, due_date, currency, tax_inclusive, lines, subtotal,
      discount_total, tax, total, paid, refunded, external_id, created_at, updated_at)
    select c, id, ${BRANCH}, ${CLIENT}, status, 'IMPORTED', case when status not in ('DRAFT', 'VOID') then 'I' || i end,
      case when status not in ('DRAFT', 'VOID') then made::date end, case when n % 7 > 0 and status <> 'DRAFT' then made::date + (i * 7919 % 61)::int end,
      'EUR', true, '[]', 1000, 0, 0, 1000, case status when 'PAID' then 1000 when 'OPEN' then n % 2 * 500 else 0 end,
      case when n % 1009 = 5 and status = 'PAID' then 300 else 0 end, 'X' || i, made, changed
    from (select *, ${ISSUED} as status from drawn) d`,
  payments: `insert into payments (company_id, id, branch_id, invoice_id, client_id, business_date, amount, currency, status, method, paid_at, external_id,
      created_at, updated_at)
    select c, id, ${BRANCH}, ${fixed('1d00', 'n / 2')}, ${CLIENT}, changed::date, 1000, 'EUR', ${PAID}, 'CASH', changed, 'X' || i, made, changed from drawn`,
  refunds: `insert into refunds (company_id, id, branch_id, payment_id, business_date, amount, currency, status, refunded_at, external_id, created_at, updated_at)
    select c, id, ${BRANCH}, ${fixed('9a00', 'n / 2')}, changed::date, 1000, 'EUR', ${PAID}, changed, 'X' || i, made, changed from drawn`,
  webhooks: `insert into webhooks (company_id, id, url, is_active, external_id, created_at, updated_at)
    select c, id, 'https://example.com/' || i, n % 10 <> 2, 'X' || i, made, changed from drawn`,
  alerts: `insert into alerts (company_id, id, name, metric, comparison, threshold, url, is_active, external_id, created_at, updated_at)
    select c, id, 'A' || i, 'errorRate', 'ABOVE', 2, 'https://example.com/' || i, n % 10 <> 2, 'X' || i, made, changed from drawn`,
  changes: `insert into changes (company_id, revision, entity, entity_id, operation, schema_version, after, actor, changed_at)
    select c, n + 1, 'client', ('00000000-0000-4000-8000-' || lpad((i * 31 % 9973)::text, 12, '0'))::uuid, 'update', 1,
      '{"id": "00000000-0000-4000-8000-000000000000", "external_id": null, "first_name": "A", "last_name": null, "name": "A", "email": null,
        "phone": null, "status": "ACTIVE", "tags": [], "notes": null, "custom_fields": {}, "merged_into": null, "erased_at": null,
        "version": 1, "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z"}', 'SYSTEM', made from drawn on conflict do nothing`,
};

/**
 * Fills a table with `own` rows of a company and `others` of other ones, mixed, past all triggers.
 * @param rows how they are drawn, where that is not told above
 */
export async function fill(
  client: pg.Client,
  table: string,
  company: string,
  { own, others }: { own: number; others: number },
  rows: string | undefined = TABLES[table],
): Promise<void> {
  // Of rows whose commit may yet be lost, a vacuum does not say that all may see them.
  await client.query('set session_replication_role = replica; set synchronous_commit = on');
  // Many rows at once are quicker without the indexes than through each of them.
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
      where schemaname = 'public' and tablename = $1 and not exists (select from pg_constraint where conname = indexname)`,
    [table],
  );
  const apart = others > 100_000 ? indexes : [];
  for (const { name } of apart) await client.query(`drop index ${name}`);
  // One row in so many is the company's own.
  const each = 1 + Math.round(others / own);
  await client.query(
    `with drawn as (
      select i, i % ${each} = 0 as own, case when i % ${each} = 0 then i / ${each} else i end as n, ${own} as most,
        case when i % ${each} = 0 then $1::uuid else ('00000000-0000-7000-8000-' || lpad((i % ${OTHERS})::text, 12, '0'))::uuid end as c,
        gen_random_uuid() as id, timestamptz '2025-01-01Z' + i * interval '10 minutes' / ${each} as made,
        timestamptz '2025-01-01Z' + i * interval '10 minutes' / ${each} + (i * 7919 % 100003) * interval '1 minute' as changed
      from generate_series(0::bigint, $2::bigint - 1) i)
    ${rows}`,
    [company, own * each],
  );
  for (const { definition } of apart) await client.query(definition);
  await client.query('reset session_replication_role');
  // What lies before a page is passed over in the index where the visibility map says that it may be.
  // Until all may be seen by all, which an index alone answers: whoever else is at work for a moment holds some pages back.
  await until(`every page of ${table} is visible to all`, async () => {
    await client.query(`vacuum analyze ${table}`);
    const seen = 'select relallvisible >= relpages as whole from pg_class where oid = $1::regclass';
    return (await client.query<{ whole: boolean }>(seen, [table])).rows[0]?.whole;
  });
}

/** A database's owner, who fills in rows. */
export type Rows = { client: pg.Client; close(): Promise<void> };

/** Makes a database with this company, which has no rows yet. */
export async function openRows(company: string): Promise<Rows> {
  const database = await openStack();
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  await client.query(`insert into companies (id, name, currency, time_zone) values ($1, 'Big', 'EUR', 'UTC')`, [
    company,
  ]);
  const close = async (): Promise<void> => {
    await client.end();
    await database.close();
  };
  return { client, close };
}
