import * as z from 'zod';
import type { ErrorCode } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { RouteSpec } from '../http/route.ts';
import { page, type Schema } from '../http/schemas.ts';
import { bulk } from './bulk.ts';
import { BulkResult, bulkBody } from './bulk-body.ts';
import { EXPORT_TYPES, exportOf, exportParameters } from './export.ts';
import { detail, list } from './list.ts';
import { liveRoute } from './live.ts';
import type { Resource } from './resource.ts';
import { archiveOf, createOf, restoreOf, updateOf } from './verbs.ts';

const VERBS = ['list', 'create', 'bulk', 'export', 'read', 'update', 'archive', 'restore'] as const;
type Verb = (typeof VERBS)[number];

/** What is different about a route: its words, its body, its handler, what it may refuse. */
export type Routes = { readonly [verb in Verb]?: Partial<RouteSpec> } & {
  /** The routes there are; all when absent. */
  readonly only?: readonly Verb[];
  /** What reading answers, where it may embed more. */
  readonly shown?: Schema;
};

/** What every resource offers (contract 2 and 4): list, create, bulk, export, read, change, archive and bring back. */
export function standardRoutes(resource: Resource, routes: Routes = {}): readonly RouteSpec[] {
  const { only = VERBS } = routes;
  return VERBS.filter((verb) => only.includes(verb)).map((verb) => ({
    ...usual[verb](resource, routes),
    ...routes[verb],
  }));
}

/** What creating or changing may be refused for by the constraints of the table. */
function refusalsOf({ constraints }: Resource): ErrorCode[] {
  const codes = Object.values(constraints).map(({ code }) => code);
  return [...new Set(codes)].filter((code) => code !== 'invalid_body');
}

type Bodied<V extends 'create' | 'patch'> = Resource & Record<V, Schema<z.ZodObject>>;
const has = <V extends 'create' | 'patch'>(resource: Resource, verb: V): resource is Bodied<V> =>
  resource[verb] !== undefined;

/** A resource whose body for this verb is there. */
function bodied<V extends 'create' | 'patch'>(resource: Resource, verb: V): Bodied<V> {
  if (!has(resource, verb)) throw new Error(`${resource.topic} has no body for ${verb}`);
  return resource;
}

const text = lazy(() => z.string());
const a = (one: string): string => ('aeio'.includes(one.charAt(0)) ? `an ${one}` : `a ${one}`);
const now = ({ one, shown }: Resource) => ({ status: 200, schema: shown, description: `The ${one} as it is now` });

const usual: Readonly<Record<Verb, (resource: Resource, routes: Routes) => RouteSpec>> = {
  list: (resource, { shown = resource.shown }) => ({
    method: 'get',
    path: `/${resource.topic}`,
    tag: resource.tag,
    summary: `List ${resource.many}`,
    description: `Filters and a search combine. \`page\` reaches the first 10,000; a walk with \`cursor\` has no end and never repeats or skips one.`,
    permission: resource.permission,
    list: resource.list,
    live: liveRoute(resource),
    success: { status: 200, schema: page(shown), description: `A page of ${resource.many}`, cached: true },
    errors: ['use_cursor', 'invalid_cursor', 'cursor_mismatch'],
    handler: list(resource),
  }),
  create: (resource, { create }) => ({
    method: 'post',
    path: `/${resource.topic}`,
    tag: resource.tag,
    summary: `Create ${a(resource.one)}`,
    description: 'With an Idempotency-Key a repeat answers as the first did.',
    permission: resource.writePermission,
    body: bodied(resource, 'create').create,
    success: { status: 201, schema: resource.shown, description: `The new ${resource.one}` },
    errors: refusalsOf(resource),
    handler: create?.handler ?? createOf(bodied(resource, 'create')),
  }),
  bulk: (resource) => ({
    method: 'post',
    path: `/${resource.topic}/bulk`,
    tag: resource.tag,
    summary: `Create many ${resource.many}`,
    description: 'Up to 500 in one transaction, all or what can be stored. It costs as much as 5 requests.',
    permission: resource.writePermission,
    body: bulkBody(bodied(resource, 'create').create),
    success: { status: 200, schema: BulkResult, description: 'A verdict per item, in their order' },
    errors: refusalsOf(resource),
    handler: bulk(bodied(resource, 'create')),
  }),
  // Before the routes by id: 'export' is none.
  export: (resource) => ({
    method: 'get',
    path: `/${resource.topic}/export`,
    tag: resource.tag,
    summary: `Export ${resource.many}`,
    description:
      'Streams all that the filters let through, compressed when the caller takes gzip. Without `fields`, external ids stand beside the ids of others, so that an import reads it in another company too. It costs as much as 20 requests.',
    permission: 'export',
    alsoNeeds: [resource.permission],
    query: exportParameters(resource.list),
    success: {
      status: 200,
      schema: text,
      types: EXPORT_TYPES,
      line: resource.shown,
      description: 'One object per line; NDJSON ends in `{"_end":true,"count":n}`',
    },
    errors: [],
    handler: exportOf(resource),
  }),
  read: (resource, { shown = resource.shown }) => ({
    method: 'get',
    path: `/${resource.topic}/:id`,
    tag: resource.tag,
    summary: `Read ${a(resource.one)}`,
    description: 'Archived ones too.',
    permission: resource.permission,
    detail: resource.list,
    success: { status: 200, schema: shown, description: `The ${resource.one}`, cached: true },
    errors: ['not_found'],
    handler: detail(resource),
  }),
  update: (resource, { update }) => ({
    method: 'patch',
    path: `/${resource.topic}/:id`,
    tag: resource.tag,
    summary: `Change ${a(resource.one)}`,
    description:
      'JSON Merge Patch (RFC 7396): null clears, absence leaves. A change that changes nothing takes no revision.',
    permission: resource.writePermission,
    body: bodied(resource, 'patch').patch,
    success: now(resource),
    errors: ['not_found', 'version_mismatch', ...refusalsOf(resource)],
    handler: update?.handler ?? updateOf(bodied(resource, 'patch')),
  }),
  archive: (resource, { archive }) => ({
    method: 'delete',
    path: `/${resource.topic}/:id`,
    tag: resource.tag,
    summary: `Archive ${a(resource.one)}`,
    description:
      'Out of sight in lists unless asked for, readable by id, and brought back by `restore`. Again is as good.',
    permission: resource.writePermission,
    success: now(resource),
    errors: ['not_found', 'version_mismatch'],
    handler: archive?.handler ?? archiveOf(resource),
  }),
  restore: (resource, { restore }) => ({
    method: 'post',
    path: `/${resource.topic}/:id/restore`,
    tag: resource.tag,
    summary: `Bring an archived ${resource.one} back`,
    description: 'Of one that is not archived it answers as it is.',
    permission: resource.writePermission,
    success: now(resource),
    errors: ['not_found', 'version_mismatch'],
    handler: restore?.handler ?? restoreOf(resource),
  }),
};
