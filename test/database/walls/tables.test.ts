import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportsOfTables } from '../../../local/tables.ts';
import { openStage, type Stage } from '../support.ts';

// `npm run check` compares the tables of the code with what drizzle-kit last wrote; this, with what the migrations make.

const tables = Object.values(await exportsOfTables())
  .filter((value) => is(value, PgTable))
  .map((table) => getTableConfig(table));

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test('there are tables to compare', () => expect(tables.length).toBeGreaterThan(10));

test.each(tables.map((table) => [table.name, table] as const))('%s is what the code says', async (name, table) => {
  const columns = await stage.sql<{ column: string }>(
    `select concat_ws(' ', attname, format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
       case when attgenerated <> '' then 'generated' end) as column
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by 1`,
    [name],
  );
  const wanted = table.columns.map((column) => {
    const type = column
      .getSQLType()
      .replace(/^char\(/, 'character(')
      .replace(/^(time|timestamp)(\(\d\))?$/, (_, name, precision = '') => `${name}${precision} without time zone`);
    return [column.name, type, column.notNull && 'not null', column.generated && 'generated'].filter(Boolean).join(' ');
  });
  expect(columns.map(({ column }) => column)).toEqual(wanted.sort());
  const indexes = await stage.sql<{ name: string }>(
    'select relname::text as name from pg_index join pg_class c on c.oid = indexrelid where indrelid = $1::regclass',
    [name],
  );
  const names = [...table.indexes.map(({ config }) => config.name), ...table.uniqueConstraints.map(({ name }) => name)];
  expect(indexes.map((index) => index.name)).toEqual(expect.arrayContaining(names));
});
