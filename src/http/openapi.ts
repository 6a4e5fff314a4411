import * as z from 'zod';
import { ERROR_CODES, type ErrorCode } from '../core/errors.ts';
import type { FilterDeclaration, ListDeclaration } from '../core/list-query.ts';
import { type QueryParameter, type RouteModule, type RouteSpec, templated } from './route.ts';
import { errorsOf, takesKey } from './route-errors.ts';
import { Problem } from './schemas.ts';

type Parameter = {
  name: string;
  in: 'query' | 'path' | 'header';
  required: boolean;
  description: string;
  schema: Record<string, unknown>;
};

/** What each group of routes is about. */
const TAGS: Readonly<Record<string, string>> = {
  'Sign-in': 'Companies sign up, people sign in.',
  Company: 'The company of the caller.',
  Users: 'The people who sign in, and their roles.',
  'API keys': 'Credentials of machines.',
  Clients: 'The people a company works for.',
  Branches: 'The places a company works at.',
  Imports: 'Rows from a file, checked and taken in behind the answer.',
  Audit: 'Who changed what, with both states.',
  Events: 'The company log: every change, in order, without gaps.',
  Health: 'Whether the product runs.',
};

const TYPES: Readonly<Record<FilterDeclaration['kind'], Record<string, unknown>>> = {
  enum: { type: 'string' },
  enumList: { type: 'string', description: 'Comma-separated.' },
  boolean: { type: 'string', enum: ['true', 'false'] },
  instant: { type: 'string', format: 'date-time' },
  id: { type: 'string' },
  idList: { type: 'string' },
  date: { type: 'string', format: 'date' },
  text: { type: 'string', maxLength: 200 },
};

/** One of these values, or a list of them, or whatever its kind says. */
const valueSchema = ({ kind, values }: QueryParameter): Record<string, unknown> => ({
  ...(kind === undefined ? { type: 'string' } : TYPES[kind]),
  ...(kind === 'enum' && { enum: values }),
});

const query = (
  name: string,
  description: string,
  schema: Record<string, unknown> = { type: 'string' },
  required = false,
): Parameter => ({ name, in: 'query', required, description, schema });

function listParameters(d: ListDeclaration): Parameter[] {
  const filters = Object.entries(d.filters).map(([name, filter]) =>
    query(
      name,
      `${filter.description}${filter.values === undefined ? '' : ` Of ${filter.values.join(', ')}.`}`,
      valueSchema(filter),
    ),
  );
  return [
    query('page', 'From 1; page × limit may be at most 10000.', { type: 'integer', minimum: 1 }),
    query('limit', 'Rows per page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
    query('cursor', 'Where a walk goes on: `nextCursor` or `prevCursor` of the page before.'),
    query('count', 'Whether to count the total.', { type: 'string', enum: ['exact', 'estimated', 'none'] }),
    query('sort', `Fields, a minus for descending: ${d.sorts.join(', ')}.`),
    query('order', 'Direction of a single plain sort field.', { type: 'string', enum: ['asc', 'desc'] }),
    query('fields', `Exactly these fields plus id: ${d.fields.join(', ')}.`),
    ...(d.includes?.length ? [query('include', `Embeds: ${d.includes.join(', ')}.`)] : []),
    ...(d.search === true
      ? [
          query('search', 'Words in any order; forgives typos and accents.', {
            type: 'string',
            minLength: 1,
            maxLength: 100,
          }),
        ]
      : []),
    ...filters,
  ];
}

function parametersOf(spec: RouteSpec): Parameter[] {
  const path = [...spec.path.matchAll(/:([A-Za-z]+)/g)].map(
    ([, name]): Parameter => ({
      name: name ?? '',
      in: 'path',
      required: true,
      description: 'Its id.',
      schema: { type: 'string' },
    }),
  );
  const own = Object.entries(spec.query ?? {}).map(([name, parameter]) =>
    query(name, parameter.description, valueSchema(parameter), parameter.required),
  );
  const list = spec.list === undefined ? [] : listParameters(spec.list);
  const fields =
    spec.fields === undefined ? [] : [query('fields', `Exactly these fields plus id: ${spec.fields.join(', ')}.`)];
  const includes = spec.includes?.length ? [query('include', `Embeds: ${spec.includes.join(', ')}.`)] : [];
  return [...path, ...list, ...own, ...fields, ...includes, ...headersOf(spec)];
}

const hasETag = ({ success }: RouteSpec): boolean => success.cached === true || success.revalidated === true;

function headersOf(spec: RouteSpec): Parameter[] {
  const header = (name: string, description: string): Parameter => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  });
  if (spec.anonymous === true) return [];
  if (spec.method === 'get') {
    const min = header('Min-Revision', 'The answer is computed at this revision or a later one.');
    return hasETag(spec) ? [min, header('If-None-Match', 'An ETag; 304 when it still holds.')] : [min];
  }
  return [
    ...(takesKey(spec) ? [header('Idempotency-Key', 'Repeats of the request answer as the first did.')] : []),
    ...(spec.errors.includes('version_mismatch') ? [header('If-Match', 'The version that the change rests on.')] : []),
  ];
}

