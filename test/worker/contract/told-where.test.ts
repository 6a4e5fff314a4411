import { expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { free, openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// What only the database finds wrong has its place in the body, too; and conditions that say nothing hold for nobody.

const world = await sharedWorld();
const { api } = await openCompany(world);
const made = maker(api);
const places = (reply: Reply): unknown[] => (reply.json.errors as Json[]).map(({ pointer }) => pointer);

test('of a visit that is too long', async () => {
  const { branchId, staffId } = await openSalon(api);
  const serviceId = await made('/services', { name: 'Day', durationMinutes: 1440, staff: [{ staffId }] });
  const startsAt = free();
  const visit = (days: number): Json => ({ branchId, staffId, startsAt, services: Array(days).fill({ serviceId }) });
  for (const path of ['/appointments', '/holds']) {
    const reply = await api.post(path, visit(3));
    expectProblem(reply, 'invalid_body');
    expect(places(reply)).toEqual(['/services']);
  }
  const bulk = await api.post('/appointments/bulk', { mode: 'atomic', items: [visit(3)] });
  expect(places(bulk)).toEqual(['/items/0/services']);
  expect((await api.post('/appointments', visit(2))).status).toBe(201);
});

test('of somebody who would have no name left', async () => {
  const client = await made('/clients', { firstName: 'Only' });
  expect(places(await api.patch(`/clients/${client}`, { firstName: null }))).toContain('/firstName');
  const staff = await made('/staff', { firstName: 'Only' });
  expect(places(await api.patch(`/staff/${staff}`, { firstName: null }))).toEqual(['/firstName', '/lastName']);
});

// An empty one the runtime takes away before any Worker sees it.
test.each(['"', '""', '1', 'W/"1"', '"1", "2"'])('If-Match: %s is no version that is there', async (value) => {
  const id = await made('/clients', { firstName: 'Ann' });
  const reply = await api.patch(`/clients/${id}`, { notes: 'n' }, { headers: { 'If-Match': value } });
  expectProblem(reply, 'version_mismatch');
});

test('of every reference that leads nowhere, at once; what is there is not named', async () => {
  const { branchId, serviceId } = await openSalon(api);
  const gone = '01h455vb4pex5vsknk084sn02q';
  const nobody = { branchId: `brch_${gone}`, staffId: `stf_${gone}`, clientId: `clnt_${gone}` };
  const services = [{ serviceId: `svc_${gone}` }, { serviceId }];
  const line = { description: 'Cut', quantity: 1, unitPrice: { amount: 100, currency: 'EUR' } };
  const refused = async (path: string, body: Json): Promise<unknown[]> => {
    const reply = await api.post(path, body);
    for (const { code } of expectProblem(reply, 'unknown_reference')) expect(code).toBe('unknown_reference');
    return places(reply).sort();
  };
  const visit = { ...nobody, services, startsAt: free(), notes: 'x' };
  const whose = ['/clientId', '/services/0/serviceId', '/staffId'];
  expect(await refused('/appointments', visit)).toEqual(['/branchId', ...whose]);
  expect(await refused('/appointments', { ...visit, branchId })).toEqual(whose);
  const member = { firstName: 'Jay', userId: `usr_${gone}`, branchIds: [branchId, nobody.branchId], serviceIds: ['x'] };
  expect(await refused('/staff', member)).toEqual(['/branchIds/1', '/serviceIds/0', '/userId']);
  const lines = [line, { ...line, staffId: nobody.staffId, serviceId }];
  const invoice = { branchId: nobody.branchId, clientId: nobody.clientId, lines };
  expect(await refused('/invoices', invoice)).toEqual(['/branchId', '/clientId', '/lines/1/staffId']);
});

test('of a path as it was sent', async () => {
  const reply = await api.get('/clients/%F0%9F%8E%89%20');
  expectProblem(reply, 'not_found');
  expect(reply.json.instance).toBe('/api/v1/clients/%F0%9F%8E%89%20');
});
