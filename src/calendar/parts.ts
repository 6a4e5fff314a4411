import type { Processing, Tax } from '../catalog/services/table.ts';
import type { Money } from '../core/currency.ts';
import type { Service } from './catalogue.ts';
import { covered, type Spans, without } from './spans.ts';

/** One service of a booking as it was booked: what is frozen, so that later edits of the service touch nothing. */
export type Part = {
  serviceId: string;
  staffId: string;
  name: string;
  startOffsetMinutes: number;
  durationMinutes: number;
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  processing: readonly Processing[];
  price: Money | null;
  taxes: readonly Tax[];
};

/** How long a service takes this staff member. */
export const durationOf = ({ staff, durationMinutes }: Service, staffId: string): number =>
  staff.find((each) => each.staffId === staffId)?.durationMinutes ?? durationMinutes;

/** Services in a row, each with whom: their own duration and price where they have them. */
export function partsOf(lines: readonly { service: Service; staffId: string }[]): Part[] {
  let offset = 0;
  return lines.map(({ service, staffId }) => {
    const terms = service.staff.find((each) => each.staffId === staffId);
    const durationMinutes = durationOf(service, staffId);
    const startOffsetMinutes = offset;
    offset += durationMinutes;
    return {
      ...{ serviceId: service.id, staffId, name: service.name, startOffsetMinutes, durationMinutes },
      bufferBeforeMinutes: service.bufferBeforeMinutes,
      bufferAfterMinutes: service.bufferAfterMinutes,
      processing: fitting(service.processing, durationMinutes),
      price: terms?.price ?? service.price,
      taxes: service.taxes,
    };
  });
}

/** Who is faster than the service says has no more processing than fits. */
export const fitting = (processing: readonly Processing[], duration: number): Processing[] =>
  processing
    .map(({ afterMinutes, minutes }) => ({ afterMinutes, minutes: Math.min(minutes, duration - afterMinutes) }))
    .filter(({ minutes }) => minutes > 0);

/** What a booking takes, in minutes from its start: the same for every start of it. */
export type Shape = {
  /** From the start of the first part to the end of the last. */
  visitMinutes: number;
  /** Whom it keeps: `present`, when they must be at work; `busy`, when nothing else may have them. */
  staff: ReadonlyMap<string, { present: Spans; busy: Spans }>;
  /** How long it occupies each of its resources: throughout, with the first buffer and the last. */
  occupied: { start: number; end: number };
  /** How many it needs of each kind: as many as the service that needs most. */
  kinds: ReadonlyMap<string, number>;
};

/** As the database projects it (app.busy_subjects): everybody has the buffer before their first part and after their last. */
export function shapeOf(parts: readonly Part[], requires: readonly (readonly string[])[]): Shape {
  const staff = new Map<string, { present: Spans; busy: Spans }>();
  for (const id of new Set(parts.map(({ staffId }) => staffId))) {
    const theirs = parts.filter(({ staffId }) => staffId === id);
    const present = theirs.flatMap((part) => [part.startOffsetMinutes, endOf(part)]);
    const taken = present.slice();
    taken[0] = (taken[0] ?? 0) - (theirs[0]?.bufferBeforeMinutes ?? 0);
    taken[taken.length - 1] = (taken.at(-1) ?? 0) + (theirs.at(-1)?.bufferAfterMinutes ?? 0);
    const free = theirs.flatMap(({ startOffsetMinutes, processing }) =>
      processing.flatMap(({ afterMinutes, minutes }) => {
        const from = startOffsetMinutes + afterMinutes;
        return [from, from + minutes];
      }),
    );
    staff.set(id, { present: covered(present), busy: without(covered(taken), covered(free)) });
  }
  const last = parts.at(-1);
  const visitMinutes = last === undefined ? 0 : endOf(last);
  const start = -(parts[0]?.bufferBeforeMinutes ?? 0);
  const occupied = { start, end: visitMinutes + (last?.bufferAfterMinutes ?? 0) };
  return { visitMinutes, staff, occupied, kinds: unitedKinds(requires) };
}

const endOf = (part: Part): number => part.startOffsetMinutes + part.durationMinutes;

/** A resource as an appointment stores it; null: the database chooses a free one. */
export type Occupied = { kind: string; resourceId: string | null };

/** One of each that is needed, whichever. */
export const anyOf = (kinds: ReadonlyMap<string, number>): Occupied[] =>
  [...kinds].flatMap(([kind, count]) => Array.from({ length: count }, () => ({ kind, resourceId: null })));

/** The same chair serves cut and colour; two chairs of one service are two. */
export function unitedKinds(requires: readonly (readonly string[])[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const kinds of requires) {
    const counts = new Map<string, number>();
    for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const [kind, count] of counts) most.set(kind, Math.max(most.get(kind) ?? 0, count));
  }
  return most;
}

/** The sum, or null as long as one price is told on the day. */
export function totalPrice(parts: readonly Part[]): Money | null {
  const prices = parts.flatMap(({ price }) => price ?? []);
  const [first] = prices;
  if (first === undefined || prices.length < parts.length) return null;
  return { amount: prices.reduce((sum, { amount }) => sum + amount, 0), currency: first.currency };
}
