import { describe, expect, test } from 'vitest';
import { grantableScopes, SCOPES } from '../../../src/account/permissions.ts';
import { addKey, addMember, createUser, type Member, memberOfEach, person, ROLES } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const by = await memberOfEach(world, salon);

const add = (role: string, more = {}): Promise<string> => createUser(salon.api, role, more);
describe('who may', () => {
  test.each(['READONLY', 'STAFF', 'MANAGER'])(
    '%s neither sees nor changes users, but knows who they are',
    async (role) => {
      const { api, id } = by[role] as Member;
      for (const reply of [
        await api.get('/users'),
        await api.get(`/users/${id}`),
        await api.post('/users', person('READONLY')),
        await api.patch(`/users/${id}`, { name: 'x' }),
        await api.delete(`/users/${id}`),
        await api.post(`/users/${id}/invite`),
      ])
        expectProblem(reply, 'forbidden');
      expect((await api.get('/auth/me')).json).toMatchObject({ user: { id, role } });
    },
  );

  test.each(['ADMIN', 'OWNER'])('%s grants and changes roles up to their own', async (role) => {
    const { api } = by[role] as Member;
    const own = ROLES.indexOf(role);
    for (const [rank, granted] of ROLES.entries()) {
      const may = rank <= own;
      const made = await api.post('/users', person(granted));
      expect(made.status, `create ${granted}`).toBe(may ? 201 : 403);
      const target = await add(granted);
      const path = `/users/${target}`;
      const statuses = [
        (await api.patch(path, { name: 'x' })).status,
        (await api.post(`${path}/invite`)).status,
        (await api.delete(path)).status,
        (await api.post(`${path}/restore`)).status,
      ];
      expect(statuses, `change ${granted}`).toEqual(may ? [200, 200, 200, 200] : [403, 403, 403, 403]);
      const staff = await add('STAFF');
      expect((await api.patch(`/users/${staff}`, { role: granted })).status, `promote to ${granted}`).toBe(
        may ? 200 : 403,
      );
      expect((await api.patch(path, { role: 'STAFF' })).status, `demote ${granted}`).toBe(may ? 200 : 403);
    }
  });

  test('nobody lifts themselves', async () => {
    const admin = await addMember(world, salon, 'ADMIN');
    expectProblem(await admin.api.patch(`/users/${admin.id}`, { role: 'OWNER' }), 'forbidden');
    expect((await admin.api.get(`/users/${admin.id}`)).json.role).toBe('ADMIN');
  });

  test('a token that still says OWNER grants nothing above the role that is left', async () => {
    const fallen = await addMember(world, salon, 'OWNER');
    expect((await salon.api.patch(`/users/${fallen.id}`, { role: 'ADMIN' })).status).toBe(200);
    expectProblem(await fallen.api.post('/users', person('OWNER')), 'forbidden');
    expectProblem(await fallen.api.patch(`/users/${fallen.id}`, { role: 'OWNER' }), 'forbidden');
    expectProblem(await fallen.api.post(`/users/${salon.userId}/invite`), 'forbidden');
  });

  test('a key makes and changes only users whose role its scopes cover, and never an OWNER', async () => {
    const made = async (scopes: string[]) => {
      const { api } = await addKey(salon.api, scopes);
      const found = [];
      for (const role of ROLES) found.push((await api.post('/users', person(role))).status);
      return { api, found };
    };
    const plain = await made(['users:write']);
    expect(plain.found).toEqual([403, 403, 403, 403, 403]);
    const staff = await made([...grantableScopes('STAFF'), 'users:write']);
    expect(staff.found).toEqual([201, 201, 403, 403, 403]);
    const all = await made([...SCOPES]);
    expect(all.found).toEqual([201, 201, 201, 201, 403]);
    expect((await made(['users:read'])).found).toEqual([403, 403, 403, 403, 403]);
    const manager = `/users/${await add('MANAGER')}`;
    for (const reply of [
      await staff.api.patch(manager, { name: 'x' }),
      await staff.api.delete(manager),
      await staff.api.post(`${manager}/invite`),
      await staff.api.patch(`/users/${await add('STAFF')}`, { role: 'MANAGER' }),
      await plain.api.post(`/users/${await add('READONLY')}/invite`),
      await all.api.delete(`/users/${salon.userId}`),
    ])
      expectProblem(reply, 'forbidden');
  });

  test('a key sets no passwords: it would be more than its scopes', async () => {
    const { api } = await addKey(salon.api, [...SCOPES]);
    const body = person('STAFF');
    expectProblem(await api.post('/users', { ...body, password: 'a password of its own' }), 'forbidden');
    expect((await api.post('/users', body)).status).toBe(201);
  });
});

describe('the last owner', () => {
  test('cannot be archived or demoted; with a second one it can', async () => {
    const lone = await openCompany(world);
    const path = `/users/${lone.userId}`;
    const head = (await lone.api.get('/events')).json.head;
    expectProblem(await lone.api.delete(path), 'last_owner');
    expectProblem(await lone.api.patch(path, { role: 'ADMIN' }), 'last_owner');
    expect((await lone.api.get('/events')).json.head).toBe(head);
    expect((await lone.api.patch(path, { role: 'OWNER', name: 'Still me' })).status).toBe(200);
    const second = await addMember(world, lone, 'OWNER');
    await lone.api.delete(`/users/${second.id}`);
    expectProblem(await lone.api.patch(path, { role: 'ADMIN' }), 'last_owner');
    await lone.api.post(`/users/${second.id}/restore`);
    expect((await lone.api.patch(path, { role: 'ADMIN' })).status).toBe(200);
  });

  test('two owners who demote or archive each other at once: one stays', async () => {
    const away = String(world.elsewhere[0]);
    for (let round = 0; round < 4; round += 1) {
      const lone = await openCompany(world);
      const second = await addMember(world, lone, 'OWNER');
      const replies = await Promise.all([
        round % 2 === 0
          ? lone.api.patch(`/users/${second.id}`, { role: 'STAFF' })
          : lone.api.delete(`/users/${second.id}`),
        second.api.at(away).patch(`/users/${lone.userId}`, { role: 'STAFF' }),
      ]);
      const statuses = replies.map(({ status }) => status).sort();
      expect(statuses[0]).toBe(200);
      // Whoever came second lost the role, the session or the right to be the last.
      expect([401, 403, 409]).toContain(statuses[1]);
      const left = await world.sql(`select from users where company_id = $1 and role = 'OWNER' and status = 'ACTIVE'`, [
        uuidOf('comp', lone.companyId),
      ]);
      expect(left.length).toBe(1);
    }
  });

  test('each steps down at once: one stays', async () => {
    const lone = await openCompany(world);
    const second = await addMember(world, lone, 'OWNER');
    const replies = await Promise.all([
      lone.api.patch(`/users/${lone.userId}`, { role: 'STAFF' }),
      second.api.patch(`/users/${second.id}`, { role: 'STAFF' }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('two consoles that each demote one: one stays', async () => {
    const lone = await openCompany(world);
    const second = await addMember(world, lone, 'OWNER');
    const demote = (uuid: string) => world.sql(`update users set role = 'STAFF' where id = $1`, [uuid], 'cp_owner');
    const done = await Promise.allSettled([demote(second.uuid), demote(uuidOf('usr', lone.userId))]);
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(
      world.sql(`update users set role = 'STAFF' where company_id = $1`, [uuidOf('comp', lone.companyId)], 'cp_owner'),
    ).rejects.toThrow(/last_owner/);
  });
});
