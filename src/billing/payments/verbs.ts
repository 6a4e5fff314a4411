import { sql } from 'drizzle-orm';
import { expectVersion, insertRow, newRow } from '../../resources/row-sql.ts';
import { createOf } from '../../resources/verbs.ts';
import { payment, refund } from './resource.ts';

/** Branch, client and business day follow from the invoice, and the invoice from its payments (migrations/0051_billing_rules.sql). */
export const createPayment = createOf(payment, {
  needsKey: true,
  // Clocks differ a little, and a day begins earlier in the east; what lies beyond is a slip of the hand.
  statements: ({ id, body }) => [
    sql`select app.refuse(${body.paidAt ?? null}::timestamptz > clock_timestamp() + interval '1 day', 'invalid_body',
      '{"pointer": "/paidAt", "detail": "Must not be in the future."}')`,
    insertRow(payment, { ...newRow(payment, id, body), currency: body.amount.currency }),
  ],
});

export const createRefund = createOf(refund, {
  parent: payment,
  needsKey: true,
  statements: (input) => [
    expectVersion(payment, { ...input, id: input.parentId }),
    // Words tell of a person: none are put back where an erasure took some out.
    ...(input.body.reason == null
      ? []
      : [
          sql`select app.refuse(c.erased_at is not null, 'erased', '{"pointer": "/reason", "detail": "This client was erased: nothing is kept of them in words."}')
            from payments p join clients c on c.company_id = p.company_id and c.id = p.client_id
            where p.company_id = app.company() and p.id = ${input.parentId}::uuid`,
        ]),
    insertRow(refund, {
      ...newRow(refund, input.id, input.body),
      payment_id: input.parentId,
      currency: input.body.amount.currency,
    }),
  ],
});
