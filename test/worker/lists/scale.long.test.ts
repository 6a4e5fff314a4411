import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { signUp, type Tenant } from '../../support/api.ts';
import { FILLED, filtered, PLAIN, SORTS, unasked } from '../../support/many-lists.ts';
import { fill, fixedId } from '../../support/many-rows.ts';
import { uuidOf } from '../../support/people.ts';
import { plainRows } from '../../support/plain-rows.ts';
import { asReader, explain, type Reading, type Statement, used } from '../../support/plans.ts';
import { openWorld, type World } from '../../support/world.ts';

/**
 * Every list, sort, direction and filter of a company with many rows beside ten times as many of others', by the very statements
 * that the Worker sends. What is asserted is what is read; times of the processor are printed, because they are the machine's.
 * `LISTS_OWN=100000` makes it larger: rows alone take twenty minutes to fill in then. `LISTS_ONLY=/invoices` asks for the paths alone
 * that have one of these parts, between commas, and `LISTS_TABLES=invoices` fills in no other tables.
 */
const OWN = Number(process.env.LISTS_OWN ?? 20_000);
const OTHERS = OWN * 10;
const ROUNDS = Number(process.env.LISTS_ROUNDS ?? 15);
const ONLY = process.env.LISTS_ONLY?.split(',');
const TABLES = process.env.LISTS_TABLES?.split(',');
const LIMIT = 20;
/** The last page that numbers reach, or one near the end of fewer rows. */
const DEEP = Math.min(500, Math.floor((OWN * 0.7) / LIMIT));
/** Rows read per row of a page. */
const MOST = 20 * (LIMIT + 1);
/** What is decided in an index passes over entries, all of them at worst, each with what another index says of it. */
const MOST_PASSED = 2 * OWN + MOST;

let world: World;
let tenant: Tenant;
let client: pg.Client;
let company: string;
beforeAll(async () => {
  world = await openWorld();
  tenant = await signUp(world.api);
  company = uuidOf('comp', tenant.companyId);
  client = new pg.Client({ connectionString: world.adminUrl });
  await client.connect();
  // Lists never ask it, and it takes longer to fill than all the rest.
  await client.query('drop index clients_search');
  const rows = { own: OWN, others: OTHERS };
  const isFilled = (table: string): boolean => TABLES?.includes(table) ?? true;
  for (const table of FILLED.filter(isFilled)) await fill(client, table, company, rows);
  for (const resource of PLAIN.filter(({ tableName }) => isFilled(tableName)))
    await fill(client, resource.tableName, company, rows, plainRows(resource));
  await client.query('set session_replication_role = replica');
  for (const n of [0, 1, 2])
    await client.query(`insert into branches (company_id, id, name, time_zone) values ($1, $2, 'B', 'UTC')`, [
      company,
      fixedId('b0b0', n),
    ]);
  await client.query(`insert into staff (company_id, id, first_name) values ($1, $2, 'S')`, [
    company,
    fixedId('50f0', 0),
  ]);
  await client.query('reset session_replication_role');
  await client.query('update company_heads set revision = $2 where company_id = $1', [company, OWN]);
}, 1_800_000);
afterAll(async () => {
  await client.end();
  await world.close();
});

/** Filling takes longer than a token lives, and so may measuring. */
let signedIn = 0;
async function signIn(): Promise<void> {
  if (Date.now() - signedIn < 300_000) return;
  signedIn = Date.now();
  const { email, password } = tenant;
  const { status, json, text } = await world.api.as(null).post('/auth/login', { email, password });
  expect(status, text).toBe(200);
  tenant = { ...tenant, api: world.api.as(String(json.accessToken)) };
}

