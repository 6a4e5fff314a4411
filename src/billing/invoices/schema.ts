import * as z from 'zod';
import { MAX_AMOUNT } from '../../core/currency.ts';
import { lazy } from '../../core/lazy.ts';
import { type Money, money, moneyView } from '../../http/money.ts';
import { date, documentFields, exampleEnd, externalId, identityFields, text } from '../../http/schemas.ts';
import { faultsOf } from '../totals.ts';
import { INVOICE_STATUSES, LINE_KINDS, PAYMENT_STATUSES } from './table.ts';

const reference = () => z.string().nullable().optional();

/** A line as bodies give it. */
export const line = () =>
  z.strictObject({
    kind: z.enum(LINE_KINDS).optional().describe('SERVICE where it names a service, else OTHER.'),
    description: text(500),
    quantity: z.int().min(1, 'Must be at least 1.').max(1_000_000, 'Must be at most 1000000.').optional(),
    unitPrice: money(-MAX_AMOUNT).describe('Below zero for a return or a redemption.'),
    discount: money(0).nullable().optional().describe('Off the whole line.'),
    staffId: reference(),
    serviceId: reference(),
    appointmentId: reference(),
    taxes: z
      .array(
        z.strictObject({
          name: text(),
          rateBasisPoints: z.int().min(0, 'Must be at least 0.').max(10_000, 'Must be at most 10000.'),
        }),
      )
      .max(10, 'Must have at most 10 taxes.')
      .optional(),
  });
export type LineBody = z.output<ReturnType<typeof line>>;

const fields = () => ({
  branchId: z.string(),
  clientId: reference(),
  issueDate: date().nullable().optional(),
  dueDate: date().nullable().optional(),
  lines: z.array(line()).min(1, 'Must have at least one line.').max(200, 'Must have at most 200 lines.'),
  discount: money(0).nullable().optional().describe('Off the whole, before tax.'),
  externalId: externalId().nullable().optional(),
});

/** Amounts of one currency that make sense; the database says which currency, and what taxes make of them. */
export function checkAmounts(
  body: {
    lines?: Pick<LineBody, 'quantity' | 'unitPrice' | 'discount'>[] | undefined;
    discount?: Money | null | undefined;
  },
  ctx: z.RefinementCtx,
): void {
  const fault = (path: (string | number)[], code: string, message: string): void =>
    ctx.addIssue({ code: 'custom', path, message, params: { code } });
  const { lines = [], discount = null } = body;
  const all = lines.flatMap((each, i): [Money, (string | number)[]][] => [
    [each.unitPrice, ['lines', i, 'unitPrice', 'currency']],
    ...(each.discount ? [[each.discount, ['lines', i, 'discount', 'currency']] as [Money, (string | number)[]]] : []),
  ]);
  if (discount !== null) all.push([discount, ['discount', 'currency']]);
  const [first] = all;
  for (const [{ currency }, path] of all)
    if (currency !== first?.[0].currency) fault(path, 'currency_mismatch', 'An invoice is in one currency.');
  if (lines.length === 0) return;
  const terms = lines.map((each) => ({
    ...{
      quantity: each.quantity ?? 1,
      unitPrice: each.unitPrice.amount,
      discount: each.discount?.amount ?? 0,
      taxes: [],
    },
  }));
  for (const { pointer = '', code, detail } of faultsOf(terms, discount?.amount ?? 0))
    fault(
      pointer
        .split('/')
        .slice(1)
        .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part)),
      code,
      detail,
    );
}

const euros = (amount: number): Money => ({ amount, currency: 'EUR' });
const LINE = { description: 'Cut and colour', unitPrice: euros(9000), taxes: [{ name: 'VAT', rateBasisPoints: 2000 }] };

export const InvoiceCreate = lazy(() =>
  z
    .strictObject(fields())
    .superRefine(checkAmounts)
    .meta({ id: 'InvoiceCreate', examples: [{ branchId: 'brch_01h455vb4pex5vsknk084sn02q', lines: [LINE] }] }),
);

/** Of a draft alone; lines are replaced as a whole. */
export const InvoicePatch = lazy(() =>
  z
    .strictObject(fields())
    .partial()
    .superRefine(checkAmounts)
    .meta({ id: 'InvoicePatch', examples: [{ dueDate: '2026-12-24', discount: euros(500) }] }),
);

const lineView = () =>
  z.object({
    id: z.string(),
    kind: z.string().describe('SERVICE, PRODUCT, FEE, OTHER.'),
    description: z.string(),
    quantity: z.int(),
    unitPrice: moneyView('With its taxes where `taxInclusive` says so.'),
    discount: moneyView('Off the line.'),
    staffId: z.string().nullable(),
    serviceId: z.string().nullable(),
    appointmentId: z.string().nullable(),
    taxes: z.array(z.object({ name: z.string(), rateBasisPoints: z.int(), amount: z.int() })),
    net: moneyView('After all discounts, without taxes.'),
    total: moneyView('With its taxes.'),
  });

export const InvoiceView = lazy(() =>
  z
    .object({
      ...identityFields(),
      kind: z.string().describe('INVOICE; more come later.'),
      branchId: z.string().describe('Where it was issued; its zone says what today is.'),
      clientId: z.string().nullable().describe('Whom it is for.'),
      status: z.enum(INVOICE_STATUSES).describe('DRAFT until it is finalized; PAID when its balance is nothing.'),
      paymentStatus: z.enum(PAYMENT_STATUSES).describe('Follows from what was paid and refunded.'),
      series: z.string().describe('Numbers run within branch and series; IMPORTED ones keep theirs.'),
      number: z.string().nullable().describe('Given when it is finalized, without gaps.'),
      issueDate: z.string().nullable().describe('The branch’s day.'),
      dueDate: z.string().nullable().describe('The last day to pay.'),
      taxInclusive: z.boolean().describe('Whether unit prices contain their taxes.'),
      lines: z.array(lineView()),
      discount: moneyView('Off the whole.'),
      subtotal: moneyView('All lines before any discount.'),
      discountTotal: moneyView('All discounts.'),
      tax: moneyView('All taxes.'),
      total: moneyView('What is to be paid.'),
      paid: moneyView('By payments that succeeded.'),
      refunded: moneyView('Of what was paid.'),
      balance: moneyView('What is still to be paid.'),
      ...documentFields(),
    })
    .meta({
      id: 'Invoice',
      examples: [
        {
          id: 'inv_01h455vb4pex5vsknk084sn02q',
          externalId: null,
          kind: 'INVOICE',
          branchId: 'brch_01h455vb4pex5vsknk084sn02q',
          clientId: null,
          status: 'OPEN',
          paymentStatus: 'UNPAID',
          series: 'INVOICE',
          number: '17',
          issueDate: '2026-11-26',
          dueDate: null,
          taxInclusive: true,
          lines: [
            {
              id: 'lin_01h455vb4pex5vsknk084sn02q',
              kind: 'OTHER',
              description: 'Cut and colour',
              quantity: 1,
              unitPrice: euros(9000),
              discount: euros(0),
              staffId: null,
              serviceId: null,
              appointmentId: null,
              taxes: [{ name: 'VAT', rateBasisPoints: 2000, amount: 1500 }],
              net: euros(7500),
              total: euros(9000),
            },
          ],
          discount: euros(0),
          subtotal: euros(9000),
          discountTotal: euros(0),
          tax: euros(1500),
          total: euros(9000),
          paid: euros(0),
          refunded: euros(0),
          balance: euros(9000),
          ...exampleEnd,
        },
      ],
    }),
);
