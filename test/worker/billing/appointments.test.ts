import { expect, test } from 'vitest';
import { formatId, newUuid, parseId } from '../../../src/core/id.ts';
import { addKey, addUser } from '../../support/accounts.ts';
import type { Api, Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// What an appointment is worth: on an invoice, and in what a client's stats say.

const world = await sharedWorld();
const salon = await openCompany(world);
const made = maker(salon.api);
const branch = await made('/branches', { name: 'Centre', timeZone: 'Europe/Vienna' });
const service = await made('/services', { name: 'Cut', durationMinutes: 60 });
const staff = await made('/staff', { firstName: 'Ann', branchIds: [branch], serviceIds: [service] });
const ids = { branch, service, staff, client: await made('/clients', { firstName: 'Zoë' }) };

const uuid = (prefix: 'brch' | 'stf' | 'svc' | 'clnt' | 'comp', id: string): string => parseId(prefix, id) ?? '';

const euros = (amount: number): Json => ({ amount, currency: 'EUR' });

/** An appointment of the client, completed unless it is said otherwise, as an import makes it. */
async function visit(startsAt: string, amount: number, status = 'COMPLETED'): Promise<string> {
  const id = newUuid();
  const [service, staff] = [uuid('svc', ids.service), uuid('stf', ids.staff)];
  const part = {
    ...{ serviceId: service, staffId: staff, name: 'Cut', startOffsetMinutes: 0, durationMinutes: 60 },
    ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, processing: [], taxes: [] },
    price: { amount, currency: 'EUR' },
  };
  await world.sql(
    `insert into appointments (company_id, id, branch_id, client_id, services, starts_at, time_zone, status, source)
     values ($1, $2, $3, $4, $5, $6, 'Europe/Vienna', $7, 'IMPORT')`,
    [
      uuid('comp', salon.companyId),
      id,
      uuid('brch', ids.branch),
      uuid('clnt', ids.client),
      JSON.stringify([part]),
      startsAt,
      status,
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

test('an appointment is on one living invoice, and only if it took place', async () => {
  const appointmentId = await visit('2026-03-16T09:00:00Z', 4200);
  const whole = [{ appointmentId }];
  const bill = (lines: Json[]) => salon.api.post('/invoices', { branchId: ids.branch, lines });
  const first = await bill([...whole, { description: 'Extra', unitPrice: euros(100), appointmentId }]);
  expect(first.status, first.text).toBe(201);
  const again = await bill([{ description: 'Shampoo', unitPrice: euros(900) }, ...whole]);
  expect(expectProblem(again, 'already_billed', ['conflictingInvoiceId'])).toMatchObject([
    { pointer: '/lines/1/appointmentId' },
  ]);
  expect(again.json.conflictingInvoiceId).toBe(first.json.id);
  const said = { description: 'Cut', unitPrice: euros(4200), appointmentId };
  expectProblem(await bill([said]), 'already_billed', ['conflictingInvoiceId']);
  // What else it may be for.
  expect((await bill([{ ...said, kind: 'PRODUCT' }])).status).toBe(201);
  expect((await salon.api.patch(`/invoices/${first.json.id}`, { lines: whole })).status).toBe(200);
  await salon.api.post(`/invoices/${first.json.id}/finalize`);
  expectProblem(await bill(whole), 'already_billed', ['conflictingInvoiceId']);
  await salon.api.post(`/invoices/${first.json.id}/void`);
  const item = { branchId: ids.branch, lines: whole };
  const bulk = await salon.api.post('/invoices/bulk', { mode: 'partial', items: [item, item] });
  const verdicts = bulk.json.data as { status: number; problem?: Json }[];
  expect(verdicts.map(({ status, problem }) => problem?.code ?? status)).toEqual([201, 'already_billed']);

  const missed = await visit('2026-03-17T09:00:00Z', 4200, 'NO_SHOW');
  expect(expectProblem(await bill([{ appointmentId: missed }]), 'not_billable')).toMatchObject([
    { pointer: '/lines/0/appointmentId' },
  ]);
  const fee = { description: 'Not come', kind: 'FEE', unitPrice: euros(1500), appointmentId: missed };
  expect((await bill([fee])).status).toBe(201);
});

test('what a list names and nobody has is told at its place', async () => {
  const nobody = (prefix: string): string => `${prefix}_01h455vb4pex5vsknk084sn02q`;
  const line = { description: 'Cut', unitPrice: euros(1) };
  const staffed = { firstName: 'Eve', branchIds: [ids.branch], serviceIds: [ids.service] };
  const priced = { name: 'Dye', durationMinutes: 30, staff: [{ staffId: ids.staff }, { staffId: nobody('stf') }] };
  const hours = { weekday: 1, start: '09:00', end: '17:00' };
  const pointers = await Promise.all(
    (
      [
        ['/invoices', { branchId: ids.branch, lines: [line, { ...line, staffId: nobody('stf') }] }],
        ['/invoices', { branchId: ids.branch, lines: [line, { ...line, serviceId: nobody('svc') }] }],
        ['/staff', { ...staffed, branchIds: [ids.branch, nobody('brch')] }],
        ['/staff', { ...staffed, serviceIds: [ids.service, nobody('svc')] }],
        ['/staff', { ...staffed, workingHours: [hours, { ...hours, weekday: 2, branchId: nobody('brch') }] }],
        ['/services', priced],
      ] as [string, Json][]
    ).map(async ([path, body]) => expectProblem(await salon.api.post(path, body), 'unknown_reference')[0]?.pointer),
  );
  expect(pointers).toEqual([
    '/lines/1/staffId',
    '/lines/1/serviceId',
    '/branchIds/1',
    '/serviceIds/1',
    '/workingHours/1/branchId',
    '/staff/1/staffId',
  ]);
});

test('a client’s stats follow visits, payments and refunds', async () => {
  const stats = async (): Promise<unknown> => (await salon.api.get(`/clients/${ids.client}?include=stats`)).json.stats;
  const of = (amount: number) => ({ spent: { amount, currency: 'EUR' } });
  await visit('2026-04-09T09:00:00Z', 4200);
  expect(await stats()).toMatchObject({ noShows: 1, lastVisitAt: '2026-04-09T09:00:00.000Z', ...of(0) });
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

test('what a client spent is shown to whoever may read payments, from one cache', async () => {
  const staff = await addUser(world, salon, 'STAFF');
  const { api: key } = await addKey(salon.api, ['clients:read']);
  const { api: till } = await addKey(salon.api, ['clients:read', 'payments:read']);
  for (const path of [`/clients/${ids.client}?include=stats`, '/clients?include=stats', '/clients?%69nclude=%73tats']) {
    const shown = async (api: Api): Promise<[string | null, boolean]> => {
      const reply = await api.get(path);
      const [client] = (reply.json.data as Json[] | undefined) ?? [reply.json];
      return [reply.headers.get('x-cache'), JSON.stringify(client?.stats).includes('spent')];
    };
    // Again: what one of them has left in the cache is not the other's.
    for (const who of [salon.api, staff, key, till]) await shown(who);
    expect(await Promise.all([salon.api, staff, key, till].map(shown))).toEqual([
      ['HIT', true],
      ['HIT', false],
      ['HIT', false],
      ['HIT', true],
    ]);
  }
});
