import { Name, Param, SQL, StringChunk } from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';

const escapeName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const escapeParam = (index: number): string => `$${index + 1}`;
const dialect = {
  casing: new CasingCache(),
  escapeName,
  escapeParam,
  escapeString: (text: string) => `'${text.replaceAll("'", "''")}'`,
};

export type StatementText = { query: string; params: unknown[] };

/**
 * A statement's text and values, as `toQuery` of drizzle-orm makes them, which asks of each piece whether it is of one of twelve
 * classes and makes an object for it: half a millisecond of a write. What statements are made of is told here by its class; of all
 * else drizzle says it (test/unit/data/statement-text.test.ts compares the two).
 */
export function statementText(statement: SQL): StatementText {
  const text: StatementText = { query: '', params: [] };
  write(text, statement);
  return text;
}

function write(text: StatementText, piece: unknown): void {
  if (piece === undefined) return;
  if (piece === null || typeof piece !== 'object') value(text, piece);
  else if (piece instanceof StringChunk) for (const part of piece.value) text.query += part;
  else if (piece instanceof Name) text.query += escapeName(piece.value);
  else if (piece instanceof SQL && !isInline(piece)) for (const each of piece.queryChunks) write(text, each);
  else if (Array.isArray(piece)) list(text, piece);
  else if (piece instanceof Param) parameter(text, piece);
  else other(text, piece);
}

function value(text: StatementText, given: unknown): void {
  text.query += escapeParam(text.params.length);
  text.params.push(given);
}

function list(text: StatementText, pieces: readonly unknown[]): void {
  text.query += '(';
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) text.query += ', ';
    write(text, piece);
  }
  text.query += ')';
}

function parameter(text: StatementText, { value: given, encoder }: Param): void {
  const mapped: unknown = given === null ? null : encoder.mapToDriverValue(given);
  if (mapped instanceof SQL) write(text, mapped);
  else value(text, mapped);
}

function other(text: StatementText, piece: object): void {
  const { sql, params } = new SQL([piece as SQL]).toQuery({
    ...dialect,
    paramStartIndex: { value: text.params.length },
  });
  text.query += sql;
  text.params.push(...params);
}

const isInline = (statement: SQL): boolean =>
  (statement as unknown as { shouldInlineParams: boolean }).shouldInlineParams;
