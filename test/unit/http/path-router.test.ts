import fc from 'fast-check';
import { TrieRouter } from 'hono/router/trie-router';
import { expect, test } from 'vitest';
import { PathRouter } from '../../../src/http/path-router.ts';

const segment = fc.constantFrom('a', 'b', ':x', ':y');
const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((all) => {
  // Two labels of one name would be one parameter.
  const named = all.map((each, index) => (each.startsWith(':') ? `${each}${index}` : each));
  return `/${named.join('/')}`;
});
const path = fc
  .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 5 })
  .map((all) => `/${all.join('/')}`);

const shapeOf = (each: string): string => each.replace(/:\w+/g, ':');

/** What a route's own path would have: its labels filled. */
const paramsOf = (found: unknown, stash?: string[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(found as Record<string, string | number>).map(([name, value]) => [
      name,
      typeof value === 'number' ? String(stash?.[value]) : value,
    ]),
  );

test('finds a route where the trie finds one, of several the most literal, with the same parameters', () => {
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { selector: shapeOf, minLength: 1, maxLength: 8 }), path, (patterns, asked) => {
      const ours = new PathRouter<string>();
      const trie = new TrieRouter<string>();
      for (const each of patterns) {
        ours.add('GET', each, each);
        trie.add('GET', each, each);
      }
      const [found] = ours.match('GET', asked);
      const [all, stash] = trie.match('GET', asked);
      const candidates = new Map(all.map(([handler, params]) => [handler, paramsOf(params, stash as string[])]));
      expect(found.length).toBe(Math.min(1, candidates.size));
      for (const [handler, params] of found) {
        expect(params).toEqual(candidates.get(handler));
        const literalFirst = (each: string): string => each.replace(/:\w+/g, '~');
        const best = [...candidates.keys()].sort((a, b) => (mask(literalFirst(a)) < mask(literalFirst(b)) ? -1 : 1))[0];
        expect(handler).toBe(best);
      }
    }),
    { numRuns: 5000 },
  );
});

const mask = (each: string): string =>
  each
    .split('/')
    .map((part) => Number(part === '~'))
    .join('');

test('what has no route finds none, a wildcard is found besides, other patterns are refused', () => {
  const router = new PathRouter<string>();
  expect(router.match('GET', '/a')).toEqual([[]]);
  router.add('OPTIONS', '*', 'any');
  router.add('OPTIONS', '/a/:id', 'own');
  expect(router.match('OPTIONS', '/b')).toEqual([[['any', {}]]]);
  expect(router.match('OPTIONS', '/a/7')).toEqual([
    [
      ['any', {}],
      ['own', { id: '7' }],
    ],
  ]);
  expect(router.match('OPTIONS', '/a/')).toEqual([[['any', {}]]]);
  for (const each of ['/a/*', '/a/:id?', '/a/:id{[0-9]+}']) expect(() => router.add('GET', each, '')).toThrow();
});
