import type { Json } from './api.ts';

/** How files of one resource look, for the suite that runs over all that can be imported. */
export type Sample = {
  resource: string;
  /** Rows of CSV, and the same as NDJSON: either finds everything there after the other. */
  csv: string;
  lines: Json[];
  /** Rows that are refused, by what is wrong with them: `pointer code`, sorted. */
  faulty: [line: Json, faults: string[]][];
  /** What GET of the list shows of them afterwards, by external id. */
  shown: Record<string, (ids: (resource: string, externalId: string) => string) => Json>;
};

const nobody = 'unknown_reference';
const monday = { weekday: 1, start: '09:00', end: '17:00' };
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const dollars = (amount: number): Json => ({ amount, currency: 'USD' });
/** A cell of RFC 4180. */
const cell = (value: unknown): string =>
  `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
const csv = (...rows: unknown[][]): string => rows.map((row) => row.map(cell).join(',')).join('\r\n');

/** In the order in which they can be told. What they take for granted is the branch `main` and the client `anna`. */
export const samples: Sample[] = [
  {
    resource: 'staff',
    csv: csv(
      ['externalId', 'firstName', 'branchExternalIds', 'workingHours', 'isActive'],
      ['jj', 'Jay', 'main', [{ ...monday, branchExternalId: 'main' }], 'true'],
      ['kelly', 'Kelly', '', '', 'true'],
      ['gone', 'Sinead', 'main', '', 'false'],
    ),
    lines: [
      {
        externalId: 'jj',
        firstName: 'Jay',
        branchExternalIds: ['main'],
        workingHours: [{ ...monday, branchExternalId: 'main' }],
      },
      { externalId: 'kelly', firstName: 'Kelly', branchExternalIds: [], workingHours: [] },
      { externalId: 'gone', firstName: 'Sinead', branchExternalIds: ['main'], isActive: false },
    ],
    faulty: [
      [
        { externalId: 'x', firstName: 'X', branchExternalIds: ['main', 'nowhere'], serviceExternalIds: ['none'] },
        [`/branchExternalIds/1 ${nobody}`, `/serviceExternalIds/0 ${nobody}`],
      ],
      [
        { externalId: 'y', firstName: 'Y', workingHours: [monday, { ...monday, branchExternalId: 'nowhere' }] },
        ['/workingHours/1 overlap'],
      ],
      [{ externalId: 'z' }, [' invalid_body']],
    ],
    shown: {
      jj: (ids) => ({
        name: 'Jay',
        branchIds: [ids('branches', 'main')],
        workingHours: [{ ...monday, branchId: ids('branches', 'main') }],
      }),
      gone: () => ({ isActive: false }),
    },
  },
  {
    resource: 'services',
    csv: csv(
      [
        'externalId',
        'name',
        'durationMinutes',
        'price.amount',
        'price.currency',
        'taxes.1.name',
        'taxes.1.rateBasisPoints',
        'requires',
        'staff.1.staffExternalId',
        'staff.1.durationMinutes',
        'staff.2.staffExternalId',
      ],
      ['cut', 'Cut', '45', '4500', 'EUR', 'USt', '2000', 'CHAIR', 'jj', '30', 'kelly'],
      ['talk', 'Talk', '15', '', '', '', '', '', '', '', ''],
    ),
    lines: [
      {
        ...{
          externalId: 'cut',
          name: 'Cut',
          durationMinutes: 45,
          price: euros(4500),
          taxes: [{ name: 'USt', rateBasisPoints: 2000 }],
          requires: ['CHAIR'],
        },
        staff: [{ staffExternalId: 'jj', durationMinutes: 30 }, { staffExternalId: 'kelly' }],
      },
      { externalId: 'talk', name: 'Talk', durationMinutes: 15, price: null, taxes: [], staff: null },
    ],
    faulty: [
      [
        { externalId: 'x', name: 'X', durationMinutes: 5, staff: [{ staffExternalId: 'nobody' }] },
        [`/staff/0/staffExternalId ${nobody}`],
      ],
      [
        { externalId: 'y', name: 'Y', durationMinutes: 5, staff: [{ durationMinutes: 5 }] },
        ['/staff/0/staffId required'],
      ],
      [{ externalId: 'z', name: 'Z' }, ['/durationMinutes invalid_body']],
    ],
    shown: {
      cut: (ids) => ({
        price: euros(4500),
        staff: [{ staffId: ids('staff', 'jj'), durationMinutes: 30 }, { staffId: ids('staff', 'kelly') }],
      }),
      talk: () => ({ price: null, taxes: [] }),
    },
  },
  {
    resource: 'resources',
    csv: csv(['externalId', 'name', 'kind', 'branchExternalId'], ['chair', 'Chair', 'CHAIR', 'main']),
    lines: [{ externalId: 'chair', name: 'Chair', kind: 'CHAIR', branchExternalId: 'main' }],
    faulty: [
      [{ externalId: 'x', name: 'X', kind: 'CHAIR' }, ['/branchExternalId invalid_body']],
      [{ externalId: 'y', name: 'Y', kind: 'CHAIR', branchExternalId: 'nowhere' }, [`/branchExternalId ${nobody}`]],
    ],
    shown: { chair: (ids) => ({ branchId: ids('branches', 'main'), workingHours: [] }) },
  },
  {
    resource: 'appointments',
    csv: csv(
      [
        ...[
          'externalId',
          'branchExternalId',
          'clientExternalId',
          'staffExternalId',
          'serviceExternalIds',
          'localStart',
        ],
        ...['durationMinutes', 'status', 'statusReason', 'price.amount', 'price.currency', 'notes'],
      ],
      ['b1', 'main', 'anna', 'kelly', 'cut|talk', '2018-03-14T15:50', '', 'COMPLETED', '', '', '', ''],
      ['b2', 'main', '', 'jj', 'talk', '2018-03-14T16:00', '25', 'CANCELLED', 'ill', '700', 'EUR', 'a; b'],
      ['b3', 'main', 'anna', 'kelly', 'talk', '2018-03-14T16:10', '', 'NO_SHOW', '', '', '', ''],
    ),
    lines: [
      {
        ...{ externalId: 'b1', branchExternalId: 'main', clientExternalId: 'anna', startsAt: '2018-03-14T14:50:00Z' },
        services: [
          { serviceExternalId: 'cut', staffExternalId: 'kelly' },
          { serviceExternalId: 'talk', staffExternalId: 'kelly' },
        ],
        status: 'COMPLETED',
      },
      {
        ...{ externalId: 'b2', branchExternalId: 'main', staffExternalId: 'jj', localStart: '2018-03-14T15:00' },
        ...{ timeZone: 'Europe/London', services: [{ serviceExternalId: 'talk', durationMinutes: 25 }] },
        ...{ status: 'CANCELLED', statusReason: 'ill', price: euros(700), notes: 'a; b' },
      },
      { externalId: 'b3', status: 'NO_SHOW' },
    ],
    faulty: [
      [
        {
          ...{ externalId: 'x1', branchExternalId: 'nowhere', clientExternalId: 'nobody', status: 'COMPLETED' },
          ...{ services: [{ serviceExternalId: 'cut', staffExternalId: 'who' }, { serviceExternalId: 'what' }] },
        },
        [
          `/branchExternalId ${nobody}`,
          `/clientExternalId ${nobody}`,
          `/services/0/staffExternalId ${nobody}`,
          `/services/1/serviceExternalId ${nobody}`,
          '/staffExternalId required',
        ],
      ],
      [
        {
          externalId: 'x2',
          serviceExternalIds: ['talk', 'none'],
          staffExternalId: 'jj',
          price: { amount: 1, currency: 'USD' },
        },
        ['/branchExternalId required', '/price/currency currency_mismatch', `/serviceExternalIds/1 ${nobody}`],
      ],
      [
        {
          ...{ externalId: 'x3', branchExternalId: 'main', staffExternalId: 'jj', serviceExternalIds: ['talk'] },
          localStart: '2018-03-25T02:30',
        },
        ['/localStart nonexistent_local_time'],
      ],
      [{ externalId: 'b1', status: 'CANCELLED' }, ['/status illegal_transition']],
      [
        {
          ...{ externalId: 'x4', services: [{}], serviceExternalIds: ['talk'], status: 'DONE' },
          ...{ statusHistory: [{ status: 'PENDING', at: 'then' }], extra: 1 },
        },
        ['/extra unknown_field', '/status invalid_value', '/statusHistory/0/at invalid_instant'],
      ],
    ],
    shown: {
      b1: (ids) => ({
        ...{ staffId: ids('staff', 'kelly'), clientId: ids('clients', 'anna'), status: 'COMPLETED', source: 'IMPORT' },
        ...{
          startsAt: '2018-03-14T14:50:00.000Z',
          endsAt: '2018-03-14T15:50:00.000Z',
          price: null,
          allowOverlap: false,
        },
        services: [
          { name: 'Cut', price: euros(4500), durationMinutes: 45 },
          { name: 'Talk', startOffsetMinutes: 45 },
        ],
        resources: [],
      }),
      b2: () => ({ clientId: null, statusReason: 'ill', price: euros(700), endsAt: '2018-03-14T15:25:00.000Z' }),
      b3: () => ({ status: 'NO_SHOW', allowOverlap: false }),
    },
  },
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
          'lines.1.taxes.2.name',
          'lines.1.taxes.2.rateBasisPoints',
        ],
        ...['lines.2.description', 'lines.2.unitPrice.amount', 'lines.2.unitPrice.currency'],
        ...['payments.1.amount.amount', 'payments.1.amount.currency', 'payments.1.method', 'payments.1.externalId'],
      ],
      [
        ...['r10', '10', 'main', 'anna', '2018-03-15', 'PAID', '9266', 'EUR'],
        ...['Cut', '8200', 'EUR', 'jj', 'GST', '500', 'PST', '800', '', '', '', '9266', 'EUR', 'CARD', 'p10'],
      ],
      [
        ...['r11', '11', 'main', '', '2018-03-15', 'OPEN', '', ''],
        ...['Comb', '300', 'EUR', '', '', '', '', '', 'Brush', '500', 'EUR', '200', 'EUR', 'CASH', ''],
      ],
      ['r12', '12', 'main', '', '2018-03-16', 'VOID', '', '', 'Nothing', '1', 'EUR', ...Array(12).fill('')],
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
              { name: 'GST', rateBasisPoints: 500, amount: 410 },
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
          lines: [{ description: 'X', unitPrice: euros(100), net: dollars(100), total: dollars(100) }],
        },
        ['/lines/0/net', '/lines/0/total', '/subtotal', '/total'].map((at) => `${at}/currency currency_mismatch`),
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
