import fc from 'fast-check';
import type { FilterDeclaration } from '../../src/core/query-values.ts';
import type { RouteSpec } from '../../src/http/route.ts';
import { document, documented } from '../support/document.ts';
import { type Operation, operations } from '../support/operations.ts';
import { type Edit, edit } from './edits.ts';
import { hostileText, validBy } from './values.ts';

/** How an id is spelled: one of ours as it is, or what somebody might try instead. */
export type Id = {
  kind: 'own' | 'other' | 'upper' | 'short' | 'prefix' | 'topic' | 'text';
  pick: number;
  text: string;
};
/** How the bytes of a body are sent. */
export type Form = {
  kind: 'plain' | 'truncated' | 'bom' | 'duplicate' | 'bytes' | 'two' | 'large' | 'utf16' | 'absent';
  at: number;
};
export type Caller = 'owner' | 'other' | 'key' | 'narrow' | 'none' | 'garbage';
export type Cursor = { kind: 'walk' | 'any' | 'short' | 'flipped' | 'lying'; pick: number };

/** One request as pure data: what of it depends on earlier answers is named by number. */
export type Recipe = {
  /** As in `POST /clients`. */
  route: string;
  caller: Caller;
  method: string | null;
  id: Id;
  /** A body of the fixture (null), or one that the schema lets through; then edits. */
  base: { value: unknown } | null;
  edits: readonly Edit[];
  form: Form;
  query: { name: string; text: string; raw: boolean }[];
  cursor: Cursor | null;
  headers: { name: string; text: string }[];
};

const rarely = <T>(arbitrary: fc.Arbitrary<T>, usual: T, freq = 5): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: freq }, { arbitrary, weight: 1 });

const pick = fc.nat(1000);
const id: fc.Arbitrary<Id> = fc.record({
  kind: rarely(fc.constantFrom('other', 'upper', 'short', 'prefix', 'topic', 'text'), 'own' as Id['kind']),
  pick,
  text: fc.oneof(
    fc.constantFrom(
      '..',
      '%2e%2e',
      '.',
      '%2f',
      'x%2fy',
      '%5c',
      '%00',
      '%',
      '%ff',
      '%E0%A4%A',
      'null',
      '0',
      '%F0%9F%98%80',
      'bulk',
    ),
    fc.constantFrom(
      'clnt_00000000000000000000000000',
      'clnt_7zzzzzzzzzzzzzzzzzzzzzzzzz',
      'clnt_8zzzzzzzzzzzzzzzzzzzzzzzzz',
    ),
    hostileText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 4000)),
  ),
});

const form: fc.Arbitrary<Form> = fc.record({
  kind: rarely(
    fc.constantFrom('truncated', 'bom', 'duplicate', 'bytes', 'two', 'large', 'utf16', 'absent'),
    'plain' as Form['kind'],
    12,
  ),
  at: fc.nat(100),
});

const NUMBERS = [
  '1',
  '2',
  '7',
  '100',
  '0',
  '101',
  '-1',
  '1e3',
  '01',
  '',
  '9007199254740991',
  '9007199254740993',
  '9'.repeat(40),
];
const INSTANTS = ['2026-01-01T00:00:00Z', '2030-01-01T00:00:00+02:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'];
const BAD_INSTANTS = [
  '0000-01-01T00:00:00Z',
  '10000-01-01T00:00:00Z',
  '1e300',
  '2026-01-01',
  '9999-12-31T23:59:59-01:00',
];

const some = (values: readonly string[]): fc.Arbitrary<string> =>
  values.length === 0 ? hostileText : fc.subarray([...values], { minLength: 1 }).map((items) => items.join(','));

function filterText({ kind, values = [] }: FilterDeclaration): fc.Arbitrary<string> {
  switch (kind) {
    case 'enum':
      return fc.constantFrom(...values);
    case 'enumList':
      return some(values);
    case 'boolean':
      return fc.constantFrom('true', 'false');
    case 'instant':
      return fc.oneof(fc.constantFrom(...INSTANTS), fc.constantFrom(...BAD_INSTANTS));
    case 'date':
      return fc.constantFrom('2026-12-24', '0001-01-01', '9999-12-31', '2026-02-30');
    default:
      return fc.string({ minLength: 1, maxLength: 20 });
  }
}

/** A value that a parameter might be given in earnest. */
function parameterText(spec: RouteSpec, name: string): fc.Arbitrary<string> {
  const filter = spec.list?.filters[name];
  if (filter !== undefined) return filterText(filter);
  switch (name) {
    case 'sort':
      return some((spec.list?.sorts ?? []).flatMap((sort) => [sort, `-${sort}`])).map((text) =>
        text.split(',', 2).join(),
      );
    case 'fields':
      return some(['id', ...(spec.detail?.fields ?? spec.list?.fields ?? [])]);
    case 'include':
      return some(spec.detail?.includes ?? spec.list?.includes ?? []);
    case 'order':
      return fc.constantFrom('asc', 'desc');
    case 'count':
      return fc.constantFrom('exact', 'estimated', 'none');
    case 'search':
      return fc.constantFrom('anna', 'mü', '%', "o'n", 'a b c', '😀', '  x ', '\\', '+43664');
    case 'format':
      return fc.constantFrom('csv', 'ndjson');
    default:
      return fc.constantFrom(...NUMBERS, ...INSTANTS, 'true', 'clients', 'ACTIVE');
  }
}

