import { setTimeout as pause } from 'node:timers/promises';
import type { Role } from '../../src/account/sign-in/tokens.ts';
import { formatId, newUuid } from '../../src/core/id.ts';
import { makeCtx } from '../../src/data/ctx.ts';
import { openRedis, tell } from '../../src/data/redis.ts';
import type { Api, Reply, Tenant } from './api.ts';
import { hashOf, newSignIn, type Place } from './company.ts';
import { uuidOf } from './people.ts';

export const MEMBER_PASSWORD = 'another horse battery';

/** A user of a company with a session of their own. */
export type Member = { api: Api; id: string; uuid: string; email: string; refreshToken: string };

/** Repeats a request that an isolate refuses because it is hashing; waits as told. */
export async function patiently(ask: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await ask();
    if (reply.status !== 503) return reply;
    await pause(Number(reply.headers.get('retry-after')) * 300);
  }
}

/** Signs in and answers the whole reply, which must be 200. */
export async function signIn(api: Api, email: string, password: string): Promise<Member> {
  const reply = await patiently(() => api.as(null).post('/auth/login', { email, password }));
  if (reply.status !== 200) throw new Error(`login answered ${reply.status}: ${reply.text}`);
  const { id } = reply.json.user as { id: string };
  const { accessToken, refreshToken } = reply.json as { accessToken: string; refreshToken: string };
  return { api: api.as(accessToken), id, uuid: uuidOf('usr', id), email, refreshToken };
}

/** The same for the owner of a company, in SQL. */
export async function signInOwner(world: Place, tenant: Tenant): Promise<Pick<Member, 'api' | 'refreshToken'>> {
  const [company, user] = [uuidOf('comp', tenant.companyId), uuidOf('usr', tenant.userId)];
  const { token, refreshToken } = await newSignIn(world, { company, user, role: 'OWNER' });
  return { api: tenant.api.as(token), refreshToken };
}

/** A user of this role in the tenant's company, signed in: both in SQL, without deriving a password. */
export async function addMember(world: Place, tenant: Tenant, role: string): Promise<Member> {
  const company = uuidOf('comp', tenant.companyId);
  const user = newUuid();
  const email = `${user}@example.com`;
  await world.sql(
    'insert into users (company_id, id, name, email, role) values ($1, $2, $3, $4, $5)',
    [company, user, role, email, role],
    'cp_owner',
  );
  await world.sql(
    'insert into credentials (company_id, user_id, password_hash) values ($1, $2, $3)',
    [company, user, await hashOf(MEMBER_PASSWORD)],
    'cp_owner',
  );
  const { token, refreshToken } = await newSignIn(world, { company, user, role: role as Role });
  return { api: tenant.api.as(token), id: formatId('usr', user), uuid: user, email, refreshToken };
}

/** The same, where only the caller matters. */
export const addUser = async (world: Place, tenant: Tenant, role: string): Promise<Api> =>
  (await addMember(world, tenant, role)).api;

/** A key with these scopes, made through the API, with its caller. */
export async function addKey(api: Api, scopes: string[], more: Record<string, unknown> = {}) {
  const reply = await api.post('/api-keys', { name: 'key', scopes, ...more });
  if (reply.status !== 201) throw new Error(`POST /api-keys answered ${reply.status}: ${reply.text}`);
  const secret = String(reply.json.secret);
  const id = String(reply.json.id);
  return { api: api.as(secret), id, uuid: uuidOf('key', id), secret };
}

/** What this world's part of Redis holds under a pattern: key → remaining life, ms. */
export function redisOf(world: Place) {
  const database = openRedis({
    url: String(world.vars.UPSTASH_REDIS_REST_URL),
    token: 'test',
    environment: String(world.vars.ENVIRONMENT),
  });
  const ctx = () => makeCtx('req', () => undefined);
  const full = (pattern: string) => database.key(pattern);
  return {
    async lives(pattern: string): Promise<Map<string, number>> {
      const keys =
        (await database.trip(
          ctx(),
          (p) => p.commands.push(['keys', full(pattern)]),
          ([found]) => found as string[],
        )) ?? [];
      if (keys.length === 0) return new Map();
      const ends = await database.trip(
        ctx(),
        (p) => {
          for (const key of keys) p.commands.push(['pttl', key]);
        },
        (all) => all.map(Number),
      );
      return new Map(keys.map((key, i) => [key, ends?.[i] ?? 0]));
    },
    async forget(pattern: string): Promise<void> {
      const keys =
        (await database.trip(
          ctx(),
          (p) => p.commands.push(['keys', full(pattern)]),
          ([found]) => found as string[],
        )) ?? [];
      if (keys.length > 0) await tell(database, ctx(), (p) => p.del(...keys));
    },
  };
}

export const ROLES = ['READONLY', 'STAFF', 'MANAGER', 'ADMIN', 'OWNER'];

/** A member of each role, by role. */
export async function memberOfEach(world: Place, tenant: Tenant): Promise<Record<string, Member>> {
  const members: Record<string, Member> = {};
  for (const role of ROLES) members[role] = await addMember(world, tenant, role);
  return members;
}

let people = 0;
/** What POST /users takes, each time for somebody else. */
export function person(role: string, more: Record<string, unknown> = {}) {
  people += 1;
  return { name: `Person ${people}`, email: `person-${people}@example.com`, role, ...more };
}

/** Creates a user through the API, waiting while the isolate hashes; answers the id. */
export async function createUser(api: Api, role: string, more: Record<string, unknown> = {}): Promise<string> {
  const reply = await patiently(() => api.post('/users', person(role, more)));
  if (reply.status !== 201) throw new Error(`POST /users answered ${reply.status}: ${reply.text}`);
  return String(reply.json.id);
}
