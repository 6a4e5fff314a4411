import * as z from 'zod';
import type { Money } from '../../core/currency.ts';
import { lazy } from '../../core/lazy.ts';
import { money, moneyView } from '../../http/money.ts';
import { date, documentFields, exampleEnd, externalId, identityFields } from '../../http/schemas.ts';
import { billedLine, checkAmounts } from './line-body.ts';
import { INVOICE_STATUSES, PAYMENT_STATUSES } from './table.ts';

const reference = () => z.string().nullable().optional();

const fields = () => ({
  branchId: z.string(),
  clientId: reference(),
  issueDate: date().nullable().optional(),
  dueDate: date().nullable().optional(),
  lines: z.array(billedLine()).min(1, 'Must have at least one line.').max(200, 'Must have at most 200 lines.'),
  discount: money(0).nullable().optional().describe('Off the whole, before tax.'),
  externalId: externalId().nullable().optional(),
});

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
    taxes: z.array(z.object({ name: z.string(), rateBasisPoints: z.int(), amount: moneyView('Of this line.') })),
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
      balance: moneyView(
        'What is still to be paid: total − paid + refunded; of a PAID or VOID one nothing, whatever was given back.',
      ),
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
              taxes: [{ name: 'VAT', rateBasisPoints: 2000, amount: euros(1500) }],
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
