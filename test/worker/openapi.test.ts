import { afterAll, beforeAll, expect, test } from 'vitest';
import { modules } from '../../src/app.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { templated } from '../../src/http/route.ts';
import { importers } from '../../src/registry.ts';
import { routes } from '../support/routes.ts';
import { openWorld, type World } from '../support/world.ts';

type Operation = {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: unknown }[];
  requestBody?: { required: boolean; content: Record<string, unknown> };
  security?: unknown[];
  responses: Record<string, { description: string; content?: Record<string, unknown> }>;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { enum?: string[] }>; securitySchemes: Record<string, unknown> };
};

let world: World;
let document: Document;
beforeAll(async () => {
  world = await openWorld();
  const reply = await world.api.get('/openapi.json');
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json']);
  document = reply.json as Document;
});
afterAll(() => world.close());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

test('is OpenAPI 3.1 and documents the mounted routes, no more and no fewer', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  const mounted = modules.flat().map((spec) => `${spec.method.toUpperCase()} /api/v1${templated(spec.path)}`);
  expect(
    operations()
      .map(([name]) => name)
      .sort(),
  ).toEqual(mounted.sort());
});

test('operation ids are unique names', () => {
  const ids = operations().map(([, { operationId }]) => operationId);
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
  visit(document);
  expect(references.size).toBeGreaterThan(5);
  for (const reference of references) {
    expect(reference).toMatch(/^#\//);
    const found = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], document);
    expect(found, reference).toBeDefined();
  }
});

test.each(routes.map((route) => [route.name, route] as const))(
  '%s says what it takes and answers',
  (_, { spec, method }) => {
    const operation = document.paths[`/api/v1${templated(spec.path)}`]?.[method.toLowerCase()] as Operation;
    const { success } = spec;
    expect(operation.responses[success.status]?.content !== undefined).toBe(success.schema !== null);
    expect(operation.responses[304] !== undefined).toBe(success.cached === true);
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
      ...(spec.fields ? ['fields'] : []),
    ];
    expect(named('query')).toEqual(expect.arrayContaining(inQuery));
  },
);

test('an import says which files it takes, and which words its query', () => {
  const operation = document.paths['/api/v1/imports']?.post as Operation;
  expect(Object.keys(operation.requestBody?.content ?? {})).toEqual(['text/csv', 'application/x-ndjson']);
  const inQuery = operation.parameters?.filter((parameter) => parameter.in === 'query');
  expect(inQuery?.map(({ name, required, schema }) => [name, required, schema])).toEqual([
    ['resource', true, { type: 'string', enum: [...importers.keys()] }],
    ['dryRun', false, { type: 'string', enum: ['true', 'false'] }],
  ]);
  for (const code of ['malformed_file', 'empty_body', 'payload_too_large', 'unsupported_media_type'] as const)
    expect(operation.responses[ERROR_CODES[code].status]?.description).toContain(`\`${code}\``);
  const [format] = document.paths['/api/v1/clients/export']?.get?.parameters ?? [];
  expect(format).toMatchObject({ name: 'format', schema: { type: 'string', enum: ['ndjson', 'csv'] } });
});

test('every error code is published', () => {
  expect(document.components.schemas.ErrorCode?.enum?.sort()).toEqual(Object.keys(ERROR_CODES).sort());
});
