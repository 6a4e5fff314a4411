import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { everyRoute } from '../../../src/app.ts';
import { formatId, newUuid } from '../../../src/core/id.ts';
import type { ListDeclaration } from '../../../src/core/list-query.ts';
import type { FilterDeclaration } from '../../../src/core/query-values.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { LiveRoute } from '../../../src/data/live-list.ts';
import { type Row, snapshot } from '../../../src/data/log.ts';
import type { Viewer } from '../../../src/data/registry.ts';
import { registry } from '../../../src/registry.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { SEED } from '../../support/draws.ts';
import { connect, makeCompany, openStage } from '../support.ts';

// One declaration, two readings: which rows a list has and in which order, by SQL and by a function of a row, for random
// rows of every resource and random queries of every list that can be followed.

const OWN_SEED = Number(process.env.LIVE_SEED ?? SEED);
const ROWS = 60;
const QUERIES = 25;

const stage = await openStage();
afterAll(() => stage.close());
const company = await makeCompany(stage);
const admin = await stage.console();
await admin.query('reset role; set session_replication_role = replica');
const { rows: checks } = await admin.query<{ name: string; owner: string }>(
  `select conname as name, conrelid::regclass::text as owner from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`,
);
// Rows need not make sense.
for (const { name, owner } of checks) await admin.query(`alter table ${owner} drop constraint "${name}"`);

let state = OWN_SEED;
const number = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const pick = <T>(of: readonly T[]): T => of[number(of.length)] as T;
const some = <T>(of: readonly T[]): T[] => of.filter(() => number(2) === 0);

const UUIDS = [1, 2, 3].map((n) => `01900000-0000-7000-8000-00000000000${n}`);
const TEXTS = ['Anna', 'anna', 'Ähre', 'ähre', '\uffee', '😀', 'Z', 'CHAIR', "O'Neil", '%'];
const DAYS = ['2026-02-28', '2026-03-01', '2026-03-29'];
const INSTANTS = ['2026-02-28T23:30:00Z', '2026-03-01T00:00:00.5Z', '2026-03-29T01:00:00.125Z', '2026-03-01T00:00:00Z'];

type Column = { name: string; type: string; nullable: boolean };

function cellOf({ name, type, nullable }: Column, values: readonly string[], n: number): unknown {
  if (name === 'id') return newUuid();
  if (name === 'company_id') return company;
  if (name === 'ends_at') return '2027-01-01T00:00:00Z';
  if (name === 'time_zone') return pick(['Europe/Vienna', 'Pacific/Auckland', 'America/New_York']);
  if (nullable && number(4) === 0) return null;
  if (values.length > 0) return pick(values);
  switch (type) {
    case 'uuid':
      return pick(UUIDS);
    case '_uuid':
      return some(UUIDS);
    case '_text':
      return some(TEXTS);
    case 'timestamptz':
    case 'timestamp':
      return pick(INSTANTS);
    case 'date':
      return pick(DAYS);
    case 'time':
      return '10:00';
    case 'bool':
      return number(2) === 0;
    case 'bpchar':
      return 'EUR';
    case 'jsonb':
      return name === 'services' ? some(UUIDS).map((staffId) => ({ staffId })) : [];
    case 'text':
      return name === 'email' ? `${n}@example.com` : pick(TEXTS);
    default:
      return number(5);
  }
}

