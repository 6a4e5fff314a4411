import { ERROR_CODES, type ErrorCode } from '../../src/core/errors.ts';
import { csvLine } from '../../src/http/csv.ts';
import { PROBLEM_PAGE } from '../../src/http/problem.ts';
import type { RouteSpec } from '../../src/http/route.ts';
import { Problem, type Schema } from '../../src/http/schemas.ts';
import { exampleOf, mediaOf } from './examples.ts';
import { hasETag } from './parameters.ts';
import { errorsOf, takesKey } from './route-errors.ts';
import { type Components, type Json, readOf, schemaOf } from './schemas.ts';

const text = (description: string, example: string, required = true): Json => ({
  description,
  required,
  schema: { type: 'string' },
  example,
});

/** Every header that an answer may have, by its name; `required` ones stand on each answer that names them. */
export const RESPONSE_HEADERS: Readonly<Record<string, Json>> = {
  'Request-Id': text('Names the request, in our log too.', 'req_01h455vb4pex5vsknk084sn02q'),
  'X-Response-Time': text('How long it took.', '23ms'),
  'Server-Timing': text('What each dependency cost, ms.', 'total;dur=23, db;dur=12;desc="1"'),
  Revision: {
    description: "The company's revision that the answer is true at; send it as Min-Revision to read your own write.",
    required: true,
    schema: { type: 'integer', minimum: 0 },
    example: 42,
  },
  RateLimit: text('What is left of the limit, and the seconds until it begins anew.', '"company";r=987;t=31'),
  'RateLimit-Policy': text('The limit of a window of so many seconds.', '"company";q=1000;w=60'),
  'Cache-Control': text('Who may keep the answer.', 'private, no-cache'),
  Vary: text('The request headers that the answer depends on.', 'Authorization, Accept, Accept-Encoding'),
  ETag: text('Names the answer; send it as If-None-Match.', 'W/"a1b2c3d4e5f6.0f9c11d2.16.kq3v5Jp0cXn2Yb7T9sLw4A"'),
  'X-Cache': text('HIT, MISS, STALE or BYPASS.', 'HIT'),
  'Cache-Status': text('The same as RFC 9211 says it.', 'ClientsPlus; hit; detail=memory'),
  Link: text('RFC 8288: the first, previous and next page.', '</api/v1/clients>; rel="first"'),
  Location: text('Where the new object is.', '/api/v1/clients/clnt_01h455vb4pex5vsknk084sn02q'),
  'Idempotency-Replayed': text('`true`: the answer of an earlier request with this key.', 'true', false),
  'Content-Disposition': text('The name of the file.', 'attachment; filename="clients.csv"'),
  'Retry-After': text('Seconds to wait.', '1', false),
  'WWW-Authenticate': text('RFC 6750.', 'Bearer realm="clientsplus"'),
};

const named = (names: readonly string[]): Json => ({
  headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
});

const EVERY = ['Request-Id', 'X-Response-Time', 'Cache-Control'];
const TENANT = ['Server-Timing', 'Revision', 'RateLimit', 'RateLimit-Policy'];
const READ = ['Vary', 'ETag', 'X-Cache', 'Cache-Status'];

function headersOf(spec: RouteSpec): string[] {
  const { success } = spec;
  return [
    ...EVERY,
    ...(spec.anonymous === true ? [] : TENANT),
    ...(hasETag(spec) ? READ : []),
    ...(spec.list === undefined && spec.query?.cursor === undefined ? [] : ['Link']),
    ...(spec.method === 'post' && (success.status === 201 || spec.file !== undefined) && success.located !== false
      ? ['Location']
      : []),
    ...(takesKey(spec) ? ['Idempotency-Replayed'] : []),
    ...(success.types === undefined ? [] : ['Vary', 'Content-Disposition']),
  ];
}

/** Every answer of a route: success, what is still right, refusals by status, others. */
export function responsesOf(spec: RouteSpec, components: Components, refusals: Refusals): Json {
  const { description, schema, status, types = ['application/json'], line } = spec.success;
  const headers = named(headersOf(spec));
  const responses: Json = { [status]: { description, ...headers } };
  if (schema !== null) {
    const whole = schemaOf(schema(), 'output', components);
    const shown = (spec.list ?? spec.detail) === undefined ? whole : readOf(whole, components);
    const content = types.map((type) => [
      type,
      line === undefined ? mediaOf(shown, components) : streamOf(type, line, components),
    ]);
    responses[status] = { description, ...headers, content: Object.fromEntries(content) };
  }
  if (hasETag(spec)) responses[304] = { description: 'What the caller holds is still right', ...headers };
  for (const [code, codes] of byStatus(errorsOf(spec))) {
    responses[code] = refusal(spec, code, codes, components, refusals);
  }
  for (const [code, other] of Object.entries(spec.others ?? {})) {
    const media = mediaOf(schemaOf(other.schema(), 'output', components), components);
    responses[code] = { description: other.description, ...named(EVERY), content: { 'application/json': media } };
  }
  return responses;
}

function byStatus(codes: readonly ErrorCode[]): [number, ErrorCode[]][] {
  const found = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CODES[code];
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return [...found].sort(([a], [b]) => a - b);
}

/** A stream of rows, and how such a one begins and ends. */
function streamOf(type: string, line: Schema, components: Components): Json {
  const row = exampleOf(schemaOf(line(), 'output', components), components) as Json;
  const value =
    type === 'text/csv'
      ? csvLine(Object.keys(row)) + csvLine(Object.values(row))
      : `${JSON.stringify(row)}\n{"_end":true,"count":1}\n`;
  return { schema: { type: 'string' }, examples: { usual: { value } } };
}

/** Responses that are components, by their text. */
export type Refusals = Map<string, string>;

/** The problems of one status. What several operations answer alike is one component. */
function refusal(
  spec: RouteSpec,
  status: number,
  codes: readonly ErrorCode[],
  components: Components,
  refusals: Refusals,
): Json {
  for (const code of codes)
    components.examples[code] ??= { summary: ERROR_CODES[code].title, value: problemWith(code) };
  const known = spec.anonymous !== true && status !== 401;
  const headers = [
    ...EVERY,
    ...(known ? TENANT.slice(0, 2) : []),
    ...(status === 401 ? ['WWW-Authenticate'] : []),
    ...(status === 429 || status === 503 ? ['Retry-After'] : []),
  ];
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  const response = {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...named(headers),
    content: {
      'application/problem+json': {
        schema: schemaOf(Problem(), 'output', components),
        examples: Object.fromEntries(examples),
      },
    },
  };
  const text = JSON.stringify(response);
  const others = [...refusals.values()].filter((name) => name.startsWith(`Problem${status}`)).length;
  const id = refusals.get(text) ?? `Problem${status}${others === 0 ? '' : `_${others + 1}`}`;
  refusals.set(text, id);
  components.responses[id] = response;
  return { $ref: `#/components/responses/${id}` };
}

function problemWith(code: ErrorCode): Json {
  const { status, title } = ERROR_CODES[code];
  return {
    type: `${PROBLEM_PAGE}${code}`,
    title,
    status,
    code,
    detail: `${title}.`,
    instance: '/api/v1/clients',
    requestId: 'req_01h455vb4pex5vsknk084sn02q',
    ...(code === 'invalid_body' && {
      errors: [{ pointer: '/email', code: 'invalid_format', detail: 'Must be an e-mail address.' }],
    }),
  };
}
