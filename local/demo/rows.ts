import type { Import } from '../imports.ts';
import { instantOf } from './clock.ts';
import { euros, resources, services, staff, VAT } from './company.ts';
import type { DemoBooking, DemoReceipt, DemoWeek } from './week.ts';

// The demo company as `POST /imports` takes it.

/** What an updo comes to is told on the day. */
const TOLD = 6500;
const VERAS_CUT = 7900;

/** In the order in which one refers to the other. */
export const catalogueRows = (): Import[] => [
  {
    resource: 'services',
    rows: services.map(({ gross, ...service }) => ({
      ...service,
      price: gross === null ? null : euros(gross),
      taxes: [VAT],
    })),
  },
  {
    resource: 'staff',
    rows: staff.map(({ branch, services: offered, ...member }) => ({
      ...member,
      branchExternalIds: [branch],
      serviceExternalIds: offered,
    })),
  },
  { resource: 'resources', rows: resources },
  // Whose cut costs more there is only now.
  {
    resource: 'services',
    rows: [{ externalId: 'cut-women', staff: [{ staffExternalId: 'vera', price: euros(VERAS_CUT) }] }],
  },
];

export const weekRows = ({ bookings, receipts }: DemoWeek): Import[] => [
  { resource: 'appointments', rows: [...bookings].sort(inOrder).map(appointmentOf) },
  { resource: 'invoices', rows: receipts.map(invoiceOf) },
];

const inOrder = (a: DemoBooking, b: DemoBooking): number => a.date.localeCompare(b.date) || a.start - b.start;

const timeOf = (minutes: number): string =>
  [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

const kindOf = (id: string): string => resources.find(({ externalId }) => externalId === id)?.kind ?? '';

const appointmentOf = (booking: DemoBooking) => ({
  ...{ externalId: booking.externalId, branchExternalId: booking.branch, clientExternalId: booking.client },
  ...{ staffExternalId: booking.staff, services: [{ serviceExternalId: booking.service }] },
  resources: booking.resources.map((id) => ({ kind: kindOf(id), resourceExternalId: id })),
  ...{ localStart: `${booking.date}T${timeOf(booking.start)}`, statusHistory: historyOf(booking) },
});

const DAY = 1440;

/** How a booking came to its status: each step, and when it was taken. */
function historyOf({ date, start, minutes, status }: DemoBooking): object[] {
  const step = (name: DemoBooking['status'], at: number, reason: string | null = null) => ({
    ...{ status: name, at: instantOf(date, at), reason },
  });
  const booked = step(status === 'PENDING' ? 'PENDING' : 'CONFIRMED', start - 8 * DAY);
  if (status === 'CANCELLED') return [booked, step(status, start - 6 * DAY, 'Is on a business trip.')];
  if (status === 'NO_SHOW') return [booked, step(status, start + 20)];
  const came = [step('CHECKED_IN', start - 15), step('IN_PROGRESS', start), step('COMPLETED', start + minutes)];
  return [booked, ...came.slice(0, ['CHECKED_IN', 'IN_PROGRESS', 'COMPLETED'].indexOf(status) + 1)];
}

function invoiceOf({ booking, product, method, paid }: DemoReceipt) {
  const { externalId, branch, client, service: id, staff: member, date, start, minutes } = booking;
  const service = services.find((each) => each.externalId === id);
  const price = member === 'vera' && id === 'cut-women' ? VERAS_CUT : (service?.gross ?? TOLD);
  const line = { quantity: 1, staffExternalId: member, taxes: [VAT] };
  const lines = [
    {
      ...line,
      kind: 'SERVICE',
      description: service?.name,
      unitPrice: euros(price),
      serviceExternalId: id,
      appointmentExternalId: externalId,
    },
    ...(product === null ? [] : [{ ...line, kind: 'PRODUCT', description: product[0], unitPrice: euros(product[1]) }]),
  ];
  const total = price + (product?.[1] ?? 0);
  const amount = { ALL: total, HALF: Math.trunc(total / 2), NOTHING: 0 }[paid];
  const payment = { amount: euros(amount), method, paidAt: instantOf(date, start + minutes + 5) };
  return {
    ...{ externalId: `receipt-${externalId}`, branchExternalId: branch, clientExternalId: client, lines },
    ...{ number: `${date}/${member}/${timeOf(start)}`, issueDate: date, dueDate: date },
    ...{ status: paid === 'ALL' ? 'PAID' : 'OPEN', payments: amount === 0 ? [] : [payment] },
  };
}
