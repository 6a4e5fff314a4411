import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rightSums } from '../../../local/verify/books.ts';
import type { Event } from '../../../local/verify/log.ts';
import { MAX_AMOUNT } from '../../../src/core/currency.ts';
import { parseId } from '../../../src/core/id.ts';
import type { Api, Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { anyTerms } from '../../unit/billing/invoice-terms.ts';

// Laws of money as anybody outside can hold us to them: over HTTP, added up again from the company's log.

const world = await sharedWorld();

async function shop(currency: string, pricesIncludeTax = false): Promise<{ api: Api; branchId: unknown }> {
  const { api, companyId } = await openCompany(world);
  await world.sql('update companies set currency = $2, prices_include_tax = $3 where id = $1', [
    ...[parseId('comp', companyId), currency, pricesIncludeTax],
  ]);
  return { api, branchId: (await api.post('/branches', { name: 'Centre', timeZone: 'Asia/Tokyo' })).json.id };
}

/** Random invoices of a company, none of them beyond what an invoice may come to. */
const EACH = 40;
const bodies = (branchId: unknown, currency: string): Json[] =>
  fc
    .sample(anyTerms, 2 * EACH)
    .filter(
      ({ lines }) =>
        lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * Math.abs(unitPrice), 0) <= MAX_AMOUNT,
    )
    .slice(0, EACH)
    .map(({ lines, discount }) => {
      const money = (amount: number): Json => ({ amount, currency });
      return {
        branchId,
        discount: money(discount),
        lines: lines.map((line) => ({
          ...{ description: 'Cut', quantity: line.quantity, unitPrice: money(line.unitPrice), taxes: line.taxes },
          discount: money(line.discount ?? 0),
        })),
      };
    });

test.each(['EUR', 'JPY', 'KWD'].flatMap((currency) => [[currency, false] as const, [currency, true] as const]))(
  'totals in %s are the sum of rounded lines, with taxes in the price: %s',
  async (currency, within) => {
    const { api, branchId } = await shop(currency, within);
    const reply = await api.post('/invoices/bulk', { mode: 'partial', items: bodies(branchId, currency) });
    const verdicts = reply.json.data as { status: number; problem?: Json }[];
    // Taxes that are rounded by themselves may leave less than nothing of next to nothing.
    expect(verdicts.filter(({ status, problem }) => status !== 201 && problem?.code !== 'negative_total')).toEqual([]);
    const stored = verdicts.filter(({ status }) => status === 201).length;
    expect(stored).toBeGreaterThan(EACH / 2);
    const events = (await api.get('/events?limit=500')).json.data as unknown as Event[];
    const { looked, breaches } = rightSums(events);
    expect([looked, breaches]).toEqual([`${stored} invoices`, []]);
    const invoices = events.filter(({ type }) => type === 'invoice.created').map(({ data }) => data as Json);
    for (const invoice of invoices)
      expect(invoice).toMatchObject({ taxInclusive: within, total: { currency }, balance: invoice.total });
  },
);

test('of thirty payments of 60.00 on 100.00 at once one is taken, and the others are told why', async () => {
  const { api, branchId } = await shop('EUR');
  const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
  const draft = await api.post('/invoices', { branchId, lines: [{ description: 'Cut', unitPrice: euros(10_000) }] });
  await api.post(`/invoices/${draft.json.id}/finalize`);
  const replies = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      api.post(
        '/payments',
        { invoiceId: draft.json.id, amount: euros(6000), method: 'CARD' },
        { headers: { 'Idempotency-Key': `payment-${n}` } },
      ),
    ),
  );
  const refused = replies.filter(({ status }) => status !== 201);
  expect(refused.length).toBe(29);
  for (const reply of refused) expectProblem(reply, 'exceeds_balance');
  const { json } = await api.get(`/invoices/${draft.json.id}`, { headers: { 'Cache-Control': 'no-cache' } });
  expect(json).toMatchObject({ paid: euros(6000), balance: euros(4000), paymentStatus: 'PARTIALLY_PAID' });
});
