import { expectVersion, insertRow, newRow } from '../../resources/row-sql.ts';
import { createOf } from '../../resources/verbs.ts';
import { payment, refund } from './resource.ts';

/** Branch, client and business day follow from the invoice, and the invoice from its payments (migrations/0051_billing_rules.sql). */
export const createPayment = createOf(payment, {
  needsKey: true,
  statements: ({ id, body }) => [insertRow(payment, { ...newRow(payment, id, body), currency: body.amount.currency })],
});

export const createRefund = createOf(refund, {
  parent: payment,
  needsKey: true,
  statements: (input) => [
    expectVersion(payment, { ...input, id: input.parentId }),
    insertRow(refund, {
      ...newRow(refund, input.id, input.body),
      payment_id: input.parentId,
      currency: input.body.amount.currency,
    }),
  ],
});
