import { describe, expect, test } from 'vitest';
import { formatId, ID_PREFIXES, newUuid, type Prefix } from '../../../src/core/id.ts';
import { registry } from '../../../src/registry.ts';
import type { Json, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { unique } from '../../support/fixtures.ts';
import { shareOf } from '../../support/paths.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import {
  aim,
  bodyOf,
  collectionOf,
  fire,
  guarded,
  keyFor,
  make,
  pathTo,
  type Route,
  routes,
  takesId,
} from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const ours = await openCompany(world, 'Ours');
const theirs = await openCompany(world, 'Theirs');

/** An id of the same kind that no row has. */
function random(id: string): string {
  const prefix = ID_PREFIXES.find((each) => id.startsWith(`${each}_`)) as Prefix;
  return formatId(prefix, newUuid());
}

/** One of each, which nobody of ours can change, serves all. */
const theirObjects = new Map<string, Promise<string>>();
function oneOfTheirs(topic: string): Promise<string> {
  const made = theirObjects.get(topic) ?? make(theirs.api, topic);
  theirObjects.set(topic, made);
  return made;
}

const shown = (reply: Parameters<typeof gist>[0]) => gist(reply);
const named = (list: readonly Route[]) => list.map((route, turn) => [route.name, route, turn] as const);

describe.each(named(guarded.filter(takesId)))('%s, an id in the path', (_, route, turn) => {
  test('of the other company answers as a random one', async () => {
    const id = await oneOfTheirs(route.topic);
    const before = await theirs.api.get(`/${route.topic}/${id}`);
    const body = await bodyOf(route, ours);
    const to = (own: string, sent: Json | undefined) => ({
      ...{ method: route.method, path: pathTo(route, own), body: sent, id },
      ...keyFor(route.spec),
    });
    const held = { 'If-None-Match': String(before.headers.get('etag')), 'Cache-Control': 'max-age=0' };
    for (const headers of [{}, ...(route.method === 'GET' ? [held] : shareOf([held], turn, 3))]) {
      const foreign = await fire(ours.api, to(id, body), headers);
      const absent = await fire(ours.api, to(random(id), body), headers);
      expectProblem(foreign, 'not_found');
      expect(shown(foreign)).toEqual(shown(absent));
      expect(foreign.revision).toBe(absent.revision);
    }
    // So does a request that is wrong besides: what is wrong with it must not tell either.
    const wrong = { 'no/such': 1 };
    if (route.spec.body !== undefined) {
      const foreign = await fire(ours.api, to(id, wrong));
      const absent = await fire(ours.api, to(random(id), wrong));
      expectProblem(foreign, 'not_found');
      expect(shown(foreign)).toEqual(shown(absent));
    }
    const after = await theirs.api.get(`/${route.topic}/${id}`, { headers: { 'Cache-Control': 'no-cache' } });
    expect(after.json).toEqual(before.json);
    // The positive control: the same request with an id of our own, which the registry's suite makes too.
    for (const each of shareOf([route], turn, 3))
      expect((await fire(ours.api, await aim(each, ours))).status).toBe(each.spec.success.status);
  });
});

