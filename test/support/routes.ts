import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { RouteSpec } from '../../src/http/route.ts';
import type { Api, Json, Tenant } from './api.ts';
import { type Fixture, fixtures, unique } from './fixtures.ts';
import { once } from './once.ts';
import { operationOf, operations } from './operations.ts';

/** A mounted route with what the tests know of its resource. */
export type Route = { spec: RouteSpec; name: string; topic: string; method: string; fixture: Fixture };

/** A request that must succeed. `path` is below `/api/v1`; `id` is the object's, where the path names one. */
export type Shot = {
  method: string;
  path: string;
  body: Json | undefined;
  id: string | null;
  /** A file in place of a body. */
  file?: { text: string; type: string };
  /** What the route cannot do without: a key. */
  headers?: Record<string, string>;
};

/** A new key, where the route needs one. */
export const keyFor = (spec: RouteSpec | undefined): { headers?: Record<string, string> } =>
  spec?.errors.includes('idempotency_key_required') === true
    ? { headers: { 'Idempotency-Key': `own-${unique()}` } }
    : {};

/** Imports take a file and answer a job, which is no document: worker/imports has them. */
function ofDocuments(spec: RouteSpec): boolean {
  return !spec.path.startsWith('/imports');
}

/** Every route of the product. @throws Error where a resource has no fixture */
export const everyRoute: Route[] = operations.map(({ spec, name, topic }) => {
  const fixture = fixtures[topic];
  if (fixture === undefined) throw new Error(`no fixture for ${name}: add ${topic} to fixtures.ts`);
  return { spec, name, topic, method: spec.method.toUpperCase(), fixture };
});

/** Those of documents. */
export const routes: Route[] = everyRoute.filter(({ spec }) => ofDocuments(spec));

/** Verbs that need what only a sign-in of its own has, or end it: a session, a refresh token, a link. worker/accounts has them. */
const SIGN_IN = new Set(
  ['refresh', 'logout', 'password', 'password/forgot', 'password/reset'].map((verb) => `POST /auth/${verb}`),
);
/** No document changes, so no revision is taken (details A4). */
const UNLOGGED = new Set([
  'POST /users/:id/invite',
  'POST /realtime/tickets',
  ...['rotate', 'ping', 'replay'].map((verb) => `POST /webhooks/:id/${verb}`),
]);
/** They answer a secret and ignore an Idempotency-Key (details A8). */
const SECRET = new Set([
  ...['POST /api-keys', 'POST /users/:id/invite'],
  ...['POST /webhooks', 'POST /webhooks/:id/rotate', 'POST /alerts'],
  ...['POST /staff/:id/calendar', 'POST /branches/:id/calendar'],
]);

/** Bulk and export stand where an id could stand, and act on many objects: suites of their own have what differs. */
export const ofMany = ({ spec }: Route): boolean => /\/(?:bulk|export)$/.test(spec.path);
export const ofSignIn = ({ name }: Route): boolean => SIGN_IN.has(name);
export const answersSecret = ({ name }: Route): boolean => SECRET.has(name);

/** They answer an address alone, and no object. */
export const answersObject = ({ spec }: Route): boolean => !spec.path.endsWith('/calendar');

export const guarded = routes.filter((route) => route.spec.anonymous !== true && !ofSignIn(route));
export const cached = guarded.filter(({ spec }) => spec.success.cached === true);
export const mutations = guarded.filter(({ method, name }) => method !== 'GET' && !UNLOGGED.has(name));

/** Below one object of a resource, about others that belong to it: `/staff/:id/time-off`, and what leads on from there. */
export const CHILD = /^(.+\/:[A-Za-z]+\/[^:]+)\/:[A-Za-z]+$/;
const collections = new Set(routes.map(({ spec }) => CHILD.exec(spec.path)?.[1]));
export const ofChildren = ({ spec }: Route): boolean => CHILD.test(spec.path) || collections.has(spec.path);

/** What changes one object, and so may say which version of it. */
export const takesIfMatch = (route: Route): boolean => {
  const { spec, method, topic } = route;
  const isCreate = method === 'POST' && spec.path === `/${topic}`;
  const isPlain = !ofMany(route) && !ofChildren(route) && spec.success.located !== false;
  return guarded.includes(route) && method !== 'GET' && !isCreate && isPlain;
};

export const takesId = ({ spec }: Route): boolean => spec.path.includes('/:');

/** Answers the id of an object of a topic. */
type Make = (api: Api, topic: string) => Promise<string>;

/** A new one that others may refer to. */
const makeReady: Make = async (api, topic) => {
  const id = await make(api, topic);
  await fixtures[topic]?.ready?.(api, id);
  return id;
};

/** A body that creates an object, with what it refers to. */
async function createOf(api: Api, { create, references = {}, within }: Fixture, named = makeReady): Promise<Json> {
  const body = { ...create?.(unique()), ...(await within?.(api)) };
  for (const [member, other] of Object.entries(references)) body[member] = await named(api, other);
  return body;
}

