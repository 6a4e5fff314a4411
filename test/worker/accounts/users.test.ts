import { describe, expect, test } from 'vitest';
import { createUser, patiently, person } from '../../support/accounts.ts';
import { PASSWORD } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world);

const add = (role: string, more = {}): Promise<string> => createUser(salon.api, role, more);
const ids = (json: Record<string, unknown>): unknown[] => (json.data as { id: string }[]).map(({ id }) => id);

describe('the resource', () => {
  test('created, read, listed, patched', async () => {
    const body = person('STAFF', { externalId: 'u-1' });
    const created = await salon.api.post('/users', body);
    expect(created.status, created.text).toBe(201);
    expect(created.json).toMatchObject({ ...body, status: 'ACTIVE', version: 1 });
    const path = `/users/${created.json.id}`;
    expect(created.headers.get('location')).toBe(`/api/v1${path}`);
    const read = await salon.api.get(path, { headers: { 'Min-Revision': String(created.revision) } });
    expect(read.json).toEqual(created.json);
    expectProblem(await salon.api.patch(path, { name: 'x' }, { headers: { 'If-Match': '"9"' } }), 'version_mismatch');
    const patched = await salon.api.patch(
      path,
      { name: ' New ', externalId: null },
      { headers: { 'If-Match': '"1"' } },
    );
    expect(patched.json).toMatchObject({ name: 'New', externalId: null, version: 2 });
    expect(patched.revision).toBe(created.revision + 1);
    const same = await salon.api.patch(path, { name: 'New' });
    expect([same.json.version, same.revision]).toEqual([2, patched.revision]);
    const list = await salon.api.get('/users?role=STAFF&limit=100', {
      headers: { 'Min-Revision': String(patched.revision) },
    });
    expect(ids(list.json)).toContain(created.json.id);
    expect(ids((await salon.api.get('/users?role=ADMIN&limit=100')).json)).not.toContain(created.json.id);
    expect(ids((await salon.api.get('/users?createdAfter=2999-01-01T00:00:00Z')).json)).toEqual([]);
    expect(ids((await salon.api.get('/users?sort=email&fields=email&limit=2')).json)).toHaveLength(2);
  });

  test('a repeat with an Idempotency-Key makes no second user, with a password too', async () => {
    const body = person('STAFF', { password: 'a password of mine' });
    const ask = { headers: { 'Idempotency-Key': 'u' } };
    const first = await patiently(() => salon.api.post('/users', body, ask));
    const second = await patiently(() => salon.api.post('/users', body, ask));
    expect([second.status, second.json, second.headers.get('idempotency-replayed')]).toEqual([201, first.json, 'true']);
    const changed = await patiently(() => salon.api.post('/users', { ...body, password: 'another password' }, ask));
    expectProblem(changed, 'idempotency_key_reused');
  });

  test('a password lets them in, none does not; it is nowhere to be seen', async () => {
    const secret = 'kept to myself 42';
    const body = person('STAFF', { password: secret });
    const made = await patiently(() => salon.api.post('/users', body));
    expect(made.text).not.toContain('assword');
    const login = await patiently(() =>
      world.api.post('/auth/login', { email: body.email.toUpperCase(), password: secret }),
    );
    expect([login.status, (login.json.user as { id: string }).id]).toEqual([200, made.json.id]);
    const invited = person('STAFF');
    await salon.api.post('/users', invited);
    const refused = await patiently(() => world.api.post('/auth/login', { email: invited.email, password: PASSWORD }));
    expectProblem(refused, 'invalid_credentials');
    const rows = await world.sql<{ n: number }>(
      `select count(*)::int n from changes where coalesce(after, before)::text like '%scrypt%' or after::text like $1`,
      [`%${secret}%`],
    );
    expect(rows).toEqual([{ n: 0 }]);
    expect(world.worker.logs.join('\n')).not.toContain(secret);
  });

  test('archived: hidden, still there, idempotent, brought back; events say so', async () => {
    const id = await add('STAFF');
    const archived = await salon.api.delete(`/users/${id}`);
    expect([archived.status, archived.json.status, archived.json.version]).toEqual([200, 'ARCHIVED', 2]);
    expect((await salon.api.delete(`/users/${id}`)).revision).toBe(archived.revision);
    expect(ids((await salon.api.get('/users?limit=100')).json)).not.toContain(id);
    expect(ids((await salon.api.get('/users?status=ARCHIVED&limit=100')).json)).toContain(id);
    expect((await salon.api.get(`/users/${id}`)).json.status).toBe('ARCHIVED');
    const restored = await salon.api.post(`/users/${id}/restore`);
    expect(restored.json).toMatchObject({ status: 'ACTIVE', version: 3 });
    const events = await salon.api.get(`/events?after=${archived.revision - 1}`);
    expect((events.json.data as { type: string }[]).map(({ type }) => type)).toEqual([
      'user.archived',
      'user.restored',
    ]);
  });

  test('an address is taken across companies, whatever its case; sign-up says where', async () => {
    const body = person('STAFF');
    await other.api.post('/users', body);
    const clash = { ...person('STAFF'), email: body.email.toUpperCase() };
    expect(expectProblem(await salon.api.post('/users', clash), 'email_taken')).toMatchObject([{ pointer: '/email' }]);
    const id = await add('STAFF');
    expect(expectProblem(await salon.api.patch(`/users/${id}`, { email: body.email }), 'email_taken')).toMatchObject([
      { pointer: '/email' },
    ]);
    const signup = await patiently(() =>
      world.api.post('/auth/signup', {
        company: { name: 'x', currency: 'EUR', timeZone: 'Europe/Vienna' },
        user: { name: 'x', email: body.email, password: PASSWORD },
      }),
    );
    expect(expectProblem(signup, 'email_taken')).toMatchObject([{ pointer: '/user/email' }]);
    await add('STAFF', { externalId: 'same' });
    expectProblem(await salon.api.post('/users', person('STAFF', { externalId: 'same' })), 'external_id_taken');
  });

  test('faults of the body', async () => {
    const faults = expectProblem(
      await salon.api.post('/users', { name: '', email: 'x', role: 'BOSS', password: 'short', extra: 1 }),
      'invalid_body',
    );
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(['/email', '/extra', '/name', '/password', '/role']);
    const id = await add('STAFF');
    const patch = expectProblem(
      await salon.api.patch(`/users/${id}`, {
        name: null,
        email: null,
        role: null,
        password: 'a new password',
        status: 'ARCHIVED',
      }),
      'invalid_body',
    );
    expect(patch.map(({ pointer }) => pointer).sort()).toEqual(['/email', '/name', '/password', '/role', '/status']);
  });

  test('another company’s user is not there', async () => {
    const path = `/users/${other.userId}`;
    for (const reply of [
      await salon.api.get(path),
      await salon.api.patch(path, { name: 'x' }),
      await salon.api.delete(path),
      await salon.api.post(`${path}/restore`),
      await salon.api.post(`${path}/invite`),
      await salon.api.post('/users/usr_x/invite'),
    ])
      expectProblem(reply, 'not_found');
  });
});
