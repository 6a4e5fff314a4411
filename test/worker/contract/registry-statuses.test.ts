import { beforeAll, describe, expect, test } from 'vitest';
import { errorsOf } from '../../../local/site/route-errors.ts';
import { type Permission, ROLES, roleMay } from '../../../src/account/permissions.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { addKey, patiently } from '../../support/accounts.ts';
import type { Api, Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { documented } from '../../support/document.ts';
import type { Kit, Refusal } from '../../support/fixtures.ts';
import { operationNamed } from '../../support/operations.ts';
import { faulted, repeated } from '../../support/paths.ts';
import { refusals } from '../../support/refusals.ts';
import {
  aim,
  aimedOnce,
  cached,
  everyRoute,
  fire,
  guarded,
  keyFor,
  ofSignIn,
  type Route,
  routes,
  type Shot,
  takesId,
  takesIfMatch,
} from '../../support/routes.ts';
import { sabotage } from '../../support/sabotage.ts';
import { ownWorld } from '../../support/shared.ts';
import { everySignInVerb } from '../../support/sign-in-verbs.ts';
import { inOneMinute, until } from '../../support/until.ts';

/** Its connections are cleaned as the hosted proxy cleans them, so that every route meets that in `npm test` too. */
const KEEP_PLANS = false;
const world = await ownWorld({ EDGE_CACHE: 'off' }, 3, KEEP_PLANS);
const salon = await openCompany(world);

const kitOf = (anyone: Api, tenant: Tenant, aims: () => Promise<Shot>): Kit => ({
  world,
  tenant,
  anyone: anyone.as(null),
  aim: aims,
  fire,
});

/** What is read or refused leaves what is there: one request serves all of its route's refusals that no rule of its own makes. */
const once = new Map<string, () => Promise<Shot>>();
function aimsAt(route: Route): () => Promise<Shot> {
  const aimed = once.get(route.name) ?? aimedOnce(route, salon);
  once.set(route.name, aimed);
  return async () => ({ ...(await aimed()), ...keyFor(route.spec) });
}

/** What says how a route comes to answer a code, and whether it asks for a success first. */
function refusalOf(route: Route, code: ErrorCode): { refusal: Refusal; spends: boolean } {
  const own = route.fixture.refusals?.[`${route.name} ${code}`];
  const refusal = own ?? refusals[code];
  if (refusal === undefined) throw new Error(`nothing says how ${route.name} comes to answer ${code}: see refusals.ts`);
  const spends = own !== undefined || code === 'idempotency_key_reused';
  return { refusal, spends: spends && route.method !== 'GET' };
}

/** What strikes all routes alike is brought about once for all of them. */
const TOGETHER: readonly ErrorCode[] = ['internal_error', 'busy', 'database_unavailable', 'conflict', 'rate_limited'];

const writes = ({ spec, method }: Route): boolean => method !== 'GET' && spec.body !== undefined;
const known = ({ spec }: Route): boolean => spec.anonymous !== true;
const refusesSomeRole = ({ spec }: Route): boolean =>
  ROLES.some((role) => spec.permission !== undefined && !roleMay(role, spec.permission as Permission));

/**
 * What the other suites of the registry bring about of these routes, and look at more closely: no second time here. Should one of
 * them not, the end of the whole run says so.
 */
const HELD_ELSEWHERE: Partial<Record<ErrorCode, (route: Route) => boolean>> = {
  ...{ unauthenticated: known, unknown_parameter: known, not_found: takesId, version_mismatch: takesIfMatch },
  ...{ malformed_json: writes, unsupported_media_type: writes, payload_too_large: writes },
  empty_body: (route) => writes(route) && faulted.includes(route),
  invalid_body: ({ method }) => method !== 'GET',
  invalid_min_revision: ({ method }) => method === 'GET',
  revision_ahead: (route) => route.method === 'GET' && faulted.includes(route),
  forbidden: (route) => guarded.includes(route) && refusesSomeRole(route),
  idempotency_key_reused: (route) => repeated.includes(route),
};
const isHere = (route: Route, code: ErrorCode): boolean =>
  !TOGETHER.includes(code) && !(routes.includes(route) && HELD_ELSEWHERE[code]?.(route));

function expectCode(reply: Reply, code: ErrorCode): void {
  expect(reply.json.code, reply.text).toBe(code);
}

describe.each(everyRoute.map((route) => [route.name, route] as const))('%s', (_, route) => {
  // Of documents the registry's own suite has this.
  const { 304: unchanged } = documented(operationNamed(route.name)).responses;
  if (!routes.includes(route))
    test('succeeds', async () => {
      const reply = await fire(salon.api, await aim(route, salon));
      expect(reply.status, reply.text).toBe(route.spec.success.status);
    });
  if (unchanged !== undefined && !cached.includes(route))
    test('says that what is held is still right', async () => {
      const { path } = await aimsAt(route)();
      // A job moves on between two looks at it, until it has ended.
      await until('what is held is still right', async () => {
        const etag = String((await salon.api.get(path)).headers.get('etag'));
        const held = await salon.api.get(path, { headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' } });
        return held.status === 304;
      });
    });

  test.concurrent.each(errorsOf(route.spec).filter((code) => isHere(route, code)))('%s', async (code) => {
    const { refusal, spends } = refusalOf(route, code);
    const kit = kitOf(world.api, salon, spends ? () => aim(route, salon) : aimsAt(route));
    // An isolate that is hashing refuses the next who needs it.
    expectCode(await patiently(() => refusal(kit, route)), code);
  });
});

test('each verb of a sign-in succeeds', async () => {
  const done = await everySignInVerb(world, salon);
  for (const [name, reply] of done) expect(reply.status, name).toBe(operationNamed(name).spec.success.status);
  expect(done.map(([name]) => name)).toEqual(
    expect.arrayContaining(everyRoute.filter(ofSignIn).map(({ name }) => name)),
  );
});

const naming = (code: ErrorCode): Route[] => everyRoute.filter(({ spec }) => errorsOf(spec).includes(code));

/** A request to each route, from a company whose answers nobody has asked for yet: nothing is cached to stand in. */
const strange = await openCompany(world);
const shots = new Map<Route, Shot>();
beforeAll(async () => {
  for (const route of everyRoute) shots.set(route, await aimedOnce(route, strange)());
});
const shotAt = (route: Route): Shot => shots.get(route) as Shot;

/** For a ticket a signed token is enough; a key that no isolate has met is asked for in Postgres. */
const unmet = await addKey(strange.api, ['clients:read']);
const callerAt = ({ name, spec }: Route, url: string): Api => {
  const api = name === 'POST /realtime/tickets' ? unmet.api : strange.api;
  return (spec.anonymous === true ? api.as(null) : api).at(url);
};

/** Fires at each route what is refused everywhere, and so can be fired again. */
async function fireAtAll(
  targets: readonly Route[],
  strike: () => Promise<() => unknown>,
  at = world.elsewhere[0],
): Promise<[Route, Reply][]> {
  const restore = await strike();
  try {
    const replies: [Route, Reply][] = [];
    for (const route of targets) {
      replies.push([route, await fire(callerAt(route, String(at)), shotAt(route))]);
    }
    return replies;
  } finally {
    await restore();
  }
}

test.each([
  ['busy', '55P03'],
  ['conflict', '40P01'],
] as const)('%s, where the database says %s', async (code, state) => {
  const replies = await fireAtAll(naming(code), () => sabotage(world, state));
  for (const [route, reply] of replies) expect([route.name, reply.json.code]).toEqual([route.name, code]);
});

test('internal_error, where the database says what nobody thought of', async () => {
  const targets = naming('internal_error').filter(({ spec }) => spec.awaitsDatabase !== false);
  const replies = await fireAtAll(targets, () => sabotage(world, 'XX000'));
  for (const [route, reply] of replies) {
    expect([route.name, reply.status, reply.json.code]).toEqual([route.name, 500, 'internal_error']);
    expect(reply.text).not.toContain('XX000');
  }
});

test('internal_error, where a setting is missing', async () => {
  const worker = await world.another({ CURSOR_SECRET: '' });
  for (const route of naming('internal_error')) {
    const reply = await fire(strange.api.at(worker.url), shotAt(route));
    expect([route.name, reply.status]).toEqual([route.name, 500]);
  }
});

test('database_unavailable, where it is out of reach', async () => {
  const targets = everyRoute.filter(({ name }) => documented(operationNamed(name)).responses[503] !== undefined);
  const replies = await fireAtAll(
    targets,
    async () => {
      world.neon.setFault('refuse');
      return () => world.neon.setFault(null);
    },
    world.elsewhere[1],
  );
  for (const [{ name, spec }, reply] of replies) {
    expect([name, reply.status]).toEqual([name, 503]);
    if (errorsOf(spec).includes('database_unavailable')) expectCode(reply, 'database_unavailable');
  }
});

test('rate_limited, where a company, an address or an account asks too often', async () => {
  const worker = await world.another({ RATE_LIMIT_PER_MINUTE: '1', LOGIN_LIMIT: '1', SIGNUP_LIMIT: '1' });
  const limited = { ...strange, api: strange.api.at(worker.url) };
  await inOneMinute(async () => {
    await until('the company is over its limit', async () => (await limited.api.get('/company')).status === 429);
    for (const route of naming('rate_limited')) {
      const kit = kitOf(limited.api, limited, async () => shotAt(route));
      const reply = await refusalOf(route, 'rate_limited').refusal(kit, route);
      expect([route.name, reply.status]).toEqual([route.name, 429]);
    }
  });
});
