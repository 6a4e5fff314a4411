import type { Catalogue } from '../../../src/calendar/booking.ts';
import type { Resource, Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import { minuteOf } from '../../../src/core/civil.ts';

// A colour by Ana and a cut by Bo, in a salon in Vienna with two chairs and a basin.

export const EUR = (amount: number) => ({ amount, currency: 'EUR' });
export const COLOUR: Service = {
  ...{ id: 'colour', name: 'Colour', isActive: true, durationMinutes: 90, price: EUR(9000) },
  ...{ bufferBeforeMinutes: 5, bufferAfterMinutes: 10, processing: [{ afterMinutes: 30, minutes: 40 }] },
  ...{ requires: ['chair'], taxes: [{ name: 'VAT', rateBasisPoints: 1900 }], staff: [] },
  ...{ leadTimeMinutes: null, horizonDays: null },
};
export const CUT: Service = {
  ...COLOUR,
  ...{ id: 'cut', name: 'Cut', durationMinutes: 30, price: EUR(3000), bufferBeforeMinutes: 0, bufferAfterMinutes: 15 },
  ...{ processing: [], requires: ['chair', 'basin'] },
  staff: [{ staffId: 'bo', durationMinutes: 20, price: EUR(4000) }],
};
export const ANA: StaffMember = {
  ...{ id: 'ana', isActive: true, branchIds: ['vienna'], serviceIds: ['colour', 'cut'] },
  workingHours: [],
};
export const BO: StaffMember = { ...ANA, id: 'bo', serviceIds: [] };
const resource = (id: string, kind: string): Resource => ({
  ...{ id, kind, branchId: 'vienna', isActive: true, workingHours: [] },
});
export const catalogue: Catalogue & { branch: NonNullable<Catalogue['branch']> } = {
  revision: 41,
  branch: {
    ...{ id: 'vienna', timeZone: 'Europe/Vienna', isActive: true, holidays: [{ date: '2026-10-26' }] },
    openingHours: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, start: '00:00', end: '18:00' })),
  },
  services: new Map([COLOUR, CUT].map((service) => [service.id, service])),
  staff: new Map([ANA, BO].map((member) => [member.id, member])),
  resources: [resource('chair-1', 'chair'), resource('chair-2', 'chair'), resource('basin-1', 'basin')],
  timeOff: new Map([['ana', [minuteOf('2026-10-27T11:00:00Z'), minuteOf('2026-10-27T12:00:00Z')]]]),
};
export const both = [{ serviceId: 'colour', staffId: 'ana' }, { serviceId: 'cut' }];
export const request = { branchId: 'vienna', staffId: 'bo', services: both };
