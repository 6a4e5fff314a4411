import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_AMOUNT } from '../../../src/core/currency.ts';
import { newUuid, parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import { anyTerms } from '../../unit/billing/invoice-terms.ts';
import { add, dayAfter, figuresOf, type Groups, type Sums, shownGroups, totalOf } from './model.ts';

// Revenue as reports sum it, held against what the list of invoices shows line by line.

const world = await sharedWorld();
const EACH = 60;
const STATUSES = ['OPEN', 'OPEN', 'OPEN', 'DRAFT', 'VOID', 'UNCOLLECTIBLE'];
const FIRST = '2026-02-10';

type Amount = { amount: number };
type Line = { staffId: string | null; serviceId: string | null; net: Amount; total: Amount; taxes: Tax[] };
type Tax = { name: string; rateBasisPoints: number; amount: Amount };
type Invoice = { branchId: string; status: string; issueDate: string; tax: Amount; total: Amount; lines: Line[] };

const uuid = (id: string): string => String(parseId(id.slice(0, id.indexOf('_')) as 'brch', id));

/** A company of a currency with random invoices: of several staff, services and taxes, with discounts, in every status. */
async function shop(currency: string, within: boolean) {
  const { api, companyId } = await openCompany(world);
  const company = uuid(companyId);
  await world.sql('update companies set currency = $2, prices_include_tax = $3 where id = $1', [
    company,
    currency,
    within,
  ]);
  const made = async (path: string, body: Json): Promise<string> => String((await api.post(path, body)).json.id);
  const branches = [
    await made('/branches', { name: 'Centre', timeZone: 'Asia/Tokyo' }),
    await made('/branches', { name: 'Shore', timeZone: 'America/Vancouver' }),
  ];
  const service = await made('/services', { name: 'Cut', durationMinutes: 30 });
  const staff = [await made('/staff', { firstName: 'Ann' }), await made('/staff', { firstName: 'Ben' })];
  const terms = fc
    .sample(anyTerms, { numRuns: 3 * EACH, seed: 5 })
    .filter(({ lines }) => lines.reduce((sum, line) => sum + line.quantity * Math.abs(line.unitPrice), 0) <= MAX_AMOUNT)
    .slice(0, EACH);
  for (const [n, { lines, discount }] of terms.entries()) {
    const row = {
      ...{ company_id: company, id: newUuid(), branch_id: uuid(branches[n % 2] as string), discount },
      issue_date: dayAfter(FIRST, (n * 7) % 50),
      lines: lines.map((line, i) => ({
        ...{ description: 'Cut', ...line },
        staffId: (n + i) % 3 === 2 ? null : uuid(staff[(n + i) % 3] as string),
        serviceId: (n + i) % 2 === 0 ? uuid(service) : null,
      })),
    };
    const status = STATUSES[n % STATUSES.length] as string;
    const values = [JSON.stringify(row)];
    // What rounding leaves below zero is refused: as good as not there.
    await world
      .sql(
        `insert into invoices (company_id, id, branch_id, issue_date, discount, lines, status)
         select company_id, id, branch_id, issue_date, discount, lines, '${status === 'DRAFT' ? 'DRAFT' : 'OPEN'}' from jsonb_populate_record(null::invoices, $1)`,
        values,
      )
      .catch((error: Error) => expect(error.message).toContain('negative_total'));
    if (['VOID', 'UNCOLLECTIBLE'].includes(status))
      await world.sql(`update invoices set status = '${status}' where id = $1 and status = 'OPEN'`, [row.id]);
  }
  const list = await api.get('/invoices?limit=100');
  return { api, branches, invoices: list.json.data as unknown as Invoice[] };
}

type Key = (invoice: Invoice) => string | null;
const OF_INVOICES: Record<string, Key> = {
  day: ({ issueDate }) => issueDate,
  month: ({ issueDate }) => issueDate.slice(0, 7),
  branch: ({ branchId }) => branchId,
};

function grouped(invoices: readonly Invoice[], by: string): Groups {
  const groups: Groups = new Map();
  for (const invoice of invoices) {
    const key = OF_INVOICES[by];
    const { tax, total } = invoice;
    if (key !== undefined) {
      add(groups, key(invoice), { net: total.amount - tax.amount, tax: tax.amount, gross: total.amount });
      continue;
    }
    for (const line of invoice.lines) {
      if (by === 'tax') addTaxes(groups, line);
      else {
        const [net, gross] = [line.net.amount, line.total.amount];
        add(groups, by === 'staff' ? line.staffId : line.serviceId, { net, tax: gross - net, gross });
      }
    }
  }
  return groups;
}

function addTaxes(groups: Groups, { net, taxes }: Line): void {
  if (taxes.length === 0) add(groups, null, { net: net.amount, tax: 0, gross: net.amount, taxable: net.amount });
  for (const [n, { name, rateBasisPoints, amount }] of taxes.entries()) {
    const own = n === 0 ? net.amount : 0;
    add(groups, `${name} ${rateBasisPoints}`, {
      net: own,
      tax: amount.amount,
      gross: own + amount.amount,
      taxable: net.amount,
    });
  }
}

const SPANS = [
  { from: '2026-02-10', to: '2026-03-31' },
  { from: '2026-03-01', to: '2026-03-12' },
  { from: '2026-03-05', to: '2026-03-06' },
];
const FIGURES = ['net', 'tax', 'gross'];

test.each([
  ['EUR', false],
  ['JPY', true],
  ['KWD', false],
] as const)('revenue in %s is what the invoices show, with taxes in the price: %s', async (currency, within) => {
  const { api, branches, invoices } = await shop(currency, within);
  expect(invoices.length).toBeGreaterThan(EACH / 2);
  for (const { from, to } of SPANS) {
    for (const branch of [null, branches[1]]) {
      const of = (first: string, end: string): Invoice[] =>
        invoices.filter(
          ({ status, issueDate, branchId }) =>
            !['DRAFT', 'VOID'].includes(status) &&
            issueDate >= first &&
            issueDate < end &&
            (branch ?? branchId) === branchId,
        );
      for (const by of ['day', 'month', 'branch', 'staff', 'service', 'tax']) {
        const query = `from=${from}&to=${to}&groupBy=${by}${branch === null ? '' : `&branchId=${branch}`}`;
        const { json } = await api.get(`/analytics/revenue?${query}&compare=previous`);
        const groups = grouped(of(from, to), by);
        const held = new Map([...groups].filter(([, sums]) => Object.values(sums).some((sum) => sum !== 0)));
        expect(shownGroups(json), query).toEqual(held);
        const total = figuresOf(json.total as Json);
        expect(total, query).toEqual(totalOf(groups, FIGURES));
        expect((json.total as Record<string, { currency: string }>).gross?.currency).toBe(currency);
        const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
        expect(figuresOf(json.previous as Json)).toEqual(
          totalOf(grouped(of(dayAfter(from, -days), from), by), FIGURES),
        );
        const sums: Sums = { net: 0, tax: 0, gross: 0 };
        for (const group of json.data as Json[])
          for (const name of FIGURES) sums[name] = (sums[name] ?? 0) + (figuresOf(group)[name] ?? 0);
        expect(sums).toEqual(total);
      }
    }
  }
});

test('what was given back stays revenue of the day it was issued', async () => {
  const { api } = await openCompany(world);
  const branchId = (await api.post('/branches', { name: 'Centre', timeZone: 'Europe/Vienna' })).json.id;
  const euros = (amount: number) => ({ amount, currency: 'EUR' });
  const lines = [{ description: 'Cut', unitPrice: euros(5000), taxes: [{ name: 'VAT', rateBasisPoints: 2000 }] }];
  const draft = await api.post('/invoices', { branchId, lines, issueDate: '2026-05-05' });
  await api.post(`/invoices/${draft.json.id}/finalize`);
  const key = { headers: { 'Idempotency-Key': 'the-payment-of-it' } };
  const paid = await api.post('/payments', { invoiceId: draft.json.id, amount: euros(6000), method: 'CARD' }, key);
  const back = await api.post(
    `/payments/${paid.json.id}/refunds`,
    { amount: euros(6000) },
    { headers: { 'Idempotency-Key': 'the-refund-of-it' } },
  );
  expect(back.status, back.text).toBe(201);
  const { json } = await api.get('/analytics/revenue?from=2026-05-05&to=2026-05-06', {
    headers: { 'Min-Revision': String(back.revision) },
  });
  expect(json.data).toEqual([
    { key: '2026-05-05', label: '2026-05-05', net: euros(5000), tax: euros(1000), gross: euros(6000) },
  ]);
});
