import { expect, test } from 'vitest';
import { gaplessNumbers, rightBalances, rightSums } from '../../../local/verify/books.ts';
import type { Event } from '../../../local/verify/log.ts';
import { breaches, logOf } from './verify-log.ts';

// The laws of `npm run verify` about money.

const euros = (amount: number) => ({ amount, currency: 'EUR' });
const line = {
  quantity: 2,
  unitPrice: euros(1000),
  discount: euros(100),
  taxes: [{ rateBasisPoints: 500, amount: euros(95) }],
  net: euros(1900),
  total: euros(1995),
};
const invoice = (more: object = {}) => ({
  ...{ branchId: 'brch_1', series: 'INVOICE', number: '1', status: 'OPEN', taxInclusive: false, lines: [line] },
  ...{ discount: euros(0), subtotal: euros(2000), discountTotal: euros(100), tax: euros(95), total: euros(1995) },
  ...{ paid: euros(1000), refunded: euros(200), balance: euros(1195), ...more },
});
const payment = { invoiceId: 'inv_1', amount: euros(1000), refunded: euros(200), status: 'SUCCEEDED' };
const refund = { paymentId: 'pay_1', amount: euros(200), status: 'SUCCEEDED' };

const books = (of: object, ...more: [string, string, object][]) =>
  logOf(
    ['inv_1', 'invoice.finalized', of],
    ['pay_1', 'payment.created', payment],
    ['rfnd_1', 'refund.created', refund],
    ...more,
  );
test.each<[string, Event[], [number, number, number]]>([
  ['right', books(invoice()), [0, 0, 0]],
  [
    'of another tax',
    books(invoice({ lines: [{ ...line, taxes: [{ rateBasisPoints: 500, amount: euros(96) }], total: euros(1996) }] })),
    [1, 0, 0],
  ],
  ['of another total', books(invoice({ total: euros(1994), balance: euros(1194) })), [1, 0, 0]],
  [
    'with taxes within',
    books(
      invoice({
        taxInclusive: true,
        lines: [
          { ...line, taxes: [{ rateBasisPoints: 1900, amount: euros(303) }], net: euros(1597), total: euros(1900) },
        ],
        tax: euros(303),
        total: euros(1900),
        balance: euros(1100),
      }),
    ),
    [0, 0, 0],
  ],
  ['of a payment that is nowhere', books(invoice({ paid: euros(1100), balance: euros(1095) })), [0, 1, 0]],
  [
    'paid before something went back',
    books(invoice({ total: euros(1000), status: 'PAID', balance: euros(0) })),
    [1, 0, 0],
  ],
  ['due again for what went back', books(invoice({ status: 'PAID' })), [0, 1, 0]],
  ['with a gap before its number', books(invoice({ number: '2' })), [0, 0, 1]],
  [
    'twice of one number',
    books(invoice(), [
      'inv_2',
      'invoice.finalized',
      invoice({ paid: euros(0), refunded: euros(0), balance: euros(1995) }),
    ]),
    [0, 0, 1],
  ],
  ['of another system', books(invoice({ number: 'R-77', series: 'IMPORTED' })), [0, 0, 0]],
])('an invoice %s', (_, events, [sums, balances, numbers]) => {
  expect([
    breaches(rightSums(events)),
    breaches(rightBalances(events)) > 0 ? 1 : 0,
    breaches(gaplessNumbers(events)),
  ]).toEqual([sums, balances, numbers]);
});
