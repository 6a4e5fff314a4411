import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

// Row-level security would hide a query that forgot its company. Here the Worker connects as a role that bypasses it,
// so the first wall (every query names company_id) stands alone.

const world = await sharedWorld();
await world.sql(`do $$ begin
  if not exists (select from pg_roles where rolname = 'cp_app_no_rls') then create role cp_app_no_rls login bypassrls inherit password 'x'; end if;
end $$`);
await world.sql(`grant cp_app to cp_app_no_rls`);
await world.sql(`alter role cp_app_no_rls set timezone = 'UTC'`);
const url = new URL(String(world.vars.DATABASE_URL));
url.username = 'cp_app_no_rls';
url.password = 'x';
const worker = await world.another({ DATABASE_URL: url.href });
const api = world.api.at(worker.url);
const a = await openCompany({ ...world, api }, 'A');
const b = await openCompany({ ...world, api }, 'B');

test('the bypassing role really sees everything', async () => {
  const rows = await world.sql(`select rolbypassrls from pg_roles where rolname = 'cp_app_no_rls'`);
  expect(rows).toEqual([{ rolbypassrls: true }]);
});

test('without row-level security one company still neither sees nor changes the other', async () => {
  const own = await a.api.post('/clients', { firstName: 'Anna', email: 'same@example.com' });
  const foreign = await b.api.post('/clients', { firstName: 'Berta', email: 'same@example.com' });
  expect([own.status, foreign.status]).toEqual([201, 201]);
  expect(foreign.json.duplicates).toEqual([]);
  const list = await a.api.get('/clients?status=ACTIVE,INACTIVE,ARCHIVED&count=exact');
  expect((list.json.data as { id: string }[]).map((client) => client.id)).toEqual([own.json.id]);
  expect(list.json.pagination).toMatchObject({ total: 1 });
  const id = String(foreign.json.id);
  expect((await a.api.get(`/clients/${id}`)).status).toBe(404);
  expect((await a.api.patch(`/clients/${id}`, { notes: 'x' })).status).toBe(404);
  expect((await a.api.patch(`/clients/${id}`, { status: 5 })).status).toBe(404);
  expect((await a.api.delete(`/clients/${id}`)).status).toBe(404);
  expect((await a.api.post(`/clients/${id}/restore`)).status).toBe(404);
  expect((await b.api.get(`/clients/${id}`)).json).toMatchObject({ version: 1, notes: null, status: 'ACTIVE' });
  expect((await a.api.get('/company')).json.id).toBe(a.companyId);
  expect((await a.api.patch('/company', { name: 'A2' })).status).toBe(200);
  expect((await b.api.get('/company')).json.name).toBe('B');
  const events = await a.api.get('/events');
  expect((events.json.data as { entityId: string }[]).some((event) => event.entityId === id)).toBe(false);
  expect((await a.api.get('/auth/me')).json).toMatchObject({ company: { id: a.companyId } });
});
