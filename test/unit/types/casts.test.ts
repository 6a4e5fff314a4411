import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

// In a context types follow from tables and schemas. What comes back from storage as JSON has the type it was stored with, and
// these say which: the log's rows, an answer kept with an Idempotency-Key, what a refusal of the database tells, rows of a job.

const SRC = join(import.meta.dirname, '../../../src');
const FLOORS = ['core', 'data', 'http', 'resources', 'realtime', 'jobs', 'dispatch', 'pages', 'monitoring'];
const CONTEXTS = readdirSync(SRC).filter((name) => statSync(join(SRC, name)).isDirectory() && !FLOORS.includes(name));

const AT_THE_EDGE: Readonly<Record<string, number>> = {
  'calendar/appointments/file/shelf.ts': 1,
  'calendar/busy-days.ts': 2,
  'calendar/series/book.ts': 1,
  'insight/imports/service.ts': 1,
  'insight/imports/worker.ts': 1,
  'webhooks/deliveries/ping.ts': 1,
};

/** How often a file says what TypeScript does not know; `as const` says nothing new. */
function castsIn(file: string): number {
  const source = ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest, true);
  let casts = 0;
  const visit = (node: ts.Node): void => {
    const isCast = ts.isAsExpression(node) || ts.isTypeAssertionExpression(node);
    if ((isCast && !ts.isConstTypeReference(node.type)) || ts.isNonNullExpression(node)) casts += 1;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return casts;
}

test('no context casts but where rows come back from storage', () => {
  const files = CONTEXTS.flatMap((context) =>
    readdirSync(join(SRC, context), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(context, name)),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file): [string, number][] => {
    const casts = castsIn(file);
    return casts === 0 ? [] : [[file, casts]];
  });
  expect(Object.fromEntries(found)).toEqual(AT_THE_EDGE);
});
