import { describe, expect, test } from 'vitest';
import { addKey, addMember } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world);

const ids = (json: Record<string, unknown>): unknown[] => (json.data as { id: string }[]).map(({ id }) => id);

describe('the resource', () => {
  test('created, with the secret once', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const reply = await salon.api.post('/api-keys', {
      name: 'Till',
      scopes: ['clients:write', 'clients:read', 'clients:read'],
      expiresAt,
      externalId: 'till-1',
    });
    expect(reply.status, reply.text).toBe(201);
    const { secret, ...key } = reply.json;
    expect(secret).toMatch(/^cpk_live_[\w-]{22}_[\w-]{16,}_[\w-]{43}$/);
    expect(key).toMatchObject({
      name: 'Till',
      scopes: ['clients:read', 'clients:write'],
      createdBy: salon.userId,
      isActive: true,
      expiresAt,
      revokedAt: null,
      externalId: 'till-1',
      version: 1,
    });
    expect(reply.headers.get('location')).toBe(`/api/v1/api-keys/${key.id}`);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const read = await salon.api.get(`/api-keys/${key.id}`, { headers: { 'Min-Revision': String(reply.revision) } });
    expect(read.json).toEqual(key);
    const again = await salon.api.get(`/api-keys/${key.id}`, {
      headers: { 'If-None-Match': String(read.headers.get('etag')) },
    });
    expect(again.status).toBe(304);
    expect(ids((await salon.api.get('/api-keys')).json)).toContain(key.id);
    expectProblem(
      await salon.api.post('/api-keys', { name: 'x', scopes: ['export'], externalId: 'till-1' }),
      'external_id_taken',
    );
  });

  test('renamed, with If-Match; scopes never change', async () => {
    const key = await addKey(salon.api, ['export']);
    expectProblem(
      await salon.api.patch(`/api-keys/${key.id}`, { name: 'x' }, { headers: { 'If-Match': '"7"' } }),
      'version_mismatch',
    );
    const renamed = await salon.api.patch(
      `/api-keys/${key.id}`,
      { name: 'New', externalId: 'e' },
      { headers: { 'If-Match': '"1"' } },
    );
    expect(renamed.json).toMatchObject({ name: 'New', externalId: 'e', version: 2 });
    expect(renamed.json).not.toHaveProperty('secret');
    expect((await salon.api.patch(`/api-keys/${key.id}`, { externalId: null })).json).toMatchObject({
      externalId: null,
      version: 3,
    });
    expect((await salon.api.patch(`/api-keys/${key.id}`, {})).json).toMatchObject({ version: 3 });
    const faults = expectProblem(
      await salon.api.patch(`/api-keys/${key.id}`, { name: null, scopes: ['admin'], secret: 'x' }),
      'invalid_body',
    );
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(['/name', '/scopes', '/secret']);
  });

  test('revoked: 200, again 200 without a revision, hidden unless asked for, no way back', async () => {
    const key = await addKey(salon.api, ['export']);
    const revoked = await salon.api.delete(`/api-keys/${key.id}`);
    expect(revoked.status).toBe(200);
    expect(revoked.json).toMatchObject({ id: key.id, isActive: false, version: 2 });
    const again = await salon.api.delete(`/api-keys/${key.id}`);
    expect([again.status, again.revision, again.json]).toEqual([200, revoked.revision, revoked.json]);
    expect(ids((await salon.api.get('/api-keys?limit=100')).json)).not.toContain(key.id);
    expect(ids((await salon.api.get('/api-keys?isActive=true&limit=100')).json)).not.toContain(key.id);
    expect(ids((await salon.api.get('/api-keys?isActive=false&limit=100')).json)).toContain(key.id);
    expect((await salon.api.get(`/api-keys/${key.id}`)).json).toMatchObject({ isActive: false });
    expectProblem(await salon.api.post(`/api-keys/${key.id}/restore`), 'not_found');
    const events = await salon.api.get(`/events?after=${revoked.revision - 1}&limit=1`);
    expect((events.json.data as unknown[])[0]).toMatchObject({
      type: 'api-key.revoked',
      topic: 'api-keys',
      entityId: key.id,
    });
  });

  test('faults of the body, all at once', async () => {
    const faults = expectProblem(
      await salon.api.post('/api-keys', { name: '', scopes: ['nothing'], expiresAt: '2020-01-01T00:00:00Z', extra: 1 }),
      'invalid_body',
    );
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(['/expiresAt', '/extra', '/name', '/scopes/0']);
    for (const body of [
      { name: 'x', scopes: [] },
      { name: 'x' },
      { name: 'x', scopes: 'admin' },
      { name: 'x', scopes: ['admin'], expiresAt: 'tomorrow' },
      { name: 'x', scopes: ['owner:grant'] },
    ])
      expectProblem(await salon.api.post('/api-keys', body), 'invalid_body');
    expectProblem(await salon.api.post('/api-keys'), 'empty_body');
  });

  test('an Idempotency-Key is ignored: another key each time, and no secret is kept', async () => {
    const ask = { headers: { 'Idempotency-Key': 'once' } };
    const [first, second] = [
      await salon.api.post('/api-keys', { name: 'x', scopes: ['export'] }, ask),
      await salon.api.post('/api-keys', { name: 'x', scopes: ['export'] }, ask),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.json.secret).not.toBe(second.json.secret);
    expect(second.headers.has('idempotency-replayed')).toBe(false);
  });

  test('another company’s key is not there', async () => {
    const key = await addKey(salon.api, ['export']);
    const path = `/api-keys/${key.id}`;
    const answers = [
      await other.api.get(path),
      await other.api.patch(path, { name: 'x' }),
      await other.api.delete(path),
    ];
    for (const answer of answers) expectProblem(answer, 'not_found');
    expect((await key.api.get('/company')).status).toBe(200);
  });
});

