import * as z from 'zod';
import type { ErrorCode } from '../core/errors.ts';
import type { AppContext } from '../http/context.ts';
import type { RouteModule } from '../http/route.ts';
import { page } from '../http/schemas.ts';
import { BulkResult, bulk, bulkBody } from './bulk.ts';
import { EXPORT_TYPES, exportOf, exportParameters } from './export.ts';
import { detail, list } from './list.ts';
import type { Resource } from './resource.ts';

type Handler = (c: AppContext) => Promise<Response>;

export type StandardParts<S extends z.ZodType> = {
  resource: Resource;
  tag: string;
  /** As in "Read a client". */
  one: string;
  many: string;
  view: z.ZodType;
  /** What reading answers, where it may embed more. */
  read?: z.ZodType;
  /** What creating answers, where that is more than the object. */
  created?: z.ZodType;
  /** `row` is a new object as its row in the table `table`; every row names the same columns. */
  create: {
    body: S;
    handler: Handler;
    errors: readonly ErrorCode[];
    table: string;
    row(id: string, body: z.output<S>): Readonly<Record<string, unknown>>;
  };
  update: { body: z.ZodType; handler: Handler; errors: readonly ErrorCode[] };
  archive: Handler;
  restore: Handler;
  /** What else archiving and restoring may answer. */
  stateErrors?: readonly ErrorCode[];
};

/** What every resource offers (contract 2 and 4): list, create, read, change, archive, bring back, bulk and export. */
export function standardRoutes<S extends z.ZodType>(parts: StandardParts<S>): RouteModule {
  const { resource, tag, one, many, view, create, update, stateErrors = [] } = parts;
  const { permission, writePermission, list: declaration } = resource;
  const collection = `/${resource.topic}`;
  const item = `${collection}/:id`;
  const success = { status: 200, schema: view, description: `The ${one} as it is now` };
  const includes = declaration.includes === undefined ? {} : { includes: declaration.includes };
  return [
    {
      method: 'get',
      path: collection,
      tag,
      summary: `List ${many}`,
      description: `Filters and a search combine. \`page\` reaches the first 10,000; a walk with \`cursor\` has no end and never repeats or skips one.`,
      permission: permission,
      list: declaration,
      success: { status: 200, schema: page(parts.read ?? view), description: `A page of ${many}`, cached: true },
      errors: ['use_cursor', 'invalid_cursor', 'cursor_mismatch'],
      handler: list(resource),
    },
    {
      method: 'post',
      path: collection,
      tag,
      summary: `Create a ${one}`,
      description: 'With an Idempotency-Key a repeat answers as the first did.',
      permission: writePermission,
      body: create.body,
      success: { status: 201, schema: parts.created ?? view, description: `The new ${one}` },
      errors: create.errors,
      handler: create.handler,
    },
    {
      method: 'post',
      path: `${collection}/bulk`,
      tag,
      summary: `Create many ${many}`,
      description: 'Up to 500 in one transaction, all or what can be stored. It costs as much as 5 requests.',
      permission: writePermission,
      body: bulkBody(create.body),
      success: { status: 200, schema: BulkResult, description: 'A verdict per item, in their order' },
      errors: create.errors,
      handler: bulk({ resource, table: create.table, item: create.body, row: create.row }),
    },
    // Before the routes by id: 'export' is none.
    {
      method: 'get',
      path: `${collection}/export`,
      tag,
      summary: `Export ${many}`,
      description:
        'Streams all that the filters let through, compressed when the caller takes gzip. It costs as much as 20 requests.',
      permission: 'export',
      alsoNeeds: [permission],
      query: exportParameters(declaration),
      success: {
        status: 200,
        schema: z.string(),
        types: EXPORT_TYPES,
        line: view,
        description: 'One object per line; NDJSON ends in `{"_end":true,"count":n}`',
      },
      errors: [],
      handler: exportOf(resource),
    },
    {
      method: 'get',
      path: item,
      tag,
      summary: `Read a ${one}`,
      description: 'Archived ones too.',
      permission: permission,
      fields: declaration.fields,
      ...includes,
      success: { status: 200, schema: parts.read ?? view, description: `The ${one}`, cached: true },
      errors: ['not_found'],
      handler: detail(resource),
    },
    {
      method: 'patch',
      path: item,
      tag,
      summary: `Change a ${one}`,
      description:
        'JSON Merge Patch (RFC 7396): null clears, absence leaves. A change that changes nothing takes no revision.',
      permission: writePermission,
      body: update.body,
      success,
      errors: ['not_found', 'version_mismatch', ...update.errors],
      handler: update.handler,
    },
    {
      method: 'delete',
      path: item,
      tag,
      summary: `Archive a ${one}`,
      description:
        'Out of sight in lists unless asked for, readable by id, and brought back by `restore`. Again is as good.',
      permission: writePermission,
      success,
      errors: ['not_found', 'version_mismatch'],
      handler: parts.archive,
    },
    {
      method: 'post',
      path: `${item}/restore`,
      tag,
      summary: `Bring an archived ${one} back`,
      description: 'Of one that is not archived it answers as it is.',
      permission: writePermission,
      success,
      errors: ['not_found', 'version_mismatch', ...stateErrors],
      handler: parts.restore,
    },
  ];
}
