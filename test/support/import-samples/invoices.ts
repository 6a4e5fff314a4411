import type { Json } from '../api.ts';
import { csv, dollars, euros, nobody, type Sample } from './sample.ts';

export const invoiceSamples: Sample[] = [
  {
    resource: 'invoices',
    csv: csv(
      [
        ...[
          'externalId',
          'number',
          'branchExternalId',
          'clientExternalId',
          'issueDate',
          'status',
          'total.amount',
          'total.currency',
        ],
        ...['lines.1.description', 'lines.1.unitPrice.amount', 'lines.1.unitPrice.currency', 'lines.1.staffExternalId'],
        ...[
          'lines.1.taxes.1.name',
          'lines.1.taxes.1.rateBasisPoints',
          'lines.1.taxes.1.amount',
          'lines.1.taxes.2.name',
          'lines.1.taxes.2.rateBasisPoints',
          'lines.1.taxes.2.amount.amount',
          'lines.1.taxes.2.amount.currency',
        ],
        ...['lines.2.description', 'lines.2.unitPrice.amount', 'lines.2.unitPrice.currency'],
        ...['payments.1.amount.amount', 'payments.1.amount.currency', 'payments.1.method', 'payments.1.externalId'],
      ],
      [
        ...['r10', '10', 'main', 'anna', '2018-03-15', 'PAID', '9266', 'EUR'],
        ...['Cut', '8200', 'EUR', 'jj', 'GST', '500', '410', 'PST', '800', '656', 'EUR'],
        ...['', '', '', '9266', 'EUR', 'CARD', 'p10'],
      ],
      [
        ...['r11', '11', 'main', '', '2018-03-15', 'OPEN', '', ''],
        ...['Comb', '300', 'EUR', ...Array(8).fill(''), 'Brush', '500', 'EUR', '200', 'EUR', 'CASH', ''],
      ],
      ['r12', '12', 'main', '', '2018-03-16', 'VOID', '', '', 'Nothing', '1', 'EUR', ...Array(15).fill('')],
    ),
    lines: [
      {
        ...{
          externalId: 'r10',
          number: '10',
          branchExternalId: 'main',
          clientExternalId: 'anna',
          issueDate: '2018-03-15',
        },
        ...{ status: 'PAID', tax: euros(1066) },
        lines: [
          {
            ...{ description: 'Cut', unitPrice: euros(8200), staffExternalId: 'jj', total: euros(9266) },
            taxes: [
              { name: 'GST', rateBasisPoints: 500, amount: euros(410) },
              { name: 'PST', rateBasisPoints: 800, amount: 656 },
            ],
          },
        ],
        payments: [{ amount: euros(9266), method: 'CARD', externalId: 'p10' }],
      },
      {
        ...{ externalId: 'r11', number: '11', branchExternalId: 'main', issueDate: '2018-03-15', status: 'OPEN' },
        lines: [
          { description: 'Comb', unitPrice: euros(300) },
          { description: 'Brush', unitPrice: euros(500) },
        ],
        payments: [{ amount: euros(200), method: 'CASH', paidAt: '2018-03-15T11:00:00Z' }],
      },
      {
        ...{ externalId: 'r12', number: '12', branchExternalId: 'main', issueDate: '2018-03-16', status: 'VOID' },
        lines: [{ description: 'Nothing', unitPrice: euros(1) }],
      },
    ],
    faulty: [
      [
        {
          externalId: 'x1',
          branchExternalId: 'nowhere',
          issueDate: '2018-03-15',
          lines: [{ description: 'X', unitPrice: euros(1), staffExternalId: 'nobody' }],
        },
        [`/branchExternalId ${nobody}`, `/lines/0/staffExternalId ${nobody}`],
      ],
      [
        {
          ...{ externalId: 'x2', issueDate: '2018-03-15', status: 'PAID', total: euros(99) },
          lines: [
            { description: 'X', unitPrice: euros(100), taxes: [{ name: 'T', rateBasisPoints: 1000, amount: 9 }] },
          ],
          payments: [{ amount: { amount: 9, currency: 'USD' }, method: 'CASH' }],
        },
        [
          '/branchExternalId required',
          '/lines/0/taxes/0/amount totals_differ',
          '/payments not_paid',
          '/payments/0/amount/currency currency_mismatch',
          '/total/amount totals_differ',
        ],
      ],
      [
        {
          ...{ externalId: 'x3', branchExternalId: 'main', status: 'DRAFT', number: '7' },
          lines: [{ description: 'X', unitPrice: euros(100) }],
          payments: [{ amount: euros(101), method: 'CASH' }],
        },
        ['/status conflict'],
      ],
      [
        {
          externalId: 'x4',
          branchExternalId: 'main',
          number: '10',
          issueDate: '2018-03-15',
          lines: [{ description: 'X', unitPrice: euros(1) }],
        },
        ['/number duplicate'],
      ],
      [
        {
          externalId: 'r11',
          branchExternalId: 'main',
          number: '11',
          issueDate: '2018-03-15',
          lines: [{ description: 'X', unitPrice: euros(1) }],
        },
        [' invoice_not_draft'],
      ],
      [
        {
          ...{ externalId: 'x5', branchExternalId: 'main', issueDate: '2018-03-15' },
          lines: [{ description: 'X', unitPrice: euros(100) }],
          payments: [{ amount: euros(101), method: 'CASH' }],
        },
        ['/payments exceeds_balance'],
      ],
      ...['garbage', 'clnt_01h455vb4pex5vsknk084sn02q'].map((clientId, i): [Json, string[]] => [
        {
          ...{ externalId: `x7${i}`, branchExternalId: 'main', clientId, issueDate: '2018-03-15' },
          lines: [{ description: 'X', unitPrice: euros(100) }],
        },
        ['/clientId unknown_reference'],
      ]),
      [
        {
          ...{ externalId: 'x8', branchExternalId: 'main', issueDate: '2018-03-15' },
          ...{ subtotal: dollars(100), total: dollars(100) },
          lines: [
            {
              ...{ description: 'X', unitPrice: euros(100), net: dollars(100), total: dollars(100) },
              taxes: [{ name: 'T', rateBasisPoints: 0, amount: dollars(0) }],
            },
          ],
        },
        ['/lines/0/net', '/lines/0/taxes/0/amount', '/lines/0/total', '/subtotal', '/total'].map(
          (at) => `${at}/currency currency_mismatch`,
        ),
      ],
      [{ externalId: 'x6', branchExternalId: 'main', lines: [] }, ['/issueDate required', '/lines too_small']],
    ],
    shown: {
      r10: (ids) => ({
        ...{
          status: 'PAID',
          paymentStatus: 'PAID',
          series: 'IMPORTED',
          number: '10',
          total: euros(9266),
          tax: euros(1066),
        },
        ...{ clientId: ids('clients', 'anna'), balance: euros(0), lines: [{ staffId: ids('staff', 'jj') }] },
      }),
      r11: () => ({ status: 'OPEN', paymentStatus: 'PARTIALLY_PAID', balance: euros(600) }),
      r12: () => ({ status: 'VOID', number: '12' }),
    },
  },
];