type Json = Record<string, unknown>;

/** JSON Schemas by their id; each is written once, under components. */
type Components = Record<string, Json>;

/** The JSON Schema of a zod schema (OpenAPI 3.1 takes draft 2020-12 as it is), its named parts moved to `components`. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', components: Components): Json {
  // The library's own generator; a second one beside it would weigh more than all our routes.
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & { $defs?: Components };
  const { $defs = {}, $schema: _dialect, ...rest } = made;
  const moved = (value: Json): Json =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  for (const [id, part] of Object.entries($defs)) components[id] ??= named(moved(part));
  const { id } = rest;
  if (typeof id !== 'string') return moved(rest);
  components[id] ??= named(moved(rest));
  return { $ref: `#/components/schemas/${id}` };
}

/** zod writes the id into the schema; in a component it is the key. */
function named({ id: _id, $id: _uri, ...schema }: Json): Json {
  return schema;
}

function responsesOf(spec: RouteSpec, components: Components): Json {
  const { success } = spec;
  const responses: Json = {};
  const { description, schema, types = ['application/json'] } = success;
  responses[success.status] =
    schema === null
      ? { description }
      : {
          description,
          content: Object.fromEntries(types.map((type) => [type, { schema: schemaOf(schema, 'output', components) }])),
        };
  if (hasETag(spec)) responses[304] = { description: 'What the caller holds is still right' };
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(spec)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: { 'application/problem+json': { schema: schemaOf(Problem, 'output', components) } },
    };
  }
  for (const [status, other] of Object.entries(spec.others ?? {})) {
    responses[status] = {
      description: other.description,
      content: { 'application/json': { schema: schemaOf(other.schema, 'output', components) } },
    };
  }
  return responses;
}

function requestBodyOf({ body, file, optionalBody }: RouteSpec, components: Components): Json {
  const content =
    body === undefined
      ? file?.map((type) => [type, { schema: { type: 'string' } }])
      : [['application/json', { schema: schemaOf(body, 'input', components) }]];
  return content === undefined
    ? {}
    : { requestBody: { required: optionalBody !== true, content: Object.fromEntries(content) } };
}

function operationOf(spec: RouteSpec, components: Components): Json {
  return {
    tags: [spec.tag],
    operationId: `${spec.method}${spec.path.replace(/[/:.-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: spec.summary,
    ...(spec.description !== undefined && { description: spec.description }),
    security: spec.anonymous === true ? [] : [{ bearer: [] }],
    parameters: parametersOf(spec),
    ...requestBodyOf(spec, components),
    responses: responsesOf(spec, components),
  };
}

/** The OpenAPI 3.1 document, from the very declarations that the routes run on. Made once, when first asked for. */
export function openApiDocument(base: string, modules: readonly RouteModule[]): Json {
  const schemas: Components = {};
  const paths: Record<string, Json> = {};
  for (const spec of modules.flat()) {
    const path = `${base}${templated(spec.path)}`;
    paths[path] = { ...paths[path], [spec.method]: operationOf(spec, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Clients+',
      version: '1.0.0',
      description: 'A multi-tenant backend for businesses that live on appointments.',
      license: { name: 'Proprietary', url: 'https://docs.clientsplus.dev/license' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(modules.flat().map((spec) => spec.tag))].map((name) => ({
      name,
      description: TAGS[name] ?? name,
    })),
    paths,
    components: {
      schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An access token or an API key.' } },
    },
  };
}
