import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, mergePatch } from '../../../src/core/json.ts';

const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

describe('canonicalJson', () => {
  it('sorts the keys of RFC 8785, 3.2.3 by UTF-16 units', () => {
    const value = JSON.parse(
      '{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}'.replace('\r', '\\r'),
    );
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  it.each([
    [{ b: 1, a: [3, { d: null, c: 'x' }] }, '{"a":[3,{"c":"x","d":null}],"b":1}'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [-0, '0'],
    [1e21, '1e+21'],
    [0.1, '0.1'],
    ['"\\\n€\u0007', '"\\"\\\\\\n€\\u0007"'],
    [null, 'null'],
    [[], '[]'],
    [{}, '{}'],
    [false, 'false'],
  ])('%j is %s', (value, text) => expect(canonicalJson(value)).toBe(text));

  it('is JSON of the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('tells different values apart', () => {
    const differ = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
    fc.assert(
      fc.property(
        fc.array(fc.integer()),
        fc.array(fc.integer()),
        (a, b) => (canonicalJson(a) !== canonicalJson(b)) === differ(a, b),
      ),
    );
    expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
  });

  it('tells a key named __proto__ from none', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  it('refuses what is nested too deeply instead of exhausting the stack', () => {
    expect(canonicalJson(nested(64))).toHaveLength(128);
    for (const depth of [65, 200_000]) {
      expect(() => canonicalJson(nested(depth))).toThrow(expect.objectContaining({ code: 'invalid_body' }));
    }
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('mergePatch', () => {
  // RFC 7396, appendix A.
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s patched with %s is %s', (target, patch, result) => {
    expect(JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(patch)))).toBe(result);
  });

  it('changes neither argument, and patching twice changes nothing more', () => {
    const value = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        fc.constantFrom(null, 1, 'x', [1]),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { depthIdentifier: 'patch', noNullPrototype: true }),
      ),
    })).node;
    fc.assert(
      fc.property(value, value, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  it('leaves an object equal when the patch is empty', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (target) => {
        expect(mergePatch(target, {})).toEqual({ ...target });
      }),
    );
  });

  it('sets a key named __proto__, never the prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(merged.admin).toBeUndefined();
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it('refuses a patch that is nested too deeply', () => {
    const patch = JSON.parse('{"a":'.repeat(5_000) + 1 + '}'.repeat(5_000)) as unknown;
    expect(() => mergePatch({}, patch)).toThrow(expect.objectContaining({ code: 'invalid_body' }));
  });
});
