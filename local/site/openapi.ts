import { type RouteSpec, templated } from '../../src/http/route.ts';
import { exampleOf, mediaOf } from './examples.ts';
import { parametersOf } from './parameters.ts';
import { RESPONSE_HEADERS, type Refusals, responsesOf } from './responses.ts';
import { type Components, type Json, schemaOf } from './schemas.ts';

/** What each group of routes is about. */
const TAGS: Readonly<Record<string, string>> = {
  'API keys': 'Credentials of machines.',
  Audit: 'Who changed what, with both states.',
  Branches: 'The places a company works at.',
  Clients: 'The people a company works for.',
  Company: 'The company of the caller.',
  Events: 'The company log: every change, in order, without gaps.',
  Health: 'Whether the product runs.',
  Imports: 'Rows from a file, checked and taken in behind the answer.',
  'Sign-in': 'Companies sign up, people sign in.',
  Users: 'The people who sign in, and their roles.',
};

const INTRODUCTION = `A multi-tenant backend for businesses that live on appointments.

Send \`Authorization: Bearer\` with an access token (\`POST /auth/login\`) or an API key. Ids are text with a prefix
(\`clnt_…\`), instants RFC 3339 in UTC, money whole minor units with a currency. In a PATCH, null clears and absence leaves
(RFC 7396). Unknown fields and parameters of a request are refused; **fields are added to answers without notice**, so skip
those you do not know. Refusals are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Every answer carries
\`Revision\`: send it as \`Min-Revision\` to read at least what you have seen or written.`;

/** Who holds these permissions: the scopes a key needs (none: any key may), and the lowest role of a user. */
export type Needs = (permissions: readonly string[]) => { scopes: readonly string[]; role: string };

function requestBodyOf(
  { method, body, optionalBody, file, fileExamples = {} }: RouteSpec,
  components: Components,
): Json {
  if (body === undefined) {
    const content = file?.map((type) => [
      type,
      { schema: { type: 'string' }, examples: { usual: { value: fileExamples[type] } } },
    ]);
    return content === undefined ? {} : { requestBody: { required: true, content: Object.fromEntries(content) } };
  }
  const media = mediaOf(schemaOf(body(), 'input', components), components);
  const patch = method === 'patch' ? { 'application/merge-patch+json': media } : {};
  return { requestBody: { required: optionalBody !== true, content: { 'application/json': media, ...patch } } };
}

/** What a caller needs, in words and for tools. */
function needsOf(spec: RouteSpec, needs: Needs): { words: string; tools: Json } {
  if (spec.anonymous === true) return { words: '', tools: {} };
  const permissions = [...(spec.permission === undefined ? [] : [spec.permission]), ...(spec.alsoNeeds ?? [])];
  if (permissions.length === 0) return { words: 'Any signed-in caller may.', tools: { 'x-required-scopes': [] } };
  const { scopes, role } = needs(permissions);
  const key = scopes.length === 0 ? 'any API key' : `an API key with ${scopes.map((s) => `\`${s}\``).join(' and ')}`;
  return {
    words: `Needs the role ${role} or above, or ${key}.`,
    tools: { 'x-required-scopes': scopes, 'x-required-role': role },
  };
}

function operationOf(spec: RouteSpec, components: Components, refusals: Refusals, needs: Needs): Json {
  const responses = responsesOf(spec, components, refusals);
  const { words, tools } = needsOf(spec, needs);
  const { schema } = spec.success;
  const shown = schema === null ? undefined : exampleOf(schemaOf(schema(), 'output', components), components);
  const id = (shown as Json | undefined)?.id;
  return {
    tags: [spec.tag],
    operationId: `${spec.method}${spec.path.replace(/[/:.-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: spec.summary,
    description: [spec.description, words].filter((part) => part !== undefined && part !== '').join('\n\n'),
    security: spec.anonymous === true ? [] : [{ bearer: [] }],
    ...tools,
    parameters: parametersOf(spec, id),
    ...requestBodyOf(spec, components),
    responses,
  };
}

/** Without the parts that only led to others. */
function onlyUsed(components: Components, paths: string): Components {
  const kept: Components = { schemas: {}, examples: {}, responses: {} };
  const waiting = [paths];
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    for (const [, kind, name = ''] of text.matchAll(/"#\/components\/(schemas|examples|responses)\/([^"]+)"/g)) {
      const group = kind as keyof Components;
      const part = components[group][name];
      if (part === undefined || kept[group][name] !== undefined) continue;
      kept[group][name] = part;
      waiting.push(JSON.stringify(part));
    }
  }
  return kept;
}

/** The OpenAPI 3.1 document, from the very declarations that the routes run on. */
export function openApiDocument(base: string, routes: readonly RouteSpec[], needs: Needs): Json {
  const components: Components = { schemas: {}, examples: {}, responses: {} };
  const refusals: Refusals = new Map();
  const paths: Record<string, Json> = {};
  for (const spec of routes) {
    const path = `${base}${templated(spec.path)}`;
    paths[path] = { ...paths[path], [spec.method]: operationOf(spec, components, refusals, needs) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Clients+',
      version: '1.0.0',
      description: INTRODUCTION,
      contact: { name: 'Clients+', url: 'https://docs.clientsplus.dev' },
      license: { name: 'Proprietary', url: 'https://docs.clientsplus.dev/license' },
    },
    servers: [{ url: '/', description: 'Where this document was read.' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name, description: TAGS[name] ?? name })),
    paths,
    components: {
      ...onlyUsed(components, JSON.stringify(paths)),
      headers: RESPONSE_HEADERS,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An access token or an API key.' } },
    },
  };
}
