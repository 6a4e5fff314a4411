import { describe, expect, test } from 'vitest';
import { type Permission, ROLES, type Role, roleMay } from '../../../src/account/permissions.ts';
import { addMember, addUser } from '../../support/accounts.ts';
import { type Api, received } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { shareOf } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { aim, aimedOnce, fire, guarded } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

const people = new Map<Role, Api>();
const world = await sharedWorld();
const salon = await openCompany(world);
for (const role of ROLES) people.set(role, await addUser(world, salon, role));

const head = async (): Promise<unknown> => (await salon.api.get('/events')).json.head;

describe.each(guarded.map((route, turn) => [route.name, route, turn] as const))('%s', (_, route, turn) => {
  const { permission, success } = route.spec;
  const may = (role: Role): boolean => permission === undefined || roleMay(role, permission as Permission);
  // What is read or refused stays as it is, for the next who tries.
  const aimed = aimedOnce(route, salon);

  // Of those who may, the least of them and a share of the others; of those who write a smaller one, as each needs a request of its own.
  const [least, ...others] = ROLES.filter(may);
  const trying = shareOf(others, turn, (route.method === 'GET' ? 1 : 3) * others.length);
  test.each([...(least === undefined ? [] : [least]), ...trying])('as %s', async (role) => {
    const shot = await (route.method === 'GET' ? aimed() : aim(route, salon));
    const reply = await fire(people.get(role) as Api, shot);
    expect(reply.status, reply.text).toBe(success.status);
  });

  const refused = ROLES.filter((role) => !may(role));
  test.skipIf(refused.length === 0)('as none of those who may not', async () => {
    const shot = await aimed();
    const before = await head();
    for (const role of refused) {
      const reply = await fire(people.get(role) as Api, shot);
      expectProblem(reply, 'forbidden');
      expect(reply.headers.get('ratelimit')).not.toBeNull();
      // By the Worker, which names the permission; the wall behind it, in the database, does not, and would be a trip.
      expect(reply.json.detail).toBe(`This needs the permission ${permission}.`);
      if (route.method !== 'GET') expect(reply.headers.get('server-timing')).not.toContain('db;');
    }
    expect(await head()).toBe(before);
  });
});

test('each role is refused somewhere but the highest, and each may read', () => {
  const permissions = guarded.flatMap(({ spec }) => spec.permission ?? []) as Permission[];
  for (const role of ROLES) {
    const refused = permissions.filter((permission) => !roleMay(role, permission));
    expect(refused.length === 0, role).toBe(role === 'OWNER' || role === 'ADMIN');
  }
});

test('a lowered role stops writes at once, and says how to go on', async () => {
  const api = await addUser(world, salon, 'STAFF');
  const id = (await api.get('/auth/me')).json.user as { id: string };
  await world.sql('update users set role = $$READONLY$$ where id = $1', [uuidOf('usr', id.id)], 'cp_owner');
  const reply = await api.post('/clients', { firstName: 'late' });
  expect([401, 403], reply.text).toContain(reply.status);
  const { data } = (await salon.api.get('/clients?sort=-createdAt&limit=1')).json as { data: { firstName: string }[] };
  expect(data[0]?.firstName).not.toBe('late');
});

test('a revoked session and an archived user write no more', async () => {
  const elsewhere = String(world.elsewhere[0]);
  for (const end of [
    'update sessions set revoked_at = clock_timestamp() where user_id = $1',
    'update users set status = $$ARCHIVED$$ where id = $1',
    'update sessions set expires_at = clock_timestamp() where user_id = $1',
  ]) {
    const { api, uuid } = await addMember(world, salon, 'ADMIN');
    await world.sql(end, [uuid], 'cp_owner');
    expectProblem(await api.post('/clients', { firstName: 'late' }), 'session_revoked');
    // An isolate that has not met the session asks before it reads.
    const read = await fetch(`${elsewhere}/api/v1/clients`, { headers: { Authorization: `Bearer ${api.token}` } });
    expect((await received('GET', '/clients', read)).status).toBe(401);
  }
});