function query(operation: Operation): fc.Arbitrary<Recipe['query']> {
  const { spec } = operation;
  const names = documented(operation)
    .parameters.filter((parameter) => parameter.in === 'query')
    .map(({ name }) => name);
  const one = (name: string) =>
    fc.record({
      name: fc.constant(name),
      text: fc.oneof({ arbitrary: parameterText(spec, name), weight: 8 }, hostileText),
      raw: fc.constant(false),
    });
  const garbage = fc.record({
    name: fc.oneof(hostileText, fc.constantFrom(...names, 'page', 'x')),
    text: fc.constantFrom('%', '%00', '%ff', '%zz', '%u0041', '&', '==', '%F0%9F', '+', '%ed%a0%80', '#', '[]'),
    raw: fc.constant(true),
  });
  const known = names.length === 0 ? garbage : fc.oneof(...names.map(one));
  const parameters = fc.array(fc.oneof({ arbitrary: known, weight: 15 }, garbage), { maxLength: 4 });
  // A verb without parameters refuses every one: then there is nothing else to see.
  return names.length === 0 ? rarely(parameters, [], 12) : rarely(parameters, [], 1);
}

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'If-Match': ['*', '"1"', '"2"', '"3"', 'W/"1"', '1', '""', '"99999999999999999999"', '"-1"', '"1","2"'],
  'If-None-Match': ['*', '"x"', 'W/"x"', '', ',', '"'],
  'Min-Revision': ['0', '1', '2', '-1', '1e3', '9007199254740991', '9007199254740993', '', 'x', '0x1'],
  'Idempotency-Key': ['k0', 'k1', '"k1"', 'k2', '""', 'a b', 'x'.repeat(255), 'x'.repeat(256), 'ä', '\xff'],
  'Cache-Control': ['no-cache', 'no-store', 'max-age=0', ',,no-cache', '\xe4'],
  Accept: ['text/html', 'application/xml;q=0', '*/*', 'x'],
  'Accept-Encoding': ['gzip', 'gzip;q=0', 'br', '*', 'gzip;q=x'],
  'Content-Type': [
    'text/plain',
    'application/json; charset=latin1',
    'application/x-ndjson',
    'text/csv',
    '',
    'a/b;;',
    '\xe4',
  ],
  'Content-Encoding': ['gzip', 'identity'],
  Origin: ['null', 'https://x.example', '\xff'],
  'X-Forwarded-For': ["1' or 1=1", '::1'],
  'X-HTTP-Method-Override': ['DELETE'],
};

const header = fc
  .constantFrom(...Object.keys(HEADERS))
  .chain((name) => fc.record({ name: fc.constant(name), text: fc.constantFrom(...(HEADERS[name] ?? [])) }));

function recipe(operation: Operation): fc.Arbitrary<Recipe> {
  const { spec } = operation;
  const schema = documented(operation).requestBody?.content['application/json']?.schema;
  const valid = schema === undefined ? null : validBy(schema, document.components.schemas);
  return fc.record({
    route: fc.constant(operation.name),
    caller: rarely(fc.constantFrom('other', 'key', 'narrow', 'none', 'garbage'), 'owner' as Caller, 8),
    method: rarely(fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PROPFIND'), null as string | null, 25),
    id,
    base:
      valid === null
        ? fc.constant(null)
        : rarely(
            valid.map((value) => ({ value })),
            null as Recipe['base'],
            2,
          ),
    edits: fc.oneof(
      { arbitrary: fc.constant<readonly Edit[]>([]), weight: 2 },
      fc.array(edit, { minLength: 1, maxLength: 3 }),
    ),
    form,
    query: query(operation),
    cursor:
      spec.list === undefined
        ? fc.constant(null)
        : rarely(
            fc.record({ kind: fc.constantFrom('walk', 'any', 'short', 'flipped', 'lying'), pick }),
            null as Cursor | null,
            3,
          ),
    headers: rarely(fc.array(header, { maxLength: 3 }), [], 2),
  });
}

/** Verbs that hash passwords hold an isolate for a tenth of a second, and an import works on behind its answer. */
const slow = ({ spec }: Operation): boolean =>
  spec.file !== undefined || /^\/auth\/(?:signup|login|password)/.test(spec.path) || spec.path.endsWith('/export');

/** Any request. */
export const anyRecipe: fc.Arbitrary<Recipe> = fc.oneof(
  ...operations.map((operation) => ({ arbitrary: recipe(operation), weight: slow(operation) ? 1 : 4 })),
);
