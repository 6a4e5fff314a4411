import type pg from 'pg';
import { until } from './until.ts';

/** Where others' rows belong: to twenty companies, which stand between the one's. */
const OTHERS = 20;

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
  changes: `insert into changes (company_id, revision, entity, entity_id, operation, schema_version, after, actor, changed_at)
    select c, n + 1, 'client', ('00000000-0000-4000-8000-' || lpad((i * 31 % 9973)::text, 12, '0'))::uuid, 'update', 1,
      '{"id": "00000000-0000-4000-8000-000000000000", "external_id": null, "first_name": "A", "last_name": null, "name": "A", "email": null,
        "phone": null, "status": "ACTIVE", "tags": [], "notes": null, "custom_fields": {}, "merged_into": null, "erased_at": null,
        "version": 1, "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z"}', 'SYSTEM', made from drawn on conflict do nothing`,
};

/** Fills a table with `own` rows of a company and `others` of other ones, mixed, past all triggers. */
export async function fill(
  client: pg.Client,
  table: string,
  company: string,
  { own, others }: { own: number; others: number },
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
    ${TABLES[table]}`,
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
