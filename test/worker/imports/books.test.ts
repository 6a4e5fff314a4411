import { expect, test } from 'vitest';
import type { Json, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, faults, headOf, imported } from '../../support/imports.ts';
import { maker } from '../../support/made.ts';
import { sharedWorld } from '../../support/shared.ts';

// The books of an owner who moves into another company: invoices with what was paid on them and what of it went back.

const world = await sharedWorld();
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const NDJSON = 'application/x-ndjson';

async function open(name: string): Promise<Tenant> {
  const salon = await openCompany(world, name);
  const made = maker(salon.api);
  const branchId = await made('/branches', { externalId: 'main', name: 'Main', timeZone: 'Europe/Vienna' });
  await made('/clients', { externalId: 'anna', firstName: 'Anna' });
  const staffId = await made('/staff', { externalId: 'eve', firstName: 'Eve', branchIds: [branchId] });
  await made('/services', { externalId: 'cut', name: 'Cut', durationMinutes: 30, staff: [{ staffId }] });
  const visit = { externalId: 'visit', branchExternalId: 'main', staffExternalId: 'eve', serviceExternalIds: ['cut'] };
  const file = JSON.stringify({ ...visit, localStart: '2026-03-02T09:00', status: 'COMPLETED' });
  expect(counts(await imported(salon.api, file, { resource: 'appointments', type: NDJSON })).created).toBe(1);
  return salon;
}

/** What happens to an invoice of 100.00, in this order. */
type Event =
  | 'finalize'
  | 'delete'
  | 'void'
  | 'uncollectible'
  | { pay: number; paidAt?: string }
  | { back: number; of: number };
const histories: Record<string, Event[]> = {
  draft: [],
  'voided-draft': ['delete'],
  anew: ['finalize', { pay: 6000 }, { back: 6000, of: 0 }, { pay: 10000 }],
  'anew-dated-before': [
    'finalize',
    { pay: 6000 },
    { back: 6000, of: 0 },
    { pay: 10000, paidAt: '2026-03-02T09:00:00Z' },
  ],
  'all-back': ['finalize', { pay: 10000 }, { back: 10000, of: 0 }],
  'some-back': ['finalize', { pay: 4000 }, { pay: 6000 }, { back: 1000, of: 1 }, { back: 1000, of: 1 }],
  between: ['finalize', { pay: 5000 }, { back: 2000, of: 0 }],
  lost: ['finalize', { pay: 5000 }, 'uncollectible'],
  'visit-void': ['finalize', 'void'],
  'visit-paid': ['finalize', { pay: 10000 }],
  'void-after': ['finalize', { pay: 3000 }, { back: 3000, of: 0 }, 'void'],
};

async function keepBooks({ api }: Tenant): Promise<void> {
  const id = async (path: string): Promise<unknown> => ((await api.get(path)).json.data as Json[])[0]?.id;
  const [branchId, clientId, appointmentId] = await Promise.all(
    ['/branches?externalId=main', '/clients', '/appointments?status=COMPLETED'].map(id),
  );
  let n = 0;
  const post = async (path: string, body: Json = {}): Promise<Json> => {
    n += 1;
    const reply = await api.post(path, body, { headers: { 'Idempotency-Key': `books-${n}` } });
    expect([200, 201], reply.text).toContain(reply.status);
    return reply.json;
  };
  for (const [externalId, events] of Object.entries(histories)) {
    const line = {
      ...{ description: 'Cut', unitPrice: euros(10000), kind: externalId.startsWith('visit') ? 'SERVICE' : 'FEE' },
      ...(externalId.startsWith('visit') && { appointmentId }),
    };
    const invoice = await post('/invoices', { externalId, branchId, clientId, lines: [line] });
    const payments: Json[] = [];
    for (const event of events) {
      if (event === 'delete') expect((await api.delete(`/invoices/${invoice.id}`)).status).toBe(200);
      else if (typeof event === 'string') await post(`/invoices/${invoice.id}/${event}`);
      else if ('back' in event)
        await post(`/payments/${payments[event.of]?.id}/refunds`, { amount: euros(event.back), reason: 'Not so good' });
      else {
        const { pay, ...when } = event;
        payments.push(await post('/payments', { invoiceId: invoice.id, amount: euros(pay), method: 'CARD', ...when }));
      }
    }
  }
}

async function exported({ api }: Tenant): Promise<Json[]> {
  const reply = await api.get('/invoices/export', { headers: { 'Min-Revision': String(await headOf(api)) } });
  expect(reply.status, reply.text.slice(0, 300)).toBe(200);
  const lines = reply.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
  return lines
    .filter((line) => line._end !== true)
    .sort((a, b) => String(a.externalId).localeCompare(String(b.externalId)));
}

/** What of an invoice is the same in every company. */
const lasting = (lines: readonly Json[]): unknown[] =>
  lines.map(
    ({ externalId, status, paymentStatus, number, issueDate, total, paid, refunded, balance, payments = [] }) => ({
      ...{ externalId, status, paymentStatus, number, issueDate, total, paid, refunded, balance, payments },
    }),
  );

