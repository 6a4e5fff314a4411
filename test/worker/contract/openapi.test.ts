import { isDeepStrictEqual } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { describeApi } from '../../../local/site/describe.ts';
import { SCOPES } from '../../../src/account/permissions.ts';
import { everyRoute as declared } from '../../../src/app.ts';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { templated } from '../../../src/http/route.ts';
import { importers, logged } from '../../../src/registry.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { type Media, PROBLEM, type Schema } from '../../support/described.ts';
import { document, documented, resolved } from '../../support/document.ts';
import { operationNamed } from '../../support/operations.ts';
import { shareOfEach } from '../../support/paths.ts';
import { aim, everyRoute, fire, routes } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const reply = await world.api.get('/openapi.json');
expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json']);
const served = reply.json;

const everyOperation = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
);

/** Every schema of the document and of its parts. */
function* schemasIn(node: unknown): Generator<Json> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield node as Json;
  for (const part of Object.values(node)) yield* schemasIn(part);
}

test('is OpenAPI 3.1 and documents the mounted routes, no more and no fewer', () => {
  const described: unknown = JSON.parse(JSON.stringify(describeApi()));
  // Where they differ, in words: to compare two of this size so takes a second.
  if (!isDeepStrictEqual(served, described)) expect(served).toEqual(described);
  expect(served.openapi).toMatch(/^3\.1\./);
  const mounted = declared().map((spec) => `${spec.method.toUpperCase()} /api/v1${templated(spec.path)}`);
  expect(everyOperation.map(({ name }) => name).sort()).toEqual(mounted.sort());
});

test('operation ids are unique names', () => {
  const ids = everyOperation.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
});

test('every reference resolves', () => {
  const references = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === '$ref') references.add(String(value));
      else visit(value);
    }
  };
  visit(served);
  expect(references.size).toBeGreaterThan(5);
  for (const reference of references) {
    expect(reference).toMatch(/^#\//);
    const found = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], served);
    expect(found, reference).toBeDefined();
  }
});

test.each(routes.map((route) => [route.name, route] as const))(
  '%s says what it takes and answers',
  (_, { spec, method }) => {
    const operation = documented(operationNamed(`${method} ${spec.path}`));
    const { success } = spec;
    expect(operation.responses[success.status]?.content !== undefined).toBe(success.schema !== null);
    expect(operation.responses[304] !== undefined).toBe((success.cached ?? success.revalidated) === true);
    expect(operation.requestBody !== undefined).toBe(spec.body !== undefined || spec.file !== undefined);
    expect(operation.security).toEqual(spec.anonymous === true ? [] : [{ bearer: [] }]);
    for (const code of spec.errors) {
      const response = operation.responses[ERROR_CODES[code].status];
      expect(response?.description).toContain(`\`${code}\``);
      expect(Object.keys(response?.content ?? {})).toEqual(['application/problem+json']);
    }
    const named = (place: string): string[] =>
      (operation.parameters ?? []).filter((p) => p.in === place).map((p) => p.name);
    const inPath = [...spec.path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name);
    expect(named('path')).toEqual(inPath);
    const inQuery = [
      ...Object.keys(spec.query ?? {}),
      ...Object.keys(spec.list?.filters ?? {}),
      ...(spec.detail ? ['fields'] : []),
    ];
    expect(named('query')).toEqual(expect.arrayContaining(inQuery));
  },
);

test('an import says which files it takes, and which words its query', () => {
  const operation = documented(operationNamed('POST /imports'));
  expect(Object.keys(operation.requestBody?.content ?? {})).toEqual(['text/csv', 'application/x-ndjson']);
  const inQuery = operation.parameters?.filter((parameter) => parameter.in === 'query');
  expect(inQuery?.map(({ name, required, schema }) => [name, required, schema])).toEqual([
    ['resource', true, { type: 'string', enum: [...importers().keys()] }],
    ['dryRun', false, { type: 'boolean' }],
    ['match', false, { type: 'string', enum: ['externalId', 'email', 'phone'] }],
    ['columns', false, { type: 'string' }],
  ]);
  for (const code of ['malformed_file', 'empty_body', 'payload_too_large', 'unsupported_media_type'] as const)
    expect(operation.responses[ERROR_CODES[code].status]?.description).toContain(`\`${code}\``);
  const [format] = documented(operationNamed('GET /clients/export')).parameters;
  expect(format).toMatchObject({ name: 'format', schema: { type: 'string', enum: ['ndjson', 'csv'] } });
});

test('every error code is published', () => {
  const published = document.components.schemas.ErrorCode?.enum as string[];
  expect([...published].sort()).toEqual(Object.keys(ERROR_CODES).sort());
});