describe('what a key may', () => {
  test('roles below ADMIN and keys without admin neither see nor make keys', async () => {
    for (const role of ['READONLY', 'STAFF', 'MANAGER']) {
      const { api } = await addMember(world, salon, role);
      expectProblem(await api.get('/api-keys'), 'forbidden');
      expectProblem(await api.post('/api-keys', { name: 'x', scopes: ['clients:read'] }), 'forbidden');
    }
    const key = await addKey(salon.api, ['users:write', 'clients:write', 'export']);
    expectProblem(await key.api.get('/api-keys'), 'forbidden');
    expectProblem(await key.api.post('/api-keys', { name: 'x', scopes: ['clients:read'] }), 'forbidden');
  });

  test('at most its creator’s scopes', async () => {
    const admin = await addMember(world, salon, 'ADMIN');
    expect((await addKey(admin.api, ['admin', 'erase', 'users:write'])).secret).toMatch(/^cpk_/);
    const parent = await addKey(salon.api, ['admin', 'clients:write']);
    const child = await parent.api.post('/api-keys', { name: 'x', scopes: ['clients:read', 'clients:write', 'admin'] });
    expect([child.status, child.json.createdBy]).toEqual([201, parent.id]);
    const refused = await parent.api.post('/api-keys', { name: 'x', scopes: ['clients:read', 'payments:write'] });
    expectProblem(refused, 'forbidden');
    expect(refused.json.detail).toContain('payments:write');
    expect(refused.json.detail).not.toContain('clients:read');
  });

  test('scopes decide, and write includes read', async () => {
    const [reader, writer, none] = [
      await addKey(salon.api, ['clients:read']),
      await addKey(salon.api, ['clients:write']),
      await addKey(salon.api, ['export']),
    ];
    const row = async ({ api }: typeof reader) => [
      (await api.get('/clients')).status,
      (await api.post('/clients', { firstName: 'x' })).status,
      (await api.get('/company')).status,
      (await api.patch('/company', { name: 'x' })).status,
      (await api.get('/users')).status,
      (await api.get('/events')).status,
      (await api.get('/auth/me')).status,
    ];
    expect(await row(reader)).toEqual([200, 403, 200, 403, 403, 403, 403]);
    expect(await row(writer)).toEqual([200, 201, 200, 403, 403, 403, 403]);
    expect(await row(none)).toEqual([403, 403, 200, 403, 403, 403, 403]);
  });

  test('it acts in its own name', async () => {
    const key = await addKey(salon.api, ['clients:write']);
    const made = await key.api.post('/clients', { firstName: 'x' });
    const events = await salon.api.get(`/events?after=${made.revision - 1}`);
    expect((events.json.data as unknown[])[0]).toMatchObject({ actor: { type: 'API_KEY', id: key.id } });
  });

  test('Idempotency-Key on its writes works as for people', async () => {
    const key = await addKey(salon.api, ['clients:write']);
    const ask = { headers: { 'Idempotency-Key': 'k1' } };
    const first = await key.api.post('/clients', { firstName: 'once' }, ask);
    const second = await key.api.post('/clients', { firstName: 'once' }, ask);
    expect(second.json).toEqual(first.json);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });
});
