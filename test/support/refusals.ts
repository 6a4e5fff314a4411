import { expect } from 'vitest';
import { type Permission, SCOPES, scopesAllow } from '../../src/account/permissions.ts';
import { loadKeys, signAccess } from '../../src/account/sign-in/tokens.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { newUuid, type Prefix, parseId } from '../../src/core/id.ts';
import { addKey } from './accounts.ts';
import type { Api, Json, Reply } from './api.ts';
import { type Kit, type Refusal, unique } from './fixtures/fixture.ts';
import { uuidOf } from './people.ts';
import { fire, make, otherBody, type Route, type Shot } from './routes.ts';

const callerOf = ({ anyone, tenant }: Kit, { spec }: Route): Api => (spec.anonymous === true ? anyone : tenant.api);

const withQuery = (shot: Shot, query: string): Shot => ({
  ...shot,
  path: `${shot.path}${shot.path.includes('?') ? '&' : '?'}${query}`,
});

/** The usual request, with other headers or another query. */
const asking =
  (headers: Record<string, string>, query?: string): Refusal =>
  async (kit, route) => {
    const shot = await kit.aim();
    return fire(callerOf(kit, route), query === undefined ? shot : withQuery(shot, query), headers);
  };

/** The usual request with another body. */
const sending =
  (raw: string, type?: string): Refusal =>
  async (kit, route) => {
    const { method, path, file, headers } = await kit.aim();
    return callerOf(kit, route).ask(method, path, {
      raw,
      headers: { 'Content-Type': type ?? file?.type ?? 'application/json', ...headers },
    });
  };

async function tokenOf({ world, tenant }: Kit, ago: number): Promise<string> {
  const keys = await loadKeys(String(world.vars.JWT_PRIVATE_KEY), String(world.vars.JWT_PUBLIC_KEYS));
  const claims = {
    userId: uuidOf('usr', tenant.userId),
    companyId: uuidOf('comp', tenant.companyId),
    // Nobody has this session: it is as one that has ended.
    sessionId: newUuid(),
    role: 'OWNER' as const,
  };
  return (await signAccess(keys, claims, Date.now() - ago)).token;
}

const usingToken =
  (ago: number): Refusal =>
  async (kit) => {
    const shot = await kit.aim();
    return fire(kit.tenant.api.as(await tokenOf(kit, ago)), shot);
  };

/** Keys of one scope each. */
const keys = new Map<string, Promise<{ api: Api }>>();

async function forbidden({ tenant: { api }, aim }: Kit, route: Route): Promise<Reply> {
  const { permission } = route.spec;
  const scope = SCOPES.find((each) => permission === undefined || !scopesAllow([each], permission as Permission));
  if (scope === undefined) throw new Error(`every scope may ${permission}`);
  const key = keys.get(`${scope} ${api.token}`) ?? addKey(api, [scope]);
  keys.set(`${scope} ${api.token}`, key);
  return fire((await key).api, await aim());
}

/** The first of its parameters that does not take nonsense. */
async function invalidParameter(kit: Kit, route: Route): Promise<Reply> {
  const { spec } = route;
  if (spec.list !== undefined) return asking({}, 'limit=0')(kit, route);
  if (spec.detail !== undefined) return asking({}, 'fields=nonsense')(kit, route);
  for (const name of Object.keys(spec.query ?? {})) {
    const reply = await asking({}, `${name}=nonsense`)(kit, route);
    if (reply.json.code === 'invalid_parameter') return reply;
  }
  throw new Error(`no parameter of ${route.name} refuses nonsense`);
}

async function cursorMismatch({ tenant }: Kit, { spec, topic }: Route): Promise<Reply> {
  await make(tenant.api, topic);
  await make(tenant.api, topic);
  const { pagination } = (await tenant.api.get(`${spec.path}?limit=1`)).json as { pagination: { nextCursor: string } };
  // Upwards, where the usual way is down.
  return tenant.api.get(`${spec.path}?sort=${spec.list?.sorts[0]}&cursor=${encodeURIComponent(pagination.nextCursor)}`);
}

async function notFound(kit: Kit): Promise<Reply> {
  const shot = await kit.aim();
  const prefix = String(shot.id).split('_')[0] as Prefix;
  expect(parseId(prefix, String(shot.id))).not.toBeNull();
  return fire(kit.tenant.api, {
    ...shot,
    path: shot.path.replace(String(shot.id), `${prefix}_01h455vb4pex5vsknk084sn02q`),
  });
}

