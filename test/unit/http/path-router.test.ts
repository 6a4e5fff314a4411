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

/** Routes that stand together, below the names that their patterns begin with. */
const together = fc
  .array(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.array(segment, { maxLength: 2 }))
      .map(([name, rest]) => `/${[name, ...rest.map((each, at) => (each === ':x' ? `:x${at}` : each))].join('/')}`),
    { minLength: 1, maxLength: 4 },
  )
  .map((patterns) => ({ patterns, names: [...new Set(patterns.map((each) => each.split('/')[1] ?? ''))] }));

test('routes that are added when they are looked for are found as if they had always been there', () => {
  fc.assert(
    fc.property(
      fc.array(together, { minLength: 1, maxLength: 4 }),
      fc.array(path, { minLength: 1, maxLength: 6 }),
      (modules, asked) => {
        const [whole, late] = [new PathRouter<string>(), new PathRouter<string>()];
        const added: string[] = [];
        for (const [at, { patterns, names }] of modules.entries()) {
          for (const each of patterns) whole.add('GET', `/base${each}`, each);
          late.below('/base', names, () => {
            added.push(`${at}`);
            for (const each of patterns) late.add('GET', `/base${each}`, each);
          });
        }
        const of = (router: PathRouter<string>, each: string) =>
          router
            .match('GET', each)[0]
            .map((found) => String(found[0]))
            .sort();
        for (const each of asked) {
          expect(of(late, each)).toEqual([]);
          expect(of(late, `/base${each}`)).toEqual(of(whole, `/base${each}`));
        }
        expect(new Set(added).size).toBe(added.length);
      },
    ),
    { numRuns: 2000 },
  );
});
