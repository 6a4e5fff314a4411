import type { Import } from '../imports.ts';
import type { Cells, Files } from './files.ts';

// What a salon's files say, as `POST /imports` takes it. What a row becomes is told here; whether all of it arrived is told by
// `expected.ts`, which knows nothing of this.

export const BRANCH = 'salon';
export const ZONE = 'America/Vancouver';
export const CURRENCY = 'CAD';

/** Minutes by category: the files give none. */
const MINUTES: Readonly<Record<string, number>> = { STYLE: 45, COLOR: 90, MISC: 15 };
const GST = { name: 'GST', rateBasisPoints: 500 };
const PST = { name: 'PST', rateBasisPoints: 800 };

const cad = (amount: number) => ({ amount, currency: CURRENCY });
const cents = (text: string): number => Math.round(Number(text) * 100);
/** `03/14/2018` as `2018-03-14`. */
const dayOf = (text: string): string => text.replace(/^(\d+)\/(\d+)\/(\d+)$/, '$3-$1-$2');
/** `3:50:00 PM` as `15:50`. */
function timeOf(text: string): string {
  const [, hour = '', minute = '', half = ''] = /^(\d+):(\d+):\d+ ([AP]M)$/.exec(text) ?? [];
  return `${String((Number(hour) % 12) + (half === 'PM' ? 12 : 0)).padStart(2, '0')}:${minute}`;
}

const distinct = (values: readonly (string | undefined)[]): string[] =>
  [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[];

/** In the order in which one refers to the other. */
export function importsOf(files: Files): Import[] {
  const appointments = appointmentsOf(files);
  return [
    { resource: 'services', rows: files.services.map(serviceOf) },
    { resource: 'staff', rows: staffOf(files) },
    { resource: 'clients', rows: clientsOf(files) },
    { resource: 'appointments', rows: appointments },
    { resource: 'invoices', rows: invoicesOf(files, appointments) },
  ];
}

const serviceOf = ({ Code = '', Desc = '', Cate = '', Price = '', IsActive = '' }: Cells) => ({
  ...{ externalId: Code, code: Code, name: Desc || Code, category: Cate, durationMinutes: MINUTES[Cate] },
  // Nothing is told on the day.
  price: Number(Price) === 0 ? null : { amount: cents(Price), currency: CURRENCY },
  ...{ taxes: [GST, PST], isActive: IsActive === 'TRUE' },
});

function staffOf({ services, bookings, cancellations, noShows, receipts }: Files) {
  const serviceExternalIds = services.map(({ Code = '' }) => Code);
  return distinct([...bookings, ...cancellations, ...noShows, ...receipts].map(({ Staff }) => Staff)).map((name) => ({
    ...{ externalId: name, firstName: name, branchExternalIds: [BRANCH], serviceExternalIds },
  }));
}

const clientsOf = ({ bookings, cancellations, noShows, receipts }: Files) =>
  distinct([
    ...[...bookings, ...cancellations, ...noShows].map(({ Code }) => Code),
    ...receipts.map(({ Client }) => Client),
  ]).map((externalId) => ({ externalId }));

function appointmentsOf({ bookings, cancellations, noShows }: Files) {
  const visit = ({ Code = '', Staff = '', Service = '' }: Cells) => ({
    ...{ branchExternalId: BRANCH, staffExternalId: Staff, clientExternalId: Code || null },
    services: [{ serviceExternalId: Service }],
  });
  const absent = new Set(noShows.map(({ Code, Staff, Service, Date: date }) => [Code, Staff, Service, date].join('/')));
  const seen = new Map<string, number>();
  const nth = (name: string): string => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}/${count}`;
  };
  return [
    ...bookings.map((row) => {
      const { Code, Staff, Service, Date: date = '', Time = '' } = row;
      const localStart = `${dayOf(date)}T${timeOf(Time)}`;
      const status = absent.has([Code, Staff, Service, date].join('/')) ? 'NO_SHOW' : 'COMPLETED';
      return {
        ...visit(row),
        externalId: nth(['booking', Code, Staff, Service, localStart].join('/')),
        localStart,
        status,
      };
    }),
    ...cancellations.map((row) => {
      const { Code, Staff, Service, 'Booking Date': date = '', 'Cancel Date': at = '', 'Canceled By': by = '' } = row;
      // The hour is not told.
      const localStart = `${dayOf(date)}T12:00`;
      const externalId = nth(['cancelled', Code, Staff, Service, localStart].join('/'));
      return {
        ...visit(row),
        externalId,
        localStart,
        status: 'CANCELLED',
        statusReason: `Cancelled on ${dayOf(at)} by ${by}.`,
      };
    }),
  ];
}

/** Bookings that took place and that no line was for yet: by whom, with whom, what and when. */
class Bookings {
  readonly #left = new Map<string, string>();

  constructor(appointments: ReturnType<typeof appointmentsOf>) {
    for (const { clientExternalId, staffExternalId, services, localStart, status, externalId } of appointments) {
      const what = [clientExternalId, staffExternalId, services[0]?.serviceExternalId, localStart.slice(0, 10)];
      if (status === 'COMPLETED') this.#left.set(what.join('/'), externalId);
    }
  }

  take(...what: (string | undefined)[]): string | null {
    const externalId = this.#left.get(what.join('/')) ?? null;
    this.#left.delete(what.join('/'));
    return externalId;
  }
}

function invoicesOf({ services, receipts }: Files, appointments: ReturnType<typeof appointmentsOf>) {
  const byName = new Map(services.map(({ Desc = '', Code = '' }) => [Desc, Code]));
  const bookings = new Bookings(appointments);
  return [...Map.groupBy(receipts, ({ Receipt = '' }) => Receipt)].map(([number, rows]) => {
    const { Date: date = '', Client } = rows[0] ?? {};
    const lines = rows.map((row) => lineOf(row, byName, bookings));
    const total = rows.reduce(
      (sum, { Amount = '', GST = '', PST = '' }) => sum + cents(Amount) + tax(GST) + tax(PST),
      0,
    );
    return {
      ...{ externalId: `receipt/${number}`, number, branchExternalId: BRANCH, clientExternalId: Client || null },
      ...{ issueDate: dayOf(date), status: 'PAID', lines },
      // How was not written down.
      payments: total === 0 ? [] : [{ amount: cad(total), method: 'OTHER' }],
    };
  });
}

/** Cents, half away from zero; what a decimal fraction lacks of its half is given back. */
const tax = (text: string): number => Math.sign(Number(text)) * Math.round(Math.abs(Number(text)) * 100 + 1e-7);

function lineOf(
  { Receipt, Date: date = '', Description = '', Client, Staff, Quantity = '', Amount = '', ...taxes }: Cells,
  services: ReadonlyMap<string, string>,
  bookings: Bookings,
) {
  const [quantity, amount] = [Math.abs(Number(Quantity)), cents(Amount)];
  if (amount % quantity !== 0) throw new Error(`receipt ${Receipt}: ${Amount} cannot be parted by ${Quantity}`);
  const service = Description === '' ? undefined : services.get(Description);
  const due = (rate: typeof GST): boolean => amount === 0 || Number(taxes[rate.name]) !== 0;
  return {
    kind: service !== undefined ? 'SERVICE' : Description === '' ? 'OTHER' : 'PRODUCT',
    description: Description || 'Without description',
    ...{ quantity, unitPrice: cad(amount / quantity), staffExternalId: Staff, serviceExternalId: service ?? null },
    appointmentExternalId: service === undefined ? null : bookings.take(Client, Staff, service, dayOf(date)),
    taxes: [GST, PST].filter(due),
  };
}
