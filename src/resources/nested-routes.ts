import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { RouteSpec } from '../http/route.ts';
import { page, type Schema } from '../http/schemas.ts';
import { change } from './change.ts';
import { detail, list } from './list.ts';
import { liveRoute } from './live.ts';
import { belonging, narrowedTo, type Parent, paramOf } from './parent.ts';
import type { Resource } from './resource.ts';
import { expectRow, expectVersion, insertRow, newRow, ownRows, rowOf } from './row-sql.ts';

/** What belongs to one object of another resource and has no life of its own: listed, added, read, deleted for good. */
export function nestedRoutes(
  resource: Resource & { create: Schema<z.ZodObject> },
  parent: Parent,
): readonly RouteSpec[] {
  const path = `/${parent.of.topic}/:id/${resource.topic}`;
  const name = `${parent.of.topic}.${resource.topic}`;
  const { one, many, permission, writePermission } = resource;
  const owner = parent.of.one;
  const tag = parent.of.tag;
  return [
    {
      method: 'get',
      ...{ path, tag, permission },
      summary: `List ${many} of a ${owner}`,
      description: 'Filters combine. A walk with `cursor` has no end and never repeats or skips one.',
      list: resource.list,
      live: liveRoute(resource, parent),
      success: { status: 200, schema: page(resource.shown), description: `A page of ${many}`, cached: true },
      errors: ['not_found', 'use_cursor', 'invalid_cursor', 'cursor_mismatch'],
      handler: list(resource, parent),
    },
    {
      method: 'post',
      ...{ path, tag, permission: writePermission },
      summary: `Add ${one} to a ${owner}`,
      description: 'With an Idempotency-Key a repeat answers as the first did.',
      body: resource.create,
      success: { status: 201, schema: resource.shown, description: `The new ${one}` },
      errors: ['not_found', 'external_id_taken'],
      handler: change({
        ...{ resource, within: parent, name: `${name}.create`, body: resource.create, target: 'new', status: 201 },
        statements({ principal, id, parentId, body }) {
          const { of } = parent;
          return [
            sql`select ${expectRow} from ${of.table}
              where ${ownRows(of, principal)} and ${of.id} = ${parentId}::uuid`,
            insertRow(resource, { ...newRow(resource, id, body), ...belonging(resource, parent, parentId) }),
          ];
        },
      }),
    },
    {
      method: 'get',
      path: `${path}/:${paramOf(resource)}`,
      ...{ tag, permission },
      summary: `Read ${one} of a ${owner}`,
      description: 'What was deleted is gone: the log alone keeps it.',
      detail: resource.list,
      success: { status: 200, schema: resource.shown, description: `The ${one}`, cached: true },
      errors: ['not_found'],
      handler: detail(resource, { parent }),
    },
    {
      method: 'delete',
      path: `${path}/:${paramOf(resource)}`,
      ...{ tag, permission: writePermission },
      summary: `Delete ${one} of a ${owner}`,
      description: 'For good: the log alone keeps what it was.',
      success: { status: 204, schema: null, description: 'It is gone' },
      errors: ['not_found', 'version_mismatch'],
      handler: change({
        ...{ resource, within: parent, name: `${name}.delete`, target: 'path', status: 204 },
        statements(input) {
          const own = narrowedTo(resource, parent, input.parentId);
          return [expectVersion(own, input), sql`delete from ${resource.table} where ${rowOf(own, input)}`];
        },
      }),
    },
  ];
}