/** Fills the table of a resource with random rows, and what triggers would have made of them. */
async function fill({ tableName, fields }: Resource): Promise<void> {
  const { rows: columns } = await admin.query<Column>(
    `select column_name as name, udt_name as type, is_nullable = 'YES' as nullable from information_schema.columns
      where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'`,
    [tableName],
  );
  const known = new Map([...fields.values()].map(({ name, values }) => [name, values]));
  const rows = Array.from({ length: ROWS }, (_, n) =>
    Object.fromEntries(columns.map((column) => [column.name, cellOf(column, known.get(column.name) ?? [], n)])),
  );
  const names = columns.map(({ name }) => `"${name}"`).join();
  await admin.query(
    `insert into ${tableName} (${names}) select ${names} from jsonb_populate_recordset(null::${tableName}, $1) on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}

const resources = [...registry.values()] as Resource[];
for (const resource of resources) if (resource.entity !== 'company') await fill(resource);
// And what a trigger would have kept.
await admin.query(`update appointments set local_date = (starts_at at time zone time_zone)::date,
    local_start = (starts_at at time zone time_zone)::time;
  insert into staff_branches (company_id, staff_id, branch_id)
  select company_id, id, unnest(branch_ids) from staff;
  insert into client_tags (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
  select company_id, id, tag, status, first_name, last_name, app.other_name(name, first_name, last_name), created_at, updated_at
    from clients, lateral (select distinct tag from unnest(tags) tag) u;
  insert into appointment_parts (company_id, appointment_id, position, staff_id, service_id, local_date, local_start)
  select a.company_id, a.id, p.n, (p.part ->> 'staffId')::uuid, $$${UUIDS[0]}$$, a.local_date, a.local_start
    from appointments a, jsonb_array_elements(a.services) with ordinality p (part, n);
  insert into appointment_staff (company_id, appointment_id, staff_id, status, branch_id, client_id, series_id, starts_at, local_date, created_at, updated_at)
  select distinct a.company_id, a.id, (part ->> 'staffId')::uuid, a.status, a.branch_id, a.client_id, a.series_id, a.starts_at, a.local_date, a.created_at, a.updated_at
    from appointments a, jsonb_array_elements(a.services) part`);

const database = connect(stage, 'read');

const viewer: Viewer = { companyId: company, userId: null, role: 'OWNER', may: () => true };

function randomValue({ kind, values = [], prefix = 'clnt' }: FilterDeclaration): string {
  switch (kind) {
    case 'boolean':
      return pick(['true', 'false']);
    case 'enum':
      return pick(values);
    case 'enumList':
      return [pick(values), ...some(values)].join();
    case 'instant':
      return pick(INSTANTS);
    case 'date':
      return pick(DAYS);
    case 'id':
      return formatId(prefix, pick(UUIDS));
    case 'idList':
      return UUIDS.map((id) => formatId(prefix, id)).join();
    case 'text':
      return pick(TEXTS);
  }
}

function randomQuery({ filters, sorts }: ListDeclaration): URLSearchParams {
  const params = new URLSearchParams({ limit: '100', count: 'none' });
  for (const [name, filter] of Object.entries(filters)) if (number(3) === 0) params.set(name, randomValue(filter));
  const sort = some(sorts).map((name) => (number(2) === 0 ? `-${name}` : name));
  if (sort.length > 0) params.set('sort', sort.join());
  return params;
}

const lists = everyRoute().flatMap(({ path, list, live }) =>
  live === undefined || list === undefined ? [] : [{ path, list, live }],
);

/** The resource of a list, by the last step of its path. */
const resourceOf = (path: string): Resource =>
  resources.find(({ topic }) => topic === path.split('/').at(-1)) as Resource;

describe.each(lists.map((each) => [each.path, each] as const))('%s', (path, { list, live }) => {
  test(`has the same rows in the same order by SQL and by itself (seed ${OWN_SEED})`, async () => {
    const { row, table } = resourceOf(path);
    const parent = path.includes('/:id') ? formatId(path.startsWith('/staff') ? 'stf' : 'rsrc', UUIDS[0] ?? '') : null;
    const queries = Array.from({ length: QUERIES }, () => randomQuery(list)).flatMap((params) => {
      const found = parsed(live, params, parent);
      return found?.rows == null ? [] : [{ params, found, rows: found.rows }];
    });
    expect(queries.length).toBeGreaterThan(0);
    const all = sql<{ row: Row }>`select ${row} as row from ${table}`;
    const call = { database, companyId: company, name: 'test' };
    const ctx = makeCtx('test', () => undefined);
    const { rows: answers } = await snapshot(ctx, call, [all, ...queries.map(({ found }) => found.count())] as const);
    const [every, ...counted] = answers;
    for (const [n, { params, rows }] of queries.entries()) {
      const own = every.flatMap(({ row: each }) => (rows.holds(each) ? [rows.placeOf(each)] : [])).sort(rows.compare);
      expect(counted[n]?.[0], params.toString()).toEqual({ size: own.length, places: own, isThere: parent === null });
    }
  });
});

test('is told that it has changed, and no more, where a row does not say it all; refused where the clock decides', () => {
  const told = lists.flatMap(({ path, list, live }) => {
    const parent = path.includes('/:id') ? '' : null;
    const names = [...Object.keys(list.filters), ...(list.search ? ['search'] : []), ...(list.includes ?? [])];
    return names.flatMap((name) => {
      const filter = list.filters[name];
      const [key, value] =
        filter !== undefined ? [name, randomValue(filter)] : name === 'search' ? [name, 'x'] : ['include', name];
      const found = parsed(live, new URLSearchParams([[key, value]]), parent);
      return found === null ? [`${path} ${name}: refused`] : found.rows === null ? [`${path} ${name}`] : [];
    });
  });
  // What a search by words finds is for the database to say, of whatever can be searched.
  const searches = lists.flatMap(({ path, list }) => (list.search ? [`${path} search`] : []));
  expect(told.filter((each) => each.endsWith(' search'))).toEqual(searches);
  expect(searches).toContain('/clients search');
  expect(told.filter((each) => !searches.includes(each))).toEqual([
    '/staff serviceId',
    '/services staffId',
    '/clients duplicates',
    '/clients stats',
    '/invoices overdue: refused',
  ]);
});

test('every list that can be read can be followed, but imports, which no log has', () => {
  const others = everyRoute().filter(({ list, live }) => list !== undefined && live === undefined);
  expect(others.map(({ path }) => path)).toEqual(['/imports']);
});

function parsed(live: LiveRoute, params: URLSearchParams, parent: string | null) {
  try {
    return live.parse(params, parent, viewer);
  } catch {
    return null;
  }
}