describe.each(named(routes.filter((route) => route.spec.list !== undefined && !takesId(route))))(
  '%s, its query',
  (_, route) => {
    test('refuses a cursor of the other company as any that is not ours', async () => {
      for (const tenant of [ours, theirs]) {
        for (let i = 0; i < 2; i += 1) await make(tenant.api, route.topic);
      }
      const cursorOf = async (tenant: Tenant): Promise<string> => {
        const { pagination } = (await tenant.api.get(`${route.spec.path}?limit=1`)).json as { pagination: Json };
        return String(pagination.nextCursor);
      };
      const [mine, foreign] = [await cursorOf(ours), await cursorOf(theirs)];
      const flipped = `${mine.slice(0, -1)}${mine.endsWith('A') ? 'B' : 'A'}`;
      const replies = await Promise.all(
        [foreign, flipped, 'x'.repeat(mine.length)].map((cursor) =>
          ours.api.get(`${route.spec.path}?cursor=${cursor}`),
        ),
      );
      for (const reply of replies) {
        expectProblem(reply, 'invalid_cursor');
        expect(shown(reply)).toEqual(shown(replies[0] as (typeof replies)[0]));
      }
      const own = await ours.api.get(`${route.spec.path}?cursor=${mine}`);
      expect([own.status, (own.json.data as Json[]).length > 0]).toEqual([200, true]);
    });

    test('shows no row of the other company, whatever is asked', async () => {
      const own = await make(ours.api, route.topic);
      const foreign = await oneOfTheirs(route.topic);
      const queries = [
        '?limit=100',
        ...(route.fixture.queries ?? []).map((query) =>
          `${query}&limit=100`.replace('&limit=100', query.includes('limit') ? '' : '&limit=100'),
        ),
      ];
      for (const query of queries) {
        const reply = await ours.api.get(route.spec.path + query);
        expect(reply.text, query).not.toContain(foreign);
      }
      expect((await ours.api.get(`${route.spec.path}?limit=100`)).text).toContain(own);
    });

    const filters = Object.entries(route.spec.list?.filters ?? {}).filter(
      ([, { kind }]) => kind === 'id' || kind === 'idList',
    );
    if (filters.length > 0) {
      test.each(filters)('a foreign id in %s finds what a random one does', async (name, { prefix }) => {
        const topic = [...registry.values()].find((entity) => entity.prefix === prefix)?.topic;
        const foreign = topic === undefined ? null : await oneOfTheirs(collectionOf(topic));
        if (foreign === null) throw new Error(`no resource behind the filter ${name}`);
        const [a, b] = [foreign, formatId(prefix as Prefix, newUuid())].map((id) =>
          ours.api.get(`${route.spec.path}?${name}=${id}`),
        );
        expect((await a)?.json).toEqual((await b)?.json);
      });
    }
  },
);

const referring = guarded.filter(
  ({ spec, topic, fixture, method }) =>
    method === 'POST' && spec.path === `/${topic}` && fixture.references !== undefined,
);
describe.each(named(referring))('%s, an id in the body', (_, route) => {
  test('of the other company is an unknown reference', async () => {
    for (const [member, topic] of Object.entries(route.fixture.references ?? {})) {
      const body = (await bodyOf(route, ours)) ?? {};
      const foreign = await oneOfTheirs(topic);
      const replies = await Promise.all(
        [foreign, random(foreign), 'x'].map((id) =>
          ours.api.post(route.spec.path, { ...body, [member]: id }, keyFor(route.spec)),
        ),
      );
      for (const reply of replies) {
        const [fault] = expectProblem(reply, 'unknown_reference');
        expect(fault?.pointer).toBe(`/${member}`);
        expect(shown(reply)).toEqual(shown(replies[0] as (typeof replies)[0]));
      }
      expect((await ours.api.post(route.spec.path, body, keyFor(route.spec))).status).toBe(201);
    }
  });
});

test('what has no id is the caller’s own: company, user, events', async () => {
  const [a, b] = [await ours.api.get('/company'), await theirs.api.get('/company')];
  expect([a.json.id, b.json.id]).toEqual([ours.companyId, theirs.companyId]);
  expect(a.headers.get('etag')).not.toBe(b.headers.get('etag'));
  const events = await ours.api.get('/events?limit=500');
  expect(events.text).toContain(ours.companyId);
  expect(events.text).not.toContain(theirs.companyId);
  const me = (await ours.api.get('/auth/me')).json as { user: Json; company: Json };
  expect([me.user.id, me.company.id]).toEqual([ours.userId, ours.companyId]);
});

test('neither a duplicate, an external id nor an idempotency key of the other company is noticed', async () => {
  const n = unique();
  const body = { firstName: 'Zoe', email: `zoe-${n}@example.com`, phone: '+4312345678', externalId: `x-${n}` };
  const headers = { 'Idempotency-Key': `key-${n}` };
  const first = await theirs.api.post('/clients', body, { headers });
  const second = await ours.api.post('/clients', body, { headers });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.headers.get('idempotency-replayed')).toBeNull();
  expect(second.json.duplicates).toEqual([]);
  expect(second.json.id).not.toBe(first.json.id);
  const replay = await ours.api.post('/clients', body, { headers });
  expect([replay.json.id, replay.headers.get('idempotency-replayed')]).toEqual([second.json.id, 'true']);
  expect((await ours.api.post('/clients', body)).status).toBe(409);
  const again = await ours.api.post('/clients', { ...body, externalId: null });
  expect(again.json.duplicates).toEqual([second.json.id]);
});
