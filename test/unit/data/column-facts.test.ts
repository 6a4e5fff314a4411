import { getTableName, isTable } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, expect, test, vi } from 'vitest';
import { exportsOfTables } from '../../../local/tables.ts';
import { fieldsOf } from '../../../src/resources/fields.ts';

const NAME = Symbol.for('drizzle:Name');
const isNamed = (value: unknown): value is PgTable => typeof value === 'object' && value !== null && NAME in value;
const tables = async (): Promise<PgTable[]> => Object.values(await exportsOfTables()).filter(isNamed);

/** Of each column all that the Worker asks. */
const told = (known: readonly PgTable[]): [string, unknown[]][] =>
  known.map((table) => [
    getTableName(table),
    [...fieldsOf(table, {})].map(([key, { name, type, nullable, required, fallback, values }]) => ({
      ...{ key, name, type, nullable, required, fallback, values },
    })),
  ]);

afterAll(() => {
  vi.doUnmock('drizzle-orm/pg-core');
  vi.resetModules();
});

test('what stands in the place of drizzle in a Worker says of every column what drizzle says', async () => {
  const known = await tables();
  vi.doMock('drizzle-orm/pg-core', () => import('../../../src/data/column-facts.ts'));
  vi.resetModules();
  const given = await tables();
  expect(known.every(isTable)).toBe(true);
  expect(given.some(isTable)).toBe(false);
  expect(known.length).toBeGreaterThan(30);
  expect(told(given)).toEqual(told(known));
});
