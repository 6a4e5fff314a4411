import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiKey } from '../../../src/account/api-keys/resource.ts';
import { user } from '../../../src/account/users/resource.ts';
import { branch } from '../../../src/catalog/branches/resource.ts';
import type { Cursor } from '../../../src/core/cursor.ts';
import { type ListQuery, parseListQuery } from '../../../src/core/list-query.ts';
import { keysOf, orderOf } from '../../../src/data/keyset.ts';
import { importList } from '../../../src/insight/imports/resource.ts';
import { client as clientResource } from '../../../src/people/clients/resource.ts';
import { conditionsOf, pageStatements } from '../../../src/resources/page.ts';
import type { Resource } from '../../../src/resources/resource.ts';
import { fill, openRows, type Rows } from '../../support/many-rows.ts';
import { asReader, explain, statementOf } from '../../support/plans.ts';

// Every list answers what sorting all of its rows would, from indexes: no plan reads a table from end to end, and a page
// reads few rows more than it shows. The same among a hundred thousand rows: worker/lists/scale.long.test.ts.

const OWN = 3000;
const company = randomUUID();
let rows: Rows;
let client: pg.Client;
beforeAll(async () => {
  rows = await openRows(company);
  ({ client } = rows);
  for (const table of ['clients', 'client_tags', 'branches', 'users', 'api_keys', 'imports'])
    await fill(client, table, company, { own: OWN, others: OWN });
});
afterAll(() => rows.close());

/** `most`: what a first page may read; null where most rows lie before it. Filters that a sort's index does not know cost more. */
type Case = readonly [filter: string, most: number | null];
const OWN_INDEX = 25;
const SOON_MET = 420;
const FOUND = 1000;
const CASES: readonly [Resource, readonly Case[]][] = [
  [
    clientResource,
    [
      ['', OWN_INDEX],
      ['status=ARCHIVED', OWN_INDEX],
      ['status=ACTIVE,ARCHIVED,INACTIVE', OWN_INDEX],
      ['tag=half', SOON_MET],
      ['tag=rare', SOON_MET],
      ['tag=elsewhere', SOON_MET],
      ['tag=hundredth', FOUND],
      ['tag=older', null],
      ['createdAfter=2025-01-21T00:00:00Z', FOUND],
      ['createdAfter=2025-01-02T00:00:00Z&createdBefore=2025-01-20T00:00:00Z&tag=half', FOUND],
      ['updatedAfter=2025-03-15T00:00:00Z', FOUND],
      ['externalId=X40', 5],
    ],
  ],
  [
    branch,
    [
      ['', OWN_INDEX],
      ['isActive=false', OWN_INDEX],
      ['updatedAfter=2025-03-15T00:00:00Z', FOUND],
    ],
  ],
  [
    user,
    [
      ['', OWN_INDEX],
      ['status=ACTIVE,ARCHIVED', OWN_INDEX],
      ['role=ADMIN', null],
    ],
  ],
  [
    apiKey,
    [
      ['', OWN_INDEX],
      ['isActive=false', OWN_INDEX],
      ['createdBefore=2025-01-02T00:00:00Z', FOUND],
    ],
  ],
  [
    importList,
    [
      ['', OWN_INDEX],
      ['status=FAILED', OWN_INDEX],
      ['dryRun=true&resource=clients', SOON_MET],
    ],
  ],
];
/** All sorts of a list without filters; beside a filter one of each kind. */
function sortsOf({ list: { sorts } }: Resource, filter: string): string[] {
  const last = String(sorts.at(-1));
  if (filter !== '') return ['-createdAt', last, `-${last}`, `${last},-createdAt`];
  return [...sorts, ...sorts.map((field) => `-${field}`), `-createdAt,${last}`, `${last},-createdAt`];
}

type Row = { id: string; values: (string | null)[] };

/** Ids and sort values of all rows, sorted by the database at once. */
async function sorted(resource: Resource, query: ListQuery): Promise<Row[]> {
  const keys = keysOf(resource.sorts, query.sort, resource.id);
  const order = keys.map((key) => orderOf(key, false));
  const values = keys.slice(0, -1).map(({ column }) => column);
  const { text, values: bound } = statementOf(
    sql`select ${resource.id} as id, to_jsonb(array[${sql.join(
      values.map((value) => sql`to_jsonb(${value})`),
      sql`, `,
    )}]) as values from ${resource.table} where ${conditionsOf(resource, query, { companyId: company })} order by ${sql.join(order, sql`, `)}`,
  );
  return (await client.query<Row>(text, bound)).rows;
}

async function page(resource: Resource, query: ListQuery, at: Cursor | null): Promise<string[]> {
  const { text, values } = statementOf(pageStatements(resource, query, at, { companyId: company })[0] as SQL);
  return (await client.query<Row>(text, values)).rows.map(({ id }) => id);
}

describe.each(CASES.flatMap(([resource, cases]) => cases.map(([filter, most]) => ({ resource, filter, most }))))(
  '$resource.topic $filter',
  ({ resource, filter, most }) => {
    const ask = (sort: string, more: string): ListQuery =>
      parseListQuery(resource.list, new URLSearchParams(`${filter}&sort=${sort}&count=none&${more}`.replace(/^&/, '')));

    test('its pages and walks are those of the whole list', async () => {
      await asReader(client, company, async () => {
        for (const sort of sortsOf(resource, filter)) {
          const query = ask(sort, 'limit=5');
          const all = await sorted(resource, query);
          const ids = all.map(({ id }) => id);
          expect(await page(resource, query, null), sort).toEqual(ids.slice(0, 6));
          expect(await page(resource, ask(sort, 'limit=5&page=50'), null), `${sort}, page 50`).toEqual(
            ids.slice(245, 251),
          );
          const nulls = all.findIndex(({ values }) => values[0] === null);
          // In the middle, at both ends, and on both sides of where the nulls begin.
          for (const place of [all.length >> 1, all.length - 1, ...(nulls > 0 ? [nulls - 3, nulls] : [0])]) {
            const row = all[place];
            if (row === undefined) continue;
            const at = { company, route: '', query: query.filterKey, ...row };
            const walked = { ...query, mode: 'cursor' } as const;
            expect(await page(resource, walked, { ...at, direction: 'next' }), `${sort}, after ${place}`).toEqual(
              ids.slice(place + 1, place + 7),
            );
            expect(await page(resource, walked, { ...at, direction: 'prev' }), `${sort}, before ${place}`).toEqual(
              ids.slice(Math.max(0, place - 6), place).reverse(),
            );
          }
        }
      });
    });

    test('a page reads few rows more than it shows', async () => {
      const read = (sort: string, more: string) =>
        explain(client, statementOf(pageStatements(resource, ask(sort, more), null, { companyId: company })[0] as SQL));
      await asReader(client, company, async () => {
        for (const sort of sortsOf(resource, filter).filter((each) => most !== null && !each.includes(','))) {
          const first = await read(sort, '');
          expect(first.scans, sort).not.toContain(`Seq Scan of ${resource.topic.replace('-', '_')}`);
          expect(first.rows, sort).toBeLessThanOrEqual(Number(most));
          if (most !== OWN_INDEX) continue;
          // What lies before a page is passed over in the index.
          const deep = await read(sort, 'page=10');
          expect([deep.scans.filter((scan) => scan.startsWith('Seq')), deep.rows], sort).toEqual([[], deep.answered]);
        }
      });
    });
  },
);