/** Makes an object of the topic, with these members, and answers its public id. */
export async function make(api: Api, topic: string, more: Json = {}): Promise<string> {
  const fixture = fixtures[topic];
  if (fixture?.place !== undefined) return fixture.place(api, (other) => make(api, other));
  const file = fixture?.files?.[`POST /${topic}`];
  if (file !== undefined) {
    const reply = await api.ask('POST', `/${topic}${file.query}`, {
      raw: file.text(unique()),
      headers: { 'Content-Type': file.type },
    });
    expect(reply.status, reply.text).toBe(202);
    return String(reply.json.id);
  }
  if (fixture?.create === undefined) throw new Error(`the fixture of ${topic} has no create`);
  const path = (await fixture.at?.((other) => make(api, other))) ?? `/${topic}`;
  const body = { ...(await createOf(api, fixture)), ...more };
  const reply = await api.post(path, body, keyFor(operationOf('POST', path)?.spec));
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
}

/** The resources whose objects are read by id. */
export const topics: string[] = [...new Set(cached.filter(takesId).map(({ topic }) => topic))];

/** Where the objects of an entity are, by the topic of its events. */
export const collectionOf = (topic: string): string => topics.find((each) => each.endsWith(`/${topic}`)) ?? topic;

/** An object of each of them, by topic. */
export async function makeEach(api: Api): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const topic of topics) ids[topic] = await make(api, topic);
  return ids;
}

/** The body a route accepts, made anew. @param named what it refers to @throws Error where the fixture has none */
export async function bodyOf(route: Route, tenant: Tenant, named = makeReady): Promise<Json | undefined> {
  const { spec, fixture, name, method, topic } = route;
  if (spec.body === undefined) return undefined;
  if (name === 'POST /auth/login') return { email: tenant.email, password: tenant.password };
  const own = fixture.bodies?.[name];
  if (own !== undefined) return await own(unique(), (other) => named(tenant.api, other), tenant.api);
  if (method === 'PATCH' && fixture.patch !== undefined) return fixture.patch(unique());
  if (method === 'POST' && spec.path === `/${topic}` && fixture.create !== undefined)
    return createOf(tenant.api, fixture, named);
  throw new Error(`the fixture of ${topic} has no body for ${name}`);
}

/** Adds an object to another, as the route before this one does, and answers its public id. */
async function makeChild(route: Route, tenant: Tenant, id: string): Promise<string> {
  const collection = route.spec.path.replace(/\/:[A-Za-z]+$/, '');
  const adds = routes.find(({ method, spec }) => method === 'POST' && spec.path === collection);
  if (adds === undefined) throw new Error(`no route makes what ${route.name} takes`);
  const reply = await tenant.api.post(pathTo(adds, id), (await bodyOf(adds, tenant)) ?? {});
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
}

/** A request to this route that must succeed for the tenant's owner, at a new object or one that is there. */
export async function aim(route: Route, tenant: Tenant, there?: string, named = makeReady): Promise<Shot> {
  const { spec, method, fixture, name, topic } = route;
  const id = takesId(route) ? (there ?? (await make(tenant.api, topic))) : null;
  if (id !== null) await fixture.states?.[name]?.(tenant.api, id);
  let path = id === null ? spec.path : pathTo(route, id);
  if (id !== null && path.includes('/:')) path = path.replace(/:[A-Za-z]+$/, await makeChild(route, tenant, id));
  path += (await fixture.asks?.[name]?.((other) => named(tenant.api, other))) ?? '';
  const file = fixture.files?.[name];
  if (file === undefined) return { method, path, body: await bodyOf(route, tenant, named), id, ...keyFor(spec) };
  return { method, path: path + file.query, body: undefined, id, file: { text: file.text(unique()), type: file.type } };
}

/** The same object of a topic each time, by who made it. */
function standing(making: Make): Make {
  const made = new Map<string, Promise<string>>();
  return (api, topic) => {
    const key = `${topic} ${api.token}`;
    const id = made.get(key) ?? making(api, topic);
    made.set(key, id);
    return id;
  };
}
const [aimedAt, referredTo] = [standing(make), standing(makeReady)];

/**
 * The same request each time it is asked for, at an object that other routes are aimed at too: for what reads or is refused, and so
 * leaves it as it is.
 */
export const aimedOnce = (route: Route, tenant: Tenant): (() => Promise<Shot>) =>
  once(async () => {
    const isAny = takesId(route) && route.fixture.states?.[route.name] === undefined;
    return aim(route, tenant, isAny ? await aimedAt(tenant.api, route.topic) : undefined, referredTo);
  });

/** Another body for a route that takes one, and one for a verb that takes none. */
export async function otherBody(route: Route, tenant: Tenant, body: Json | undefined): Promise<Json> {
  for (;;) {
    const other = (await bodyOf(route, tenant, referredTo)) ?? {};
    if (!isDeepStrictEqual(other, body)) return other;
  }
}

export const pathTo = ({ spec }: Route, id: string): string => spec.path.replace(/:[A-Za-z]+/, id);

/** A request as `Api.ask` takes it. */
export const fire = (api: Api, shot: Shot, headers: Record<string, string> = {}) => {
  const { method, path, body, file } = shot;
  return api.ask(method, path, {
    headers: { ...(file !== undefined && { 'Content-Type': file.type }), ...shot.headers, ...headers },
    ...(file !== undefined && { raw: file.text }),
    ...(body !== undefined && { body }),
  });
};