test('books go into another company whole, whatever order they come in, and back in they change nothing', async () => {
  const from = await open('From');
  const to = await open('To');
  const turned = await open('Turned');
  await keepBooks(from);
  const lines = await exported(from);
  const states = Object.fromEntries(lines.map((line) => [line.externalId, `${line.status} ${line.paymentStatus}`]));
  expect(states).toEqual({
    ...{ draft: 'DRAFT UNPAID', 'voided-draft': 'VOID UNPAID', anew: 'PAID PAID', 'anew-dated-before': 'PAID PAID' },
    ...{ 'all-back': 'PAID REFUNDED', 'some-back': 'PAID PARTIALLY_REFUNDED', between: 'OPEN PARTIALLY_REFUNDED' },
    ...{ lost: 'UNCOLLECTIBLE PARTIALLY_PAID', 'visit-void': 'VOID UNPAID', 'visit-paid': 'PAID PAID' },
    'void-after': 'VOID REFUNDED',
  });
  const files: [Tenant, Json[], keyof typeof total][] = [];
  const total = { created: 0, unchanged: 0 };
  files.push(
    [from, lines, 'unchanged'],
    [to, lines, 'created'],
    [turned, lines.toReversed(), 'created'],
    [to, lines, 'unchanged'],
  );
  for (const [salon, rows, what] of files) {
    const file = rows.map((line) => JSON.stringify(line)).join('\n');
    const job = await imported(salon.api, file, { resource: 'invoices', type: NDJSON });
    expect([faults(job), counts(job)]).toMatchObject([{}, { ...total, [what]: lines.length }]);
  }
  for (const salon of [to, turned]) expect(lasting(await exported(salon))).toEqual(lasting(lines));
  const csv = (await from.api.get('/invoices/export?format=csv')).text;
  const again = await imported(to.api, csv, { resource: 'invoices' });
  expect([faults(again), counts(again)]).toMatchObject([{}, { unchanged: lines.length }]);
  // One gives back more later.
  const some = lines.find(({ externalId }) => externalId === 'some-back') as Json & {
    payments: (Json & { refunds: Json[] })[];
  };
  const more = {
    ...some,
    payments: some.payments.map((each, i) => (i > 0 ? each : { ...each, refunds: [{ amount: euros(500) }] })),
  };
  expect(counts(await imported(to.api, JSON.stringify(more), { resource: 'invoices', type: NDJSON })).updated).toBe(1);
  expect((await exported(to)).find(({ externalId }) => externalId === 'some-back')?.refunded).toEqual(euros(2500));
});

test('columns of CSV, and what is wrong with refunds', async () => {
  const { api } = await open('Columns');
  const line = { description: 'Cut', unitPrice: euros(10000) };
  const row = { branchExternalId: 'main', issueDate: '2026-03-02', status: 'PAID', lines: [line] };
  const paid = (...refunds: Json[]): Json => ({ payments: [{ amount: euros(10000), method: 'CASH', refunds }] });
  const wrong = [
    { ...row, externalId: 'a', ...paid({ amount: euros(10001) }) },
    { ...row, externalId: 'b', ...paid({ amount: { amount: 1, currency: 'USD' } }) },
    { ...row, externalId: 'c', ...paid({ amount: euros(1), externalId: 'x' }, { amount: euros(1), externalId: 'x' }) },
    { ...row, externalId: 'd', payments: [...(paid().payments as Json[]), ...(paid().payments as Json[])] },
    { ...row, externalId: 'e', status: 'VOID', issueDate: null, ...paid() },
  ];
  const job = await imported(api, wrong.map((each) => JSON.stringify(each)).join('\n'), {
    resource: 'invoices',
    type: NDJSON,
  });
  expect(faults(job)).toEqual({
    1: ['/payments/0/refunds exceeds_paid'],
    2: ['/payments/0/refunds/0/amount/currency currency_mismatch'],
    3: ['/payments/0/refunds/1/externalId duplicate_value'],
    4: ['/payments exceeds_balance'],
    5: ['/issueDate required'],
  });
  const columns = [
    'externalId',
    'branchExternalId',
    'issueDate',
    'status',
    'lines.1.description',
    'lines.1.unitPrice.amount',
  ];
  const money = ['payments.1.amount.amount', 'payments.1.amount.currency', 'payments.1.method'];
  const back = [
    'payments.1.refunds.1.amount.amount',
    'payments.1.refunds.1.amount.currency',
    'payments.1.refunds.1.refundedAt',
  ];
  const csv = [
    [...columns, 'lines.1.unitPrice.currency', ...money, ...back].join(),
    'f,main,2026-03-02,PAID,Cut,10000,EUR,10000,EUR,CASH,2500,EUR,2026-03-05T10:00:00Z',
  ].join('\r\n');
  expect(counts(await imported(api, csv, { resource: 'invoices' }))).toMatchObject({ created: 1, failed: 0 });
  expect((await api.get('/invoices?status=PAID')).json.data).toMatchObject([
    { paymentStatus: 'PARTIALLY_REFUNDED', refunded: euros(2500) },
  ]);
});
