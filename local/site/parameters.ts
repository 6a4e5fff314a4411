import type { FilterKind, ListDeclaration } from '../../src/core/list-query.ts';
import type { QueryParameter, RouteSpec } from '../../src/http/route.ts';
import { takesKey } from './route-errors.ts';

type Json = Record<string, unknown>;
type Parameter = {
  name: string;
  in: 'query' | 'path' | 'header';
  required: boolean;
  description: string;
  schema: Json;
  example?: unknown;
};

const TYPES: Readonly<Record<FilterKind | 'integer', Json>> = {
  enum: { type: 'string' },
  enumList: { type: 'string' },
  boolean: { type: 'boolean' },
  instant: { type: 'string', format: 'date-time' },
  id: { type: 'string' },
  idList: { type: 'string' },
  date: { type: 'string', format: 'date' },
  text: { type: 'string', minLength: 1, maxLength: 200 },
  integer: { type: 'integer' },
};

/** One of these values, or a list of them, or whatever its kind says. */
function valueSchema({ kind, values = [], minimum, maximum, fallback }: QueryParameter): Json {
  return {
    ...(kind === undefined ? { type: 'string' } : TYPES[kind]),
    ...(kind === 'enum' && { enum: values }),
    // A list in one text: clients that repeat a parameter for each value would be refused.
    ...(kind === 'enumList' && { pattern: `^(?:${values.join('|')})(?:,(?:${values.join('|')}))*$` }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(fallback !== undefined && { default: fallback }),
  };
}

const query = (name: string, description: string, schema: Json = { type: 'string' }, required = false): Parameter => ({
  name,
  in: 'query',
  required,
  description,
  schema,
});

const declared = ([name, parameter]: [string, QueryParameter]): Parameter => {
  const { kind, values, description, required } = parameter;
  const some = kind === 'enumList' ? ` Separated by commas, of ${values?.join(', ')}.` : '';
  return query(name, `${description}${some}`, valueSchema(parameter), required);
};

function listParameters(d: ListDeclaration): Parameter[] {
  return [
    query('page', 'From 1; page × limit may be at most 10000.', { type: 'integer', minimum: 1, default: 1 }),
    query('limit', 'Rows per page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
    query('cursor', 'Where a walk goes on: `nextCursor` or `prevCursor` of the page before. Not beside `page`.'),
    query('count', 'Whether to count the total. Default `exact` with pages, `estimated` with a search, else `none`.', {
      type: 'string',
      enum: ['exact', 'estimated', 'none'],
    }),
    query('sort', `Fields, separated by commas, a minus for descending: ${d.sorts.join(', ')}.`),
    query('order', 'Direction of a single plain sort field.', { type: 'string', enum: ['asc', 'desc'] }),
    ...shape(d),
    ...(d.search === true
      ? [
          query('search', 'Words in any order; forgives typos and accents.', {
            type: 'string',
            minLength: 1,
            maxLength: 100,
          }),
        ]
      : []),
    ...Object.entries(d.filters).map(declared),
  ];
}

/** What of an object is shown. */
const shape = ({ fields, includes = [] }: { fields: readonly string[]; includes?: readonly string[] }): Parameter[] => [
  query('fields', `Exactly these fields, separated by commas, and the id: ${fields.join(', ')}.`),
  ...(includes.length > 0 ? [query('include', `Embeds, separated by commas: ${includes.join(', ')}.`)] : []),
];

/** @param id an id as the path takes it */
export function parametersOf(spec: RouteSpec, id: unknown): Parameter[] {
  const path = [...spec.path.matchAll(/:([A-Za-z]+)/g)].map(
    ([, name]): Parameter => ({
      name: name ?? '',
      in: 'path',
      required: true,
      description: spec.parts?.[name ?? ''] ?? 'Its public id.',
      schema: { type: 'string' },
      ...(id !== undefined && { example: id }),
    }),
  );
  const own = Object.entries(spec.query ?? {}).map(declared);
  const list = spec.list === undefined ? [] : listParameters(spec.list);
  const parts = spec.detail === undefined ? [] : shape(spec.detail);
  return [...path, ...list, ...own, ...parts, ...headersOf(spec)];
}

/** Whether a GET answers 304 to whoever holds what it would answer. */
export const hasETag = ({ success }: RouteSpec): boolean => success.cached === true || success.revalidated === true;

function headersOf(spec: RouteSpec): Parameter[] {
  const header = (
    name: string,
    description: string,
    schema: Json = { type: 'string' },
    example?: unknown,
  ): Parameter => ({
    name,
    in: 'header',
    required: false,
    description,
    schema,
    ...(example !== undefined && { example }),
  });
  const held = header('If-None-Match', 'ETags, or `*`; 304 when one still holds.');
  if (spec.anonymous === true) return hasETag(spec) ? [held] : [];
  if (spec.method === 'get') {
    const revision = { type: 'integer', minimum: 0 };
    const min = header('Min-Revision', 'The answer is computed at this revision or a later one.', revision, 42);
    return hasETag(spec) ? [min, held] : [min];
  }
  const key = { type: 'string', minLength: 1, maxLength: 255 };
  return [
    ...(takesKey(spec)
      ? [
          {
            ...header(
              'Idempotency-Key',
              'Repeats of the request answer as the first did, for 24 hours.',
              key,
              'b7f0c1d2',
            ),
            required: spec.errors.includes('idempotency_key_required'),
          },
        ]
      : []),
    ...(spec.errors.includes('version_mismatch')
      ? [
          header(
            'If-Match',
            "The object's `version` in quotes, or `*`; 412 when it has another.",
            { type: 'string' },
            '"3"',
          ),
        ]
      : []),
  ];
}
