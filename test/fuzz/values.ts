import fc from 'fast-check';
import { anyText } from '../unit/arbitraries.ts';

export type Schema = Record<string, unknown>;

/** Stands in a JSON text for what no JavaScript value is written as: `1e999`, a thousand brackets. */
const token = (text: string): string => `@raw{${text}}`;
const TOKENS = /"@raw\{((?:[^"}]|\}(?!"))*)\}"/g;

/** The JSON text of a value with its tokens put in as they are. */
export const write = (value: unknown): string => (JSON.stringify(value) ?? 'null').replaceAll(TOKENS, '$1');

const nested = (open: string, close: string, depth: number): string => token(open.repeat(depth) + close.repeat(depth));

/** What trips parsers, databases and those who look at text. */
export const hostileText = fc.oneof(
  {
    arbitrary: fc.constantFrom('', ' ', '\u0000', 'a\u0000b', '\ud800', 'a\udc00b', '\ufeffbom', '\u202eright'),
    weight: 3,
  },
  fc.constantFrom(
    '👩‍👩‍👧',
    'e\u0301',
    'ﬁ',
    'İ',
    'שלום',
    '\r\nX: y',
    '\t',
    '\u007f',
    '\u2028',
    "'; --",
    '%',
    '_',
    '\\',
    '$1',
    '{{x}}',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    'NaN',
    '-0',
    '../../etc',
    '=1+1',
    '<b>',
    'id',
    '*',
  ),
  fc.constantFrom('0000-00-00T00:00:00Z', '0000-01-01T00:00:00Z', '10000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'),
  fc.constantFrom('0001-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z'),
  fc.constantFrom(
    '+999999999999999',
    '+00',
    'a@b',
    'ä@exämple.com',
    `${'a'.repeat(250)}@x.io`,
    'a@b.c\n',
    '24:00',
    '9:00',
  ),
  fc.constantFrom(200, 201, 254, 10_000, 10_001, 70_000).map((length) => 'x'.repeat(length)),
  fc.constantFrom(100, 101, 200).map((length) => '😀'.repeat(length)),
  anyText,
);

const hostileNumber = fc.constantFrom(
  ...[0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300, 5e-324, 1e21],
  ...[token('1e999'), token('-1e999'), token('123456789012345678901234567890'), token('1E+2'), token('0.1e-400')],
);

/** Any value where another is expected. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: hostileText, weight: 5 },
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [null], [[]], { a: { b: null } }, { length: -1 }, { toString: 1 }),
  fc.constantFrom(
    nested('[', ']', 100),
    nested('{"a":', '}', 65),
    nested('[', ']', 5000),
    nested('{"a":[', ']}', 2000),
  ),
  fc.array(hostileText, { maxLength: 4 }),
  fc.dictionary(hostileText, hostileText, { maxKeys: 4 }),
  fc.constantFrom(51, 501, 1001).map((length) => Array.from({ length }, (_, i) => `t${i}`)),
  fc.constantFrom(51, 1001).map((length) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i]))),
);

const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.constantFrom('2030-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2031-05-05T12:00:00.5+14:00'),
  date: fc.constantFrom('2026-12-24', '0001-01-01', '9999-12-31', '2028-02-29'),
  email: fc.constantFrom('a@example.com', "o'neil+tag@sub.example.org"),
};

function textOf(schema: Schema): fc.Arbitrary<unknown> {
  const known = FORMATS[String(schema.format)];
  if (known !== undefined) return known;
  if (typeof schema.pattern === 'string') return fc.stringMatching(new RegExp(schema.pattern));
  const { minLength = 0, maxLength = 30 } = schema as { minLength?: number; maxLength?: number };
  return fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, 30) }),
    fc.constantFrom('Ω', '𝒳 y', 'naïve', 'x'.repeat(maxLength)),
  );
}

/** Values that a JSON Schema of the document lets through. What is not written in the schema may still refuse them. */
export function validBy(schema: Schema, components: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  const of = (inner: unknown): fc.Arbitrary<unknown> => validBy(inner as Schema, components);
  const reference = /([^/]+)$/.exec(String(schema.$ref ?? ''))?.[1];
  if (reference !== undefined) return of(components[reference] ?? {});
  if (Array.isArray(schema.anyOf)) return fc.oneof(...schema.anyOf.map(of));
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => of({ ...schema, type })));
  switch (schema.type) {
    case 'object': {
      const {
        properties,
        required = [],
        additionalProperties,
      } = schema as {
        properties?: Record<string, Schema>;
        required?: string[];
        additionalProperties?: unknown;
      };
      if (properties === undefined)
        return fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), of(additionalProperties ?? {}), {
          maxKeys: 5,
        });
      const parts = Object.entries(properties).map(([name, inner]): [string, fc.Arbitrary<unknown>] => [
        name,
        of(inner),
      ]);
      return fc.record(Object.fromEntries(parts), { requiredKeys: required as never[] });
    }
    case 'array':
      return fc.array(of(schema.items ?? {}), { minLength: Number(schema.minItems ?? 0), maxLength: 3 });
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number': {
      const { minimum = -1000, maximum = 1000 } = schema as { minimum?: number; maximum?: number };
      return fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) });
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.oneof(fc.string(), fc.integer(), fc.boolean());
  }
}