/** The statements of the answer to a GET, behind begin_read. */
async function sent(path: string): Promise<{ statements: Statement[]; next: string | null }> {
  await signIn();
  const statements: Statement[] = [];
  world.neon.setHooks({
    onRequest(request) {
      // Not that which opens the read, nor that which asks whether the caller lives.
      for (const { query, params } of request.statements)
        if (/ from (?:\(|changes|app\.changes_after)| as total/.test(query) && !query.includes('begin_read'))
          statements.push({ text: query, values: params });
    },
  });
  const reply = await tenant.api.get(path, { headers: { 'Cache-Control': 'no-cache' } });
  world.neon.setHooks({ onRequest: null });
  expect(reply.status, reply.text).toBe(200);
  const { nextCursor } = (reply.json.pagination ?? {}) as { nextCursor?: string | null };
  return { statements, next: nextCursor ?? null };
}

type Line = { rows: number; entries: number; answered: number; p95: number };
const tables: Record<string, Record<string, Line>> = {};
const faults: string[] = [];

async function measure(
  table: string,
  name: string,
  statement: Statement,
  most: number,
  passed: number = MOST + most,
): Promise<void> {
  await asReader(client, company, async () => {
    await explain(client, statement);
    const read: Reading = await explain(client, statement);
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      const before = await used(client);
      await client.query(statement.text, statement.values);
      times.push((await used(client)) - before);
    }
    times.sort((a, b) => a - b);
    const p95 = Number((times[Math.floor(ROUNDS * 0.95)] ?? 0).toFixed(1));
    const shown = name.replace(/cursor=.*/, 'cursor=…');
    tables[table] ??= {};
    tables[table][shown] = { rows: read.rows, entries: read.entries, answered: read.answered, p95 };
    const whole = read.scans.filter((scan) => scan.startsWith('Seq Scan'));
    if (whole.length > 0) faults.push(`${name}: ${whole.join()}`);
    if (read.rows > most) faults.push(`${name}: ${read.rows} rows for ${read.answered}`);
    // A page far down passes over what is before it, in the index alone, and a filter over what has not got it.
    const deep = name.includes('&page=') ? 2 * DEEP * LIMIT + MOST : 0;
    if (read.entries > Math.max(deep, passed)) faults.push(`${name}: ${read.entries} entries`);
  });
}

async function page(path: string, passed?: number): Promise<string | null> {
  if (ONLY?.some((part) => path.includes(part)) === false) return null;
  const { statements, next } = await sent(path);
  const [own, count] = statements;
  if (own === undefined) throw new Error(`${path} sent nothing`);
  await measure('pages', path, own, MOST, passed);
  if (count !== undefined && !path.includes('sort')) await measure('counts', path, count, Number.POSITIVE_INFINITY);
  return next;
}

test(`among ${OWN} rows beside ${OTHERS} of others a page is read from indexes`, { timeout: 1_800_000 }, async () => {
  const filters = filtered(OWN);
  expect(unasked(filters)).toEqual([]);
  for (const [path, sorts] of SORTS) {
    for (const sort of sorts.flatMap((field) => [field, `-${field}`])) {
      await page(`${path}?sort=${sort}`);
      const cursor = await page(`${path}?sort=${sort}&page=${DEEP}`);
      if (cursor !== null) await page(`${path}?sort=${sort}&cursor=${cursor}`);
    }
    await page(path);
  }
  for (const path of filters) {
    const next = await page(path, MOST_PASSED);
    if (next !== null) await page(`${path}&cursor=${next}`, MOST_PASSED);
  }
  const farther = [
    ...['-createdAt,lastName', 'lastName,-firstName', '-lastName,firstName', 'firstName,name', '-updatedAt,name'],
    ...['-createdAt&tag=half', '-lastName&tag=half'],
  ];
  for (const sort of farther) {
    await page(`/clients?sort=${sort}`, MOST_PASSED);
    const cursor = await page(`/clients?sort=${sort}&page=${DEEP}`, MOST_PASSED);
    if (cursor !== null) await page(`/clients?sort=${sort}&cursor=${cursor}`, MOST_PASSED);
  }
  const entity = formatId('clnt', '00000000-0000-4000-8000-000000000341');
  for (const path of ['/events', `/events?after=${OWN >> 1}`, '/audit?limit=20', `/audit?entityId=${entity}`]) {
    if (ONLY !== undefined) break;
    const { statements } = await sent(path);
    for (const statement of statements)
      await measure('log', `${path} ${statement.text.slice(0, 16)}`, statement, 20 * 101);
  }
  for (const [name, table] of Object.entries(tables)) {
    console.log(name);
    console.table(table);
  }
  const sizes = await client.query(
    `select indexrelname as index, pg_size_pretty(pg_relation_size(indexrelid)) as size from pg_stat_user_indexes where relname = 'clients' order by 1`,
  );
  console.table(sizes.rows);
  expect(faults).toEqual([]);
  // A part that no path has measures nothing.
  expect(tables).not.toEqual({});
});
