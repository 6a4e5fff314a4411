import { Param, type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { statementText } from '../../../src/data/statement-text.ts';
import { clients } from '../../../src/people/clients/table.ts';

// A statement says the same as drizzle-orm makes of it, whatever it is made of.

const dialect = new PgDialect();
const theirs = (statement: SQL): unknown => {
  const { sql: query, params } = dialect.sqlToQuery(statement);
  return { query, params };
};

const upper = { mapToDriverValue: (given: unknown): unknown => String(given).toUpperCase() };
const inSql = { mapToDriverValue: (given: unknown): unknown => sql`lower(${given})` };

const { piece } = fc.letrec<{ piece: unknown }>((tie) => ({
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined)),
    fc.string().map((name) => sql.identifier(name)),
    fc.string().map((text) => sql.raw(text)),
    fc.constantFrom(clients, clients.email, sql`x`.as('an "alias"'), sql.placeholder('later')),
    fc.anything().map((given) => sql.param(given)),
    fc.string().map((given) => new Param(given, upper)),
    fc.string().map((given) => new Param(given, inSql)),
    fc.integer().map((a) => ({ a })),
    fc.array(tie('piece'), { maxLength: 4 }),
    fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => sql`a ${pieces[0]} b ${pieces[1]}${pieces[2]}`),
    fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => sql.join(pieces as SQL[], sql`, `)),
    fc
      .array(fc.oneof(fc.string(), fc.integer()), { maxLength: 3 })
      .map((given) => sql`c ${given[0]} ${given}`.inlineParams()),
  ),
}));

test('is the text and the values that drizzle-orm makes', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const statement = sql`select ${pieces[0]}, ${pieces[1]} from ${pieces[2]}${pieces[3]} where ${pieces[4]}`;
      expect(statementText(statement)).toEqual(theirs(statement));
    }),
    { numRuns: 2000 },
  );
});
