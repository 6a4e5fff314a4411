import { describe, expect, test } from 'vitest';
import { errorsOf } from '../../../local/site/route-errors.ts';
import { SCOPES, scopesAllow } from '../../../src/account/permissions.ts';
import { addKey } from '../../support/accounts.ts';
import type { Api, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { aimedOnce, everyRoute, type Route, type Shot, takesId } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

/** Worker of a company that may make one request a minute. */
const keys = new Map<string, Api>();
const world = await sharedWorld();
const salon = await openCompany(world);
const limited = (await world.another({ RATE_LIMIT_PER_MINUTE: '1' })).url;

type Request = { api: Api; method: string; path: string; headers: Record<string, string>; raw: string | undefined };
/** One thing wrong with a request, and the status that says so. */
type Wrong = {
  status: number;
  applies(route: Route): boolean;
  spoil(request: Request, route: Route): Partial<Request> | Promise<Partial<Request>>;
};

const writes = ({ method }: Route): boolean => method !== 'GET';
const refuses = (code: Parameters<ReturnType<typeof errorsOf>['includes']>[0]) => (route: Route) =>
  errorsOf(route.spec).includes(code);

/** Nobody is answered without a token. */
const isClosed = (route: Route) => route.spec.anonymous !== true && refuses('unauthenticated')(route);

/** A key that may something else than this, made once for all routes of a permission. */
async function powerless({ spec }: Route): Promise<Api> {
  const permission = (spec.permission ?? 'none') as Parameters<typeof scopesAllow>[1];
  const scope = SCOPES.find((each) => spec.permission === undefined || !scopesAllow([each], permission));
  if (scope === undefined) throw new Error(`every scope may ${permission}`);
  const known = keys.get(permission) ?? (await addKey(salon.api, [scope])).api;
  keys.set(permission, known);
  return known;
}

/** In the order of contract-details A2. What stands later is put into a request first and must be told last. */
const ORDER: readonly Wrong[] = [
  { status: 405, applies: () => true, spoil: () => ({ method: 'PUT' }) },
  { status: 401, applies: isClosed, spoil: ({ api }) => ({ api: api.as(null) }) },
  { status: 429, applies: isClosed, spoil: ({ api }) => ({ api: api.at(limited) }) },
  {
    status: 413,
    applies: (route) => writes(route) && route.spec.file === undefined,
    spoil: () => ({ raw: 'x'.repeat(1024 * 1024 + 1) }),
  },
  { status: 415, applies: writes, spoil: ({ headers }) => ({ headers: { ...headers, 'Content-Type': 'text/plain' } }) },
  {
    status: 400,
    applies: (route) => writes(route) && route.spec.file === undefined,
    spoil: () => ({ raw: '{"a":' }),
  },
  {
    status: 400,
    applies: (route) => !writes(route) && refuses('invalid_min_revision')(route),
    spoil: ({ headers }) => ({ headers: { ...headers, 'Min-Revision': 'x' } }),
  },
  {
    status: 400,
    applies: () => true,
    spoil: ({ path }) => ({ path: `${path}${path.includes('?') ? '&' : '?'}nonsense=1` }),
  },
  {
    status: 403,
    applies: (route) => route.spec.anonymous !== true && refuses('forbidden')(route),
    spoil: async (_, route) => ({ api: await powerless(route) }),
  },
  {
    status: 404,
    applies: takesId,
    // What is found by a secret and not by an id is found by no other.
    spoil: ({ path }) => ({
      path: /_[0-9a-z]{26}/.test(path)
        ? path.replace(/_[0-9a-z]{26}/, '_01h455vb4pex5vsknk084sn02q')
        : path.replace(/[^/?]+(?=$|\?)/, 'nobody'),
    }),
  },
  {
    status: 422,
    applies: refuses('invalid_body'),
    spoil: (_, { fixture, name, spec }) => ({
      raw: spec.file === undefined ? JSON.stringify(fixture.invalid?.[name]?.body ?? { nonsense: 1 }) : 'Vorname\nAnna',
    }),
  },
  {
    status: 412,
    applies: refuses('version_mismatch'),
    spoil: ({ headers }) => ({ headers: { ...headers, 'If-Match': '"999"' } }),
  },
];

function requestOf({ spec }: Route, { method, path, body, file, headers }: Shot): Request {
  const api = spec.anonymous === true ? world.api : salon.api;
  const type = file?.type ?? (method !== 'GET' ? 'application/json' : undefined);
  const raw = file?.text ?? (body === undefined ? undefined : JSON.stringify(body));
  return { api, method, path, headers: { ...headers, ...(type !== undefined && { 'Content-Type': type }) }, raw };
}

const send = ({ api, method, path, headers, raw }: Request): Promise<Reply> =>
  api.ask(method, path, { headers, ...(raw !== undefined && method !== 'GET' && { raw }) });

describe.each(everyRoute.map((route) => [route.name, route] as const))('%s', (_, route) => {
  test('of several faults the first in the order of checks is told', async () => {
    const faults = ORDER.filter(({ applies }) => applies(route));
    // All of it is refused, so what it is aimed at stays.
    const shot = await aimedOnce(route, salon)();
    for (const first of faults.keys()) {
      let request = requestOf(route, shot);
      for (const fault of faults.slice(first).reverse()) {
        request = { ...request, ...(await fault.spoil(request, route)) };
      }
      let reply = await send(request);
      const { status } = faults[first] as Wrong;
      // Of a minute's first request the limit has nothing to say, and a minute may end in between.
      for (let tries = 1; status === 429 && reply.status !== 429 && tries < 3; tries += 1) reply = await send(request);
      const wrong = faults.slice(first).map((fault) => fault.status);
      expect([wrong, reply.status], reply.text).toEqual([wrong, status]);
    }
  });
});

test('412 comes before 409', async () => {
  const made = await salon.api.post('/clients', { firstName: 'A' });
  const path = `/clients/${made.json.id}`;
  await salon.api.post(`${path}/erase`);
  const stale = { headers: { 'If-Match': '"1"' } };
  expect((await salon.api.patch(path, { notes: 'x' }, stale)).status).toBe(412);
  expect((await salon.api.patch(path, { notes: 'x' })).status).toBe(409);
});
