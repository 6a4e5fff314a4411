import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { money, moneyView } from '../../http/money.ts';
import {
  documentFields,
  exampleEnd,
  externalId,
  givenInstant,
  identityFields,
  instant,
  notes,
  text,
} from '../../http/schemas.ts';
import { MONEY_STATUSES, PAYMENT_METHODS } from './table.ts';

const euros = (amount: number) => ({ amount, currency: 'EUR' });

export const PaymentCreate = lazy(() =>
  z
    .strictObject({
      invoiceId: z.string().describe('An open one.'),
      amount: money(1).describe('At most the balance.'),
      method: z.enum(PAYMENT_METHODS),
      reference: text().nullable().optional().describe('What a terminal, bank or provider calls it.'),
      paidAt: givenInstant().nullable().optional().describe('Now, when absent.'),
      externalId: externalId().nullable().optional(),
    })
    .meta({
      id: 'PaymentCreate',
      examples: [{ invoiceId: 'inv_01h455vb4pex5vsknk084sn02q', amount: euros(9000), method: 'CARD' }],
    }),
);

export const PaymentView = lazy(() =>
  z
    .object({
      ...identityFields(),
      invoiceId: z.string().nullable().describe('What it is for; deposits come before there is one.'),
      clientId: z.string().nullable().describe('Whose invoice it is.'),
      branchId: z.string().describe('Where it was taken.'),
      businessDate: z.string().describe('The branch’s day.'),
      amount: moneyView('What was paid.'),
      refunded: moneyView('What of it went back.'),
      method: z.string().describe('CASH, CARD, TRANSFER, OTHER; more come later.'),
      reference: z.string().nullable().describe('What a terminal, bank or provider calls it.'),
      status: z.string().describe(`${MONEY_STATUSES.join(', ')}; more come later. It counts once it is SUCCEEDED.`),
      paidAt: instant('When it was paid.'),
      ...documentFields(),
    })
    .meta({
      id: 'Payment',
      examples: [
        {
          id: 'pay_01h455vb4pex5vsknk084sn02q',
          externalId: null,
          invoiceId: 'inv_01h455vb4pex5vsknk084sn02q',
          clientId: null,
          branchId: 'brch_01h455vb4pex5vsknk084sn02q',
          businessDate: '2026-11-26',
          amount: euros(9000),
          refunded: euros(0),
          method: 'CARD',
          reference: null,
          status: 'SUCCEEDED',
          paidAt: '2026-11-26T15:04:05.000Z',
          ...exampleEnd,
        },
      ],
    }),
);

export const RefundCreate = lazy(() =>
  z
    .strictObject({
      amount: money(1).describe('At most what is left of the payment.'),
      reason: notes().nullable().optional(),
      externalId: externalId().nullable().optional(),
    })
    .meta({ id: 'RefundCreate', examples: [{ amount: euros(500), reason: 'The colour did not hold' }] }),
);

export const RefundView = lazy(() =>
  z
    .object({
      ...identityFields(),
      paymentId: z.string().describe('What it gives back.'),
      branchId: z.string().describe('Where it was given back.'),
      businessDate: z.string().describe('The branch’s day.'),
      amount: moneyView('What went back.'),
      reason: z.string().nullable().describe('Why.'),
      status: z.string().describe(`${MONEY_STATUSES.join(', ')}; more come later.`),
      refundedAt: instant('When it went back.'),
      ...documentFields(),
    })
    .meta({
      id: 'Refund',
      examples: [
        {
          id: 'rfnd_01h455vb4pex5vsknk084sn02q',
          externalId: null,
          paymentId: 'pay_01h455vb4pex5vsknk084sn02q',
          branchId: 'brch_01h455vb4pex5vsknk084sn02q',
          businessDate: '2026-11-26',
          amount: euros(500),
          reason: null,
          status: 'SUCCEEDED',
          refundedAt: '2026-11-26T15:10:00.000Z',
          ...exampleEnd,
        },
      ],
    }),
);
