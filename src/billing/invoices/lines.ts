import type { Money } from '../../core/currency.ts';
import { formatId, type Prefix, uuidOf } from '../../core/id.ts';
import type { LineBody } from './line-body.ts';
import type { StoredLine } from './table.ts';

const idOf = (prefix: Prefix, id: string | null | undefined): string | null =>
  id === null || id === undefined ? null : uuidOf(prefix, id);

/** The lines of a body as the database takes them; it adds what follows from them, and what an appointment says. */
export const storedLines = (lines: readonly LineBody[]): Record<string, unknown>[] =>
  lines.map(
    ({ kind, description, quantity = 1, unitPrice, discount, staffId, serviceId, appointmentId, taxes = [] }) => {
      const appointment = { appointmentId: idOf('appt', appointmentId) };
      if (unitPrice === undefined) return appointment;
      return {
        ...(kind !== undefined && { kind }),
        ...{ description, quantity, unitPrice: unitPrice.amount, discount: discount?.amount ?? 0, taxes },
        currency: unitPrice.currency,
        staffId: idOf('stf', staffId),
        serviceId: idOf('svc', serviceId),
        ...appointment,
      };
    },
  );

const shownId = (prefix: Prefix, id: string | null): string | null => (id === null ? null : formatId(prefix, id));

/** Stored lines as answers show them. */
export function shownLines(lines: readonly StoredLine[], currency: string): Record<string, unknown>[] {
  const money = (amount: number): Money => ({ amount, currency });
  return lines.map((line) => ({
    id: formatId('lin', line.id),
    kind: line.kind,
    description: line.description,
    quantity: line.quantity,
    unitPrice: money(line.unitPrice),
    discount: money(line.discount),
    staffId: shownId('stf', line.staffId),
    serviceId: shownId('svc', line.serviceId),
    appointmentId: shownId('appt', line.appointmentId),
    taxes: line.taxes.map(({ name, rateBasisPoints, amount }) => ({ name, rateBasisPoints, amount: money(amount) })),
    net: money(line.net),
    total: money(line.total),
  }));
}
