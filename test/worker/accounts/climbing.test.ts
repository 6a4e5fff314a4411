import { describe, expect, test } from 'vitest';
import { grantableScopes } from '../../../src/account/permissions.ts';
import { addKey, addMember, createUser, patiently } from '../../support/accounts.ts';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// Nobody gets above themselves by what was made for an earlier state: a link, a key.

const world = await sharedWorld();
const salon = await openCompany(world);
const admin = await addMember(world, salon, 'ADMIN');

const use = (token: unknown) =>
  patiently(() => world.api.post('/auth/password/reset', { token, newPassword: 'a password of the climber' }));
const invite = async (by: Api, id: string): Promise<unknown> => {
  const reply = await by.post(`/users/${id}/invite`);
  expect(reply.status, reply.text).toBe(200);
  return reply.json.token;
};
const setRole = async (by: Api, id: string, role: string) =>
  expect((await by.patch(`/users/${id}`, { role })).status).toBe(200);

describe('a link', () => {
  test('ends when the role of its user changes, up or down', async () => {
    const id = await createUser(salon.api, 'MANAGER');
    const token = await invite(admin.api, id);
    await setRole(salon.api, id, 'OWNER');
    expectProblem(await use(token), 'invalid_link');
    const down = await createUser(salon.api, 'MANAGER');
    const other = await invite(salon.api, down);
    await setRole(salon.api, down, 'STAFF');
    expectProblem(await use(other), 'invalid_link');
  });

  test('ends when its user becomes somebody else: a changed address; not with a new name', async () => {
    const id = await createUser(salon.api, 'STAFF');
    const token = await invite(salon.api, id);
    await salon.api.patch(`/users/${id}`, { email: 'another-one@example.com' });
    expectProblem(await use(token), 'invalid_link');
    const second = await invite(salon.api, id);
    await salon.api.patch(`/users/${id}`, { name: 'Renamed' });
    expect((await use(second)).status).toBe(200);
  });

  test('is worth nothing once whoever made it has sunk below its user, or is gone', async () => {
    const maker = await addMember(world, salon, 'ADMIN');
    const [lowered, archived] = [await createUser(salon.api, 'MANAGER'), await createUser(salon.api, 'STAFF')];
    const [first, second] = [await invite(maker.api, lowered), await invite(maker.api, archived)];
    await setRole(salon.api, maker.id, 'STAFF');
    expectProblem(await use(first), 'invalid_link');
    await salon.api.delete(`/users/${maker.id}`);
    expectProblem(await use(second), 'invalid_link');
  });

  test('of a key ends with the key', async () => {
    const key = await addKey(salon.api, [...grantableScopes('STAFF'), 'users:write']);
    const [one, two] = [await createUser(salon.api, 'STAFF'), await createUser(salon.api, 'STAFF')];
    expect((await use(await invite(key.api, one))).status).toBe(200);
    const token = await invite(key.api, two);
    await salon.api.delete(`/api-keys/${key.id}`);
    expectProblem(await use(token), 'invalid_link');
  });
});

describe('the keys of a user who is archived', () => {
  const scopes = ['users:write', 'admin', 'clients:write'];

  test('are revoked with those made by them, and so nobody restores themselves', async () => {
    const leaver = await addMember(world, salon, 'ADMIN');
    const [own, kept] = [await addKey(leaver.api, scopes), await addKey(admin.api, scopes)];
    const child = await addKey(own.api, scopes);
    const archived = await salon.api.delete(`/users/${leaver.id}`);
    expect(archived.status).toBe(200);
    for (const { api, id } of [own, child]) {
      expectProblem(await api.post(`/users/${leaver.id}/restore`), 'session_revoked');
      expect((await salon.api.get(`/api-keys/${id}`)).json).toMatchObject({ isActive: false });
    }
    expect((await kept.api.post('/clients', { firstName: 'x' })).status).toBe(201);
    const events = await salon.api.get(`/events?after=${archived.revision - 3}`);
    expect((events.json.data as { type: string }[]).slice(0, 3).map(({ type }) => type)).toEqual([
      'api-key.revoked',
      'api-key.revoked',
      'user.archived',
    ]);
    // Restored, the user makes new ones.
    await salon.api.post(`/users/${leaver.id}/restore`);
    expectProblem(await own.api.post('/clients', { firstName: 'x' }), 'session_revoked');
  });

  test('go on where the one who archives says so', async () => {
    const leaver = await addMember(world, salon, 'ADMIN');
    const key = await addKey(leaver.api, ['clients:write']);
    expect((await salon.api.delete(`/users/${leaver.id}`, { body: { keepKeys: true } })).status).toBe(200);
    expect((await key.api.post('/clients', { firstName: 'x' })).status).toBe(201);
  });
});
