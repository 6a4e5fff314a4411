import { csv, euros, monday, nobody, type Sample } from './sample.ts';

export const catalogSamples: Sample[] = [
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
      [{ externalId: 'z' }, ['/firstName invalid_body', '/lastName invalid_body']],
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
];
