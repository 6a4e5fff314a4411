import { csv, euros, nobody, type Sample } from './sample.ts';

export const appointmentSamples: Sample[] = [
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
];
