import { describe, expect, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { once } from '../../support/once.ts';
import { shareOf } from '../../support/paths.ts';
import {
  aim,
  answersObject,
  fire,
  mutations,
  ofChildren,
  ofMany,
  ofSignIn,
  type Route,
  routes,
} from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

/** Contract 2 and contract-details A15. */
const SECURITY: Record<string, RegExp> = {
  'strict-transport-security': /max-age=\d{7,}/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'cross-origin-resource-policy': /^(?:cross-origin|same-origin|same-site)$/,
  'content-security-policy': /default-src 'none'/,
  'permissions-policy': /./,
};
const EVERY: Record<string, RegExp> = {
  'request-id': /^req_[0-9a-z]{26}$/,
  'x-response-time': /^\d+ms$/,
  'content-type': /^application\/json$/,
};
const TENANT: Record<string, RegExp> = {
  revision: /^[1-9]\d*$/,
  'server-timing': /^total;dur=\d+/,
  ratelimit: /^"company";r=\d+;t=\d+$/,
  'ratelimit-policy': /^"company";q=1000000;w=60$/,
};
const CACHED: Record<string, RegExp> = {
  etag: /^W\/"[\x21\x23-\x7e]+"$/,
  'cache-control': /^private, no-cache$/,
  vary: /^Authorization, Accept, Accept-Encoding/,
  'x-cache': /^(?:HIT|MISS)$/,
  'cache-status': /^ClientsPlus; (?:hit; detail=(?:memory|edge|redis)|fwd=uri-miss; stored)$/,
};

const NOT_KEPT = { 'cache-control': /^no-store$/ };

function headersOf({ spec, method }: Route): Record<string, RegExp> {
  const { cached, revalidated } = spec.success;
  const own = revalidated === true ? { ...CACHED, vary: /^(?:Authorization|Accept-Encoding)/ } : NOT_KEPT;
  const kept = cached === true ? CACHED : own;
  return {
    ...SECURITY,
    ...EVERY,
    ...kept,
    ...(spec.success.schema === null && { 'content-type': /^$/ }),
    // The first is what is answered to who asks for none of them.
    ...(spec.success.types !== undefined && {
      'content-type': new RegExp(`^${spec.success.types[0]}(?:; charset=utf-8)?$`),
    }),
    ...(spec.anonymous !== true && TENANT),
    ...(spec.list !== undefined && { link: /rel="first"/ }),
    ...(method === 'POST' &&
      spec.success.status === 201 &&
      spec.success.located !== false && { location: /^\/api\/v1\// }),
  };
}

function expectHeaders(reply: Reply, wanted: Record<string, RegExp>): void {
  for (const [name, pattern] of Object.entries(wanted)) expect(reply.headers.get(name) ?? '', name).toMatch(pattern);
}

/** Strictly: every member is declared, and none is changed by reading it. */
function expectBody(reply: Reply, { spec }: Route): void {
  const { schema, types } = spec.success;
  // A stream of rows; the suites of exports read it.
  if (types !== undefined) return;
  if (schema === null) expect(reply.text).toBe('');
  else expect(schema().parse(reply.json)).toEqual(reply.json);
}

/** Sent with every conditional request: fetch would add `no-cache`, which asks for a new computation. */
const CONDITIONAL = { 'Cache-Control': 'max-age=0' };

const FRESH = { headers: { 'Cache-Control': 'no-cache' } };

/** Header names and the values that may not differ between two answers of one state. */
function lasting(reply: Reply): Record<string, string> {
  const varying =
    /^(?:request-id|x-response-time|server-timing|ratelimit|x-cache|cache-status|connection|content-length)$/;
  return Object.fromEntries([...reply.headers].map(([name, value]) => [name, varying.test(name) ? '' : value]));
}
function without(record: Record<string, string>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

describe.each(routes.filter((route) => !ofSignIn(route)).map((route, turn) => [route.name, route, turn] as const))(
  '%s',
  (_, route, turn) => {
    const { spec, method } = route;
    // What is read stays as it is.
    const aimed = once(() => aim(route, salon));
    const answered = once(async () => {
      const shot = await aimed();
      const before = mutations.includes(route) ? (await salon.api.get('/events', FRESH)).revision : 0;
      const reply = await fire(spec.anonymous === true ? salon.api.as(null) : salon.api, shot);
      return { shot, before, reply };
    });

    test('answers as documented', async () => {
      const { shot, reply } = await answered();
      expect(reply.status, reply.text).toBe(spec.success.status);
      expectHeaders(reply, headersOf(route));
      expectBody(reply, route);
      if (shot.id !== null && typeof reply.json.id === 'string' && reply.status === 200)
        expect(shot.path.split(/[/?]/)).toContain(reply.json.id);
      if (spec.path === `/${route.topic}` && method === 'POST') {
        expect(reply.headers.get('location')).toBe(`/api/v1${spec.path}/${reply.json.id}`);
      }
    });

    if (method === 'GET') {
      test('HEAD answers the same headers without a body', async () => {
        const shot = await aimed();
        await fire(salon.api, shot);
        const get = await fire(salon.api, shot);
        const head = await salon.api.ask('HEAD', shot.path);
        expect(head.status).toBe(get.status);
        expect(head.text).toBe('');
        const dropped = ['content-length', 'connection', 'transfer-encoding'];
        expect(without(lasting(head), ...dropped)).toEqual(without(lasting(get), ...dropped));
      });
    }

    if (spec.success.cached === true) {
      test('an ETag it gave answers 304 without a body, from the cache and computed anew', async () => {
        const { path } = await aimed();
        const first = await salon.api.get(path);
        const etag = String(first.headers.get('etag'));
        for (const how of [CONDITIONAL, { 'Cache-Control': 'no-cache' }]) {
          for (const spelling of shareOf([etag, etag.slice(2), `"other", ${etag}`, '*'], turn, 4)) {
            const again = await salon.api.get(path, { headers: { 'If-None-Match': spelling, ...how } });
            expect([again.status, again.text], spelling).toEqual([304, '']);
            expect(again.headers.get('etag')).toBe(etag);
            const dropped = ['content-length', 'connection'];
            expect(without(lasting(again), ...dropped)).toEqual(without(lasting(first), ...dropped));
          }
        }
        const other = await salon.api.get(path, { headers: { 'If-None-Match': 'W/"other"', ...CONDITIONAL } });
        expect([other.status, other.text]).toEqual([200, first.text]);
      });

      test('a repeat is a HIT, no-cache a BYPASS, with the same bytes', async () => {
        const { path } = await aimed();
        const first = await salon.api.get(path);
        const hit = await until('a HIT', async () => {
          const reply = await salon.api.get(path);
          return reply.headers.get('x-cache') === 'HIT' && reply;
        });
        expect(hit.headers.get('cache-status')).toBe('ClientsPlus; hit; detail=memory');
        const fresh = await salon.api.get(path, FRESH);
        expect(fresh.headers.get('x-cache')).toBe('BYPASS');
        expect(fresh.headers.get('cache-status')).toMatch(/^ClientsPlus; fwd=request/);
        expect([hit.text, fresh.text]).toEqual([first.text, first.text]);
        expect([hit.headers.get('etag'), fresh.headers.get('etag')]).toEqual(Array(2).fill(first.headers.get('etag')));
      });
    }

    if (mutations.includes(route)) {
      // What is gone is read no more.
      test.skipIf(ofMany(route) || ofChildren(route) || !answersObject(route) || spec.success.status === 204)(
        'a write takes a revision, and its answer is what a GET with it answers',
        async () => {
          const { reply, before } = await answered();
          expect(reply.status, reply.text).toBe(spec.success.status);
          expect(reply.revision).toBeGreaterThanOrEqual(before);
          // A new object is read where its answer says; the company has no id.
          const own = spec.path.startsWith('/company') ? '/company' : `/${route.topic}/${reply.json.id}`;
          const at = reply.headers.get('location')?.replace('/api/v1', '') ?? own;
          const read = await salon.api.get(at, { headers: { 'Min-Revision': String(reply.revision) } });
          expect(reply.json).toMatchObject(read.json);
        },
      );
    }
  },
);
