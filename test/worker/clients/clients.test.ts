import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

test('what was created is read, listed, patched and archived', async () => {
  const created = await salon.api.post('/clients', { firstName: 'John', lastName: 'Müller' });
  expect(created.status, created.text).toBe(201);
  const id = String(created.json.id);
  const patched = await salon.api.patch(`/clients/${id}`, { notes: 'x' }, { headers: { 'If-Match': '"1"' } });
  expect(patched.status, patched.text).toBe(200);
  expect(patched.json.version).toBe(2);
  const archived = await salon.api.delete(`/clients/${id}`);
  expect(archived.json.status).toBe('ARCHIVED');
  const list = await salon.api.get('/clients');
  expect(list.json.data).toEqual([]);
});
