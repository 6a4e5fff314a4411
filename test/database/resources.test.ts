import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergePatch } from '../../src/core/json.ts';
import { beginRead, makeCompany, openStage, refusal, type Stage, undone, write } from './support.ts';

let stage: Stage;
let app: pg.Client;
beforeAll(async () => {
  stage = await openStage();
  await stage.sql(
    `create table shops (company_id uuid not null, id uuid primary key, name text not null,
       search_text text generated always as (app.search_fold(' ' || coalesce(name, '') || ' ')) stored,
       version int not null default 1, created_at timestamptz(3) not null default clock_timestamp(),
       updated_at timestamptz(3) not null default clock_timestamp());
     select app.add_resource('shops', 'shop');
     select app.secure_tables()`,
    [],
    'cp_owner',
  );
  app = await stage.login();
});
afterAll(() => stage.close());

test('app.merge_patch and mergePatch make the same of any two values', async () => {
  const text = fc.string({ maxLength: 3 }).filter((value) => !value.includes('\0') && value.isWellFormed());
  const { json } = fc.letrec((of) => ({
    json: fc.oneof({ maxDepth: 3 }, fc.constant(null), fc.boolean(), fc.integer(), text, of('list'), of('object')),
    list: fc.array(of('json'), { maxLength: 3 }),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), of('json'), { maxKeys: 4 }),
  }));
  const pairs = fc.sample(fc.tuple(json, json), 500);
  const merged = await stage.sql(
    `select app.merge_patch(p -> 0, p -> 1)::text as merged from jsonb_array_elements($1) with ordinality x (p, n) order by n`,
    [JSON.stringify(pairs)],
    'cp_owner',
  );
  expect(merged.map((row) => JSON.parse(String(row.merged)))).toEqual(
    pairs.map(([target, patch]) => JSON.parse(JSON.stringify(mergePatch(target, patch)))),
  );
});

test('a table that was added is logged, and searched within its company', async () => {
  const [ours, theirs] = [await makeCompany(stage), await makeCompany(stage)];
  const add = (company: string, name: string) =>
    write(app, company, (client) =>
      client.query('insert into shops (company_id, id, name) values ($1, $2, $3)', [company, randomUUID(), name]),
    );
  const { changes } = await add(ours, 'Müller & Söhne');
  expect(changes.map(({ entity, after }) => [entity, after?.name, after?.search_text])).toEqual([
    ['shop', 'Müller & Söhne', undefined],
  ]);
  await add(ours, 'Mulle');
  await add(theirs, 'Müller');
  const found = (search: string, table = 'shops') =>
    undone(app, async () => {
      await beginRead(app, ours);
      const { rows } = await app.query(
        `select name, rank from app.search_rows($1, $2) f join ${table} s using (id) order by rank desc, name`,
        [table, search],
      );
      return rows.map(({ name, rank }) => `${name} ${rank}`);
    });
  expect(await found('müller')).toEqual(['Müller & Söhne 3', 'Mulle 0']);
  expect(await found('sohne MULL')).toEqual(['Müller & Söhne 2']);
  expect(await found('üll')).toEqual(['Mulle 1', 'Müller & Söhne 1']);
  expect(await found('sohnne')).toEqual(['Müller & Söhne 0']);
  expect(await found('nobody')).toEqual([]);
  expect(await refusal(found('x', 'branches'))).toBe('CP001');
});