async function keyReused(kit: Kit, route: Route): Promise<Reply> {
  const headers = { 'Idempotency-Key': `again-${unique()}` };
  const shot = await kit.aim();
  await fire(kit.tenant.api, shot, headers);
  const other =
    shot.file === undefined
      ? { body: await otherBody(route, kit.tenant, shot.body) }
      : { file: { ...shot.file, text: `${shot.file.text}\n${unique()}` } };
  return fire(kit.tenant.api, { ...shot, ...other }, headers);
}

/** Gives one object what another one of the resource has. */
const taking =
  (member: string, value: (n: number) => string): Refusal =>
  async (kit, route) => {
    const text = value(unique());
    await make(kit.tenant.api, route.topic, { [member]: text });
    const shot = await kit.aim();
    const items = (shot.body as { items?: Json[] } | undefined)?.items?.map((item) => ({ ...item, [member]: text }));
    const body = items === undefined ? { ...shot.body, [member]: text } : { mode: 'atomic', items };
    return fire(kit.tenant.api, { ...shot, body });
  };

/** Names an object of another resource that nobody has. */
async function unknownReference(kit: Kit, route: Route): Promise<Reply> {
  const [reference] = Object.entries(route.fixture.references ?? {});
  if (reference === undefined) throw new Error(`the fixture of ${route.topic} names no references`);
  const [member, topic] = reference;
  const nobody = (await make(kit.tenant.api, topic)).replace(/_.*/, '_01h455vb4pex5vsknk084sn02q');
  const shot = await kit.aim();
  const items = (shot.body as { items?: Json[] } | undefined)?.items?.map((item) => ({ ...item, [member]: nobody }));
  const body = items === undefined ? { ...shot.body, [member]: nobody } : { mode: 'atomic', items };
  return fire(kit.tenant.api, { ...shot, body });
}

/** Again and again, until it has been too often. */
async function rateLimited(kit: Kit, route: Route): Promise<Reply> {
  const shot = await kit.aim();
  for (let tries = 0; ; tries += 1) {
    const reply = await fire(callerOf(kit, route), shot);
    if (reply.status === 429 || tries === 15) return reply;
  }
}

/** The largest body of a route, bytes. */
function mostOf({ spec }: Route): number {
  if (spec.file !== undefined) return 10 * 1024 * 1024;
  return spec.anonymous === true ? 16 * 1024 : 1024 * 1024;
}

/** How routes of every kind come to refuse. What only one can say stands in its fixture, under `refusals`. */
export const refusals: Partial<Record<ErrorCode, Refusal>> = {
  unauthenticated: async (kit) => fire(kit.anyone, await kit.aim()),
  token_expired: usingToken(24 * 3600 * 1000),
  session_revoked: usingToken(0),
  forbidden,
  malformed_json: sending('{"a":'),
  empty_body: sending(''),
  payload_too_large: async (kit, route) => sending('x'.repeat(mostOf(route) + 1))(kit, route),
  unsupported_media_type: sending('{}', 'text/plain'),
  async invalid_body(kit, route) {
    const faulty = route.fixture.invalid?.[route.name]?.body ?? { nonsense: 1 };
    return fire(callerOf(kit, route), { ...(await kit.aim()), body: faulty });
  },
  unknown_parameter: asking({}, 'nonsense=1'),
  invalid_parameter: invalidParameter,
  invalid_min_revision: asking({ 'Min-Revision': 'x' }),
  revision_ahead: asking({ 'Min-Revision': '9007199254740991' }),
  use_cursor: asking({}, 'page=1000&limit=100'),
  invalid_cursor: asking({}, 'cursor=nothing'),
  cursor_mismatch: cursorMismatch,
  not_found: notFound,
  version_mismatch: asking({ 'If-Match': '"999"' }),
  invalid_idempotency_key: asking({ 'Idempotency-Key': 'a b' }),
  idempotency_key_reused: keyReused,
  external_id_taken: taking('externalId', (n) => `taken-${n}`),
  unknown_reference: unknownReference,
  email_taken: taking('email', (n) => `taken-${n}@example.com`),
  rate_limited: rateLimited,
  epoch_changed: asking({}, 'epoch=01890000-0000-7000-8000-000000000000'),
};
