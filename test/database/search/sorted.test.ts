import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cursor } from '../../../src/core/cursor.ts';
import { type ListQuery, parseListQuery } from '../../../src/core/list-query.ts';
import { keysOf, orderOf } from '../../../src/data/keyset.ts';
import { client as resource } from '../../../src/people/clients/resource.ts';
import { conditionsOf, pageStatements } from '../../../src/resources/page.ts';
import { loadClients } from '../../support/phone-book.ts';
import { openStack, type Stack } from '../../support/world.ts';

// A search with a sort of its own answers what sorting all of its hits would, on each of its ways to a page: few hits sorted,
// a walk along an index in two stages, and a walk that was given up.

const CLIENTS = 4000;
const SORTS = ['createdAt', '-updatedAt', 'lastName', '-lastName', 'lastName,-firstName', '-createdAt,name'];
/** Many hits, few, none, and many that stand together at one end of the last names. */
const SEARCHES = ['a', '小龙', 'zzyzx', 'nobody at all'];

const dialect = new PgDialect();
const company = randomUUID();
let database: Stack;
let client: pg.Client;
beforeAll(async () => {
  database = await openStack();
  client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  await client.query('set role cp_owner');
  await loadClients(client, company, CLIENTS);
  const tenth = (n: number): string => `where company_id = '${company}' and hashtext(id::text) % 20 = ${n}`;
  await client.query(`update clients set last_name = null ${tenth(1)}`);
  await client.query(`update clients set first_name = null ${tenth(2)}`);
  await client.query(`update clients set first_name = null, last_name = null, external_id = id::text ${tenth(3)}`);
  await client.query(`update clients set last_name = 'Zzyzx' ${tenth(4)}`);
  await client.query(`update clients set status = 'ARCHIVED' ${tenth(5)}`);
  await client.query('analyze clients; reset role');
});
afterAll(async () => {
  await client.end();
  await database.close();
});

type Row = Record<string, string | null>;

async function rowsOf(statement: ReturnType<typeof sql>): Promise<Row[]> {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  await client.query('begin isolation level repeatable read read only; set local role cp_app');
  await client.query('select from app.begin_read($1)', [company]);
  const { rows } = await client.query<Row>(text, params);
  await client.query('commit');
  return rows;
}

/** All hits, sorted by the database as any list is. */
function oracle(query: ListQuery): Promise<Row[]> {
  const keys = keysOf(resource.sorts, query.sort, resource.id);
  const order = sql.join(
    keys.map((key) => orderOf(key, false)),
    sql`, `,
  );
  return rowsOf(
    sql`select ${resource.table}.* from ${resource.table} where ${conditionsOf(resource, query, { companyId: company })} order by ${order}`,
  );
}

const ids = (rows: readonly Row[]): unknown[] => rows.map(({ id }) => id);

test.each(SEARCHES.flatMap((search) => SORTS.map((sort) => [search, sort] as const)))(
  '%s by %s',
  async (search, sort) => {
    const ask = (more: string): ListQuery =>
      parseListQuery(resource.list, new URLSearchParams(`search=${search}&sort=${sort}&count=none&${more}`));
    const all = await oracle(ask(''));
    expect(all.length > 0).toBe(search !== 'nobody at all');
    const page = async (query: ListQuery, at: Cursor | null): Promise<unknown[]> =>
      ids(await rowsOf(pageStatements(resource, query, at, { companyId: company })[0] as ReturnType<typeof sql>));
    expect(await page(ask('limit=20'), null)).toEqual(ids(all.slice(0, 21)));
    expect(await page(ask('limit=10&page=7'), null)).toEqual(ids(all.slice(60, 71)));
    const nulls = all.findIndex((row) => row[resource.sorts[ask('').sort[0]?.field ?? '']?.property ?? ''] === null);
    // In the middle, at both ends, and on both sides of where the nulls begin.
    const places = [0, all.length >> 1, all.length - 1, ...(nulls > 0 ? [nulls - 1, nulls, nulls + 5] : [])];
    for (const place of places) {
      const row = all[place];
      if (row === undefined) continue;
      const { sort: keys, filterKey } = ask('');
      const values = keys.map(({ field }) => row[resource.sorts[field]?.property ?? ''] ?? null);
      const at = { company, route: '', query: filterKey, values, id: String(row.id) };
      const query = { ...ask('limit=10'), mode: 'cursor' } as const;
      expect(await page(query, { ...at, direction: 'next' }), `after ${place}`).toEqual(
        ids(all.slice(place + 1, place + 12)),
      );
      const before = ids(all.slice(Math.max(0, place - 11), place)).reverse();
      expect(await page(query, { ...at, direction: 'prev' }), `before ${place}`).toEqual(before);
    }
  },
);

test('an order that is none is refused, whoever asks', async () => {
  const order = (sort: unknown) =>
    client
      .query(`select app.client_order($1, null, false)`, [JSON.stringify(sort)])
      .catch((error: pg.DatabaseError) => error.code);
  for (const column of ['id desc; select 1', 'search_text', null])
    expect(await order([{ column, descending: false }])).toBe('CP001');
});