describe('examples', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, inlineRefs: false, code: { optimize: false } });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: { schemas: document.components.schemas } });
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();

  /** The examples of a body, each right by its schema. */
  function examplesOf(media: Media): unknown[] {
    const text = JSON.stringify(media.schema).replaceAll('"#/', '"api#/');
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Schema);
    compiled.set(text, validate);
    return Object.values(media.examples ?? {}).map((example) => {
      const { value } = resolved(example);
      expect(validate(value), `${JSON.stringify(value)} ${ajv.errorsText(validate.errors)}`).toBe(true);
      return value;
    });
  }

  test.each(everyRoute.map((route) => [route.name, route] as const))('%s', (name, { spec }) => {
    const { requestBody, responses } = documented(operationNamed(name));
    for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
      const examples = examplesOf(media);
      expect(examples.length, `the body as ${type}`).toBeGreaterThan(0);
      // What the schema of a request says to itself in code, besides.
      for (const example of examples)
        if (spec.body !== undefined) expect(spec.body().safeParse(example).error).toBeUndefined();
    }
    for (const [status, { content = {} }] of Object.entries(responses)) {
      for (const [type, media] of Object.entries(content)) {
        const examples = examplesOf(media);
        expect(examples.length, `${status} ${type}`).toBeGreaterThan(0);
        if (Number(status) === spec.success.status && spec.success.types === undefined)
          for (const example of examples) expect(spec.success.schema?.().parse(example)).toEqual(example);
      }
    }
  });
});

test('every operation says what it does, who may, and which headers its answers have', () => {
  for (const { name, operation } of everyOperation) {
    expect(operation.description.length, name).toBeGreaterThan(10);
    const scopes = operation['x-required-scopes'];
    expect(scopes === undefined, name).toBe(operation.security.length === 0);
    for (const scope of scopes ?? []) {
      expect(SCOPES as readonly string[]).toContain(scope);
      expect(operation.description).toContain(`\`${scope}\``);
    }
    for (const [status, { headers, content }] of Object.entries(operation.responses)) {
      expect(Object.keys(headers ?? {}), `${name} ${status}`).toContain('Request-Id');
      for (const header of Object.values(headers ?? {})) expect(resolved(header).description).toBeTypeOf('string');
      if (Number(status) === 429) expect(Object.keys(headers ?? {})).toContain('Retry-After');
      expect(content?.[PROBLEM] === undefined || Number(status) >= 400).toBe(true);
    }
  }
  const exported = documented(operationNamed('GET /clients/export'));
  expect(exported['x-required-scopes']).toEqual(['export', 'clients:read']);
});

test('a PATCH is a merge patch, too', () => {
  for (const { name, operation } of everyOperation.filter((each) => each.name.startsWith('PATCH'))) {
    const { content = {} } = operation.requestBody ?? {};
    expect(Object.keys(content), name).toEqual(['application/json', 'application/merge-patch+json']);
    expect(content['application/merge-patch+json']?.schema).toEqual(content['application/json']?.schema);
  }
});

test('requests are closed and answers open; nothing is bounded by what a number can be', () => {
  for (const { operation } of everyOperation) {
    for (const { content = {} } of Object.values(operation.responses)) {
      for (const { schema } of Object.values(content)) {
        const shut = [...schemasIn(resolved(schema))].filter((part) => part.additionalProperties === false);
        expect(shut).toEqual([]);
      }
    }
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
      if (resolved(schema).type === 'object') expect(resolved(schema).additionalProperties).toBe(false);
    }
  }
  const unbounded: unknown[] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const bounded = [...schemasIn(served)].filter(({ minimum, maximum }) =>
    [minimum, maximum].some((bound) => unbounded.includes(bound)),
  );
  expect(bounded).toEqual([]);
});

test('events are told apart by their type, and their data is the object', () => {
  const { oneOf } = document.components.schemas.Event as { oneOf: Schema[] };
  const options = oneOf.map((option) => resolved(option) as { properties: Record<string, Schema> });
  const types = options.flatMap(({ properties }) => properties.type?.enum as string[]);
  expect(types).toEqual(logged().flatMap(({ entity, actions }) => actions.map((action) => `${entity}.${action}`)));
  const client = options.find(({ properties }) => properties.topic?.const === 'clients');
  expect(JSON.stringify(client?.properties.data)).toContain('#/components/schemas/Client"');
  const { parameters } = documented(operationNamed('GET /events'));
  const schemaOf = (name: string) => parameters.find((parameter) => parameter.name === name)?.schema;
  expect(schemaOf('after')).toMatchObject({ type: 'integer', minimum: 0 });
  expect(schemaOf('limit')).toMatchObject({ type: 'integer', minimum: 1, maximum: 500 });
});

/** As a generated client does: a zod schema of the document's own text. */
function generated(schema: Schema) {
  const { schemas } = document.components;
  const text = JSON.stringify({ ...resolved(schema), $defs: schemas }).replaceAll(
    '"#/components/schemas/',
    '"#/$defs/',
  );
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
}

const answering = routes.filter(({ spec }) => (spec.list ?? spec.detail) !== undefined);
test.each(shareOfEach(answering, 4).map((route) => [route.name, route] as const))(
  '%s: a generated client takes whatever fields= leaves',
  async (name, route) => {
    const { responses } = documented(operationNamed(name));
    const client = generated(responses[200]?.content?.['application/json']?.schema ?? {});
    const shot = await aim(route, salon);
    for (const field of route.spec.detail?.fields ?? route.spec.list?.fields ?? []) {
      const reply = await fire(salon.api, { ...shot, path: `${shot.path}?fields=${field}` });
      expect(client.parse(reply.json)).toEqual(reply.json);
    }
    const whole = (await fire(salon.api, shot)).json;
    expect(client.parse(whole)).toEqual(whole);
    // A field that this client does not know yet.
    expect(client.safeParse({ ...whole, tomorrow: { new: true } }).success).toBe(true);
  },
);
