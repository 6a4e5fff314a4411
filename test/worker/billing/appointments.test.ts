import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatId, newUuid, parseId } from '../../../src/core/id.ts';
import type { Json, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { openWorld, type World } from '../../support/world.ts';

// What an appointment is worth: on an invoice, and in what a client's stats say.

let world: World;
let salon: Tenant;
let ids: Record<'branch' | 'staff' | 'service' | 'client', string>;
beforeAll(async () => {
  world = await openWorld();
  salon = await openCompany(world);
  const made = async (path: string, body: Json): Promise<string> => String((await salon.api.post(path, body)).json.id);
  const branch = await made('/branches', { name: 'Centre', timeZone: 'Europe/Vienna' });
  const service = await made('/services', { name: 'Cut', durationMinutes: 60 });
  const staff = await made('/staff', { firstName: 'Ann', branchIds: [branch], serviceIds: [service] });
  ids = { branch, service, staff, client: await made('/clients', { firstName: 'Zoë' }) };
});
afterAll(() => world.close());

const uuid = (prefix: 'brch' | 'stf' | 'svc' | 'clnt' | 'comp', id: string): string => parseId(prefix, id) ?? '';

/** A completed appointment of the client, as an import makes it. */
async function visit(startsAt: string, amount: number): Promise<string> {
  const id = newUuid();
  const [service, staff] = [uuid('svc', ids.service), uuid('stf', ids.staff)];
  const part = {
    ...{ serviceId: service, staffId: staff, name: 'Cut', startOffsetMinutes: 0, durationMinutes: 60 },
    ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], taxes: [] },
    price: { amount, currency: 'EUR' },
  };
  await world.sql(
    `insert into appointments (company_id, id, branch_id, client_id, services, starts_at, time_zone, status, source)
     values ($1, $2, $3, $4, $5, $6, 'Europe/Vienna', 'COMPLETED', 'IMPORT')`,
    [
      uuid('comp', salon.companyId),
      id,
      uuid('brch', ids.branch),
      uuid('clnt', ids.client),
      JSON.stringify([part]),
      startsAt,
    ],
  );
  return formatId('appt', id);
}

test('a line takes all from its appointment, and what is half said is told', async () => {
  const appointmentId = await visit('2026-03-02T09:00:00Z', 4200);
  const reply = await salon.api.post('/invoices', { branchId: ids.branch, lines: [{ appointmentId }] });
  expect(reply.status, reply.text).toBe(201);
  expect(reply.json.lines).toMatchObject([
    {
      ...{ appointmentId, serviceId: ids.service, staffId: ids.staff, kind: 'SERVICE' },
      ...{ description: 'Cut', unitPrice: { amount: 4200, currency: 'EUR' } },
    },
  ]);
  const half = await salon.api.post('/invoices', {
    branchId: ids.branch,
    lines: [{ appointmentId, quantity: 2 }, { description: 'Shampoo' }, {}],
    discount: { amount: 1, currency: 'EUR' },
  });
  expect(expectProblem(half, 'invalid_body').map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/lines/0/description', 'required'],
    ['/lines/0/unitPrice', 'required'],
    ['/lines/1/unitPrice', 'required'],
    ['/lines/2/description', 'required'],
    ['/lines/2/unitPrice', 'required'],
  ]);
  const lines = [{ appointmentId: 'appt_01h455vb4pex5vsknk084sn02q' }];
  const unknown = await salon.api.post('/invoices', { branchId: ids.branch, lines });
  expect(expectProblem(unknown, 'unknown_reference')[0]?.pointer).toBe('/lines/0/appointmentId');
});

test('a client’s stats follow visits, payments and refunds', async () => {
  const stats = async (): Promise<unknown> => (await salon.api.get(`/clients/${ids.client}?include=stats`)).json.stats;
  const of = (amount: number) => ({ spent: { amount, currency: 'EUR' } });
  await visit('2026-03-09T09:00:00Z', 4200);
  expect(await stats()).toMatchObject({ noShows: 0, lastVisitAt: '2026-03-09T09:00:00.000Z', ...of(0) });
  const invoice = await salon.api.post('/invoices', {
    ...{ branchId: ids.branch, clientId: ids.client },
    lines: [{ description: 'Cut', unitPrice: { amount: 4200, currency: 'EUR' } }],
  });
  await salon.api.post(`/invoices/${invoice.json.id}/finalize`);
  const keyed = (path: string, body: Json) =>
    salon.api.post(path, body, { headers: { 'Idempotency-Key': `key ${path}`.replaceAll(' ', '-') } });
  const payment = await keyed('/payments', {
    ...{ invoiceId: invoice.json.id, amount: { amount: 4200, currency: 'EUR' }, method: 'CASH' },
  });
  expect(await stats()).toMatchObject(of(4200));
  const refund = await keyed(`/payments/${payment.json.id}/refunds`, { amount: { amount: 200, currency: 'EUR' } });
  expect(refund.status, refund.text).toBe(201);
  expect(await stats()).toMatchObject(of(4000));
});
