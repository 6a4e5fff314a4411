import type { SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { AppContext } from '../http/context.ts';
import type { Schema } from '../http/schemas.ts';
import { change, type WriteRoute } from './change.ts';
import type { Resource } from './resource.ts';
import { expectVersion, insertRow, newRow, patchRow, setRow, type WriteInput } from './row-sql.ts';

type Handler = (c: AppContext) => Promise<Response>;
type Verb<S extends z.ZodType> = Partial<WriteRoute<S>>;

/** What of the row must hold before it is changed. The row is there and has the version expected, when absent. */
type Expecting<B> = { expect?: (input: WriteInput<B>) => SQL };
/** What else of the company must hold: 422 comes before the version (contract-details A2). */
type Judging = { judge?: (input: WriteInput<unknown>) => SQL };

/** Makes an object of a body. `own` is what is different. */
export function createOf<S extends z.ZodObject>(
  resource: Resource & { create: Schema<S> },
  own: Verb<S> = {},
): Handler {
  return change({
    resource,
    name: `${resource.topic}.create`,
    body: resource.create,
    target: 'new',
    status: 201,
    statements: ({ id, body }) => [insertRow(resource, newRow(resource, id, body))],
    ...own,
  });
}

/** Changes an object by a merge patch. */
export function updateOf<S extends z.ZodObject>(
  resource: Resource & { patch: Schema<S> },
  { expect, ...own }: Verb<S> & Expecting<z.output<S>> = {},
): Handler {
  return change({
    resource,
    name: `${resource.topic}.update`,
    body: resource.patch,
    target: 'path',
    status: 200,
    statements: (input) => [(expect ?? expectOf(resource))(input), ...patchRow(resource, input)],
    ...own,
  });
}

/** Takes an object out of sight. */
export const archiveOf = (resource: Resource, own: Verb<z.ZodObject> & Expecting<unknown> = {}): Handler =>
  setState(resource, 'archive', own);

/** Brings it back. */
export const restoreOf = (resource: Resource, own: Verb<z.ZodObject> & Expecting<unknown> & Judging = {}): Handler =>
  setState(resource, 'restore', own);

function setState(
  resource: Resource,
  verb: 'archive' | 'restore',
  { expect, judge, ...own }: Verb<z.ZodObject> & Expecting<unknown> & Judging,
): Handler {
  return change({
    resource,
    name: `${resource.topic}.${verb}`,
    target: 'path',
    status: 200,
    statements(input) {
      const assignment = resource.archive?.[verb];
      if (assignment === undefined) throw new Error(`${resource.topic} cannot be archived`);
      return [
        ...(judge === undefined ? [] : [judge(input)]),
        (expect ?? expectOf(resource))(input),
        setRow(resource, input, assignment()),
      ];
    },
    ...own,
  });
}

const expectOf =
  (resource: Resource) =>
  (input: WriteInput<unknown>): SQL =>
    expectVersion(resource, input);
