import { randomOf } from '../random.ts';
import {
  type DemoService,
  type DemoStaff,
  demand,
  isHoliday,
  products,
  resources,
  services,
  staff,
} from './company.ts';

// A believable week around any day, made of that day alone: the same day gives the same week. Nothing in it is in anything
// else's way, as the rules of the product would have it: they are obeyed here, and hold there.

export type DemoBooking = {
  externalId: string;
  branch: string;
  staff: string;
  client: string;
  service: string;
  resources: string[];
  date: string;
  /** Minutes after midnight. */
  start: number;
  minutes: number;
  status: 'PENDING' | 'CONFIRMED' | 'CHECKED_IN' | 'IN_PROGRESS' | 'COMPLETED' | 'CANCELLED' | 'NO_SHOW';
};

export type DemoReceipt = {
  booking: DemoBooking;
  product: readonly [name: string, gross: number] | null;
  method: 'CARD' | 'CASH' | 'TRANSFER';
  /** Part of it was paid, all, or nothing yet. */
  paid: 'ALL' | 'HALF' | 'NOTHING';
};

export type DemoWeek = {
  bookings: DemoBooking[];
  receipts: DemoReceipt[];
  timeOff: { staff: string; date: string; from: number; to: number; reason: string }[];
};

/** Where a clock of the company stands: a date, and minutes after midnight. */
export type Now = { date: string; minutes: number };

const BEFORE = 3;
const AFTER = 5;
const STEP = 15;
const DAY_MS = 86_400_000;

const dateAt = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
/** ISO: 1 Monday to 7 Sunday. */
const weekdayOf = (date: string): number => ((new Date(date).getUTCDay() + 6) % 7) + 1;
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

const dayNumber = (date: string): number => Date.parse(date) / DAY_MS;
const serviceOf = (id: string): DemoService => {
  const found = services.find(({ externalId }) => externalId === id);
  if (found === undefined) throw new Error(`there is no service ${id}`);
  return found;
};

type Span = { from: number; to: number };
const meet = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to;

/** The days that are filled: some before today, today and some after it, behind `since`. */
export function daysOf(today: string, since: string): string[] {
  const all = Array.from({ length: BEFORE + 1 + AFTER }, (_, i) => dateAt(today, i - BEFORE));
  return all.filter((date) => date > since && weekdayOf(date) !== 7 && !isHoliday(date));
}

/** The last day that is filled when it is so late. */
export const lastDayOf = ({ date }: Now): string => dateAt(date, AFTER);

/** @param since days up to this one were filled already @param clients external ids */
export function demoWeek(now: Now, clients: readonly string[], since: string): DemoWeek {
  const days = daysOf(now.date, since);
  const timeOff = days.flatMap((date) =>
    // Each week somebody sees a dentist, and is away for a day.
    weekdayOf(date) === 4
      ? [{ staff: 'lukas', date, from: 540, to: 720, reason: 'Dentist' }]
      : weekdayOf(date) === 5
        ? [{ staff: 'marta', date, from: 0, to: 1440, reason: 'Training' }]
        : [],
  );
  const bookings = days.flatMap((date) => {
    const away = timeOff.filter((off) => off.date === date);
    return bookedOn(date, now, clients, (who, span) => away.some((off) => off.staff === who && meet(off, span)));
  });
  return { bookings, receipts: receiptsOf(bookings), timeOff };
}

/** One day at both branches: everybody takes what comes next, if a chair or the room is free for it. */
function bookedOn(
  date: string,
  now: Now,
  clients: readonly string[],
  isAway: (staff: string, span: Span) => boolean,
): DemoBooking[] {
  const roll = randomOf(dayNumber(date));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T;
  const taken = new Map<string, Span[]>();
  const left = [...clients];
  const bookings: DemoBooking[] = [];

  /** What it would occupy: of each kind the first one that is free. Null where there is none. */
  const free = (branch: string, service: DemoService, span: Span): string[] | null => {
    const found = service.requires.map((kind) =>
      resources.find(
        (each) =>
          each.kind === kind &&
          each.branchExternalId === branch &&
          !taken.get(each.externalId)?.some((other) => meet(other, span)),
      ),
    );
    return found.includes(undefined) ? null : found.map((each) => each?.externalId ?? '');
  };

  const book = (who: DemoStaff, id: string, start: number): DemoBooking | null => {
    const service = serviceOf(id);
    const whole = { from: start, to: start + service.durationMinutes + service.bufferAfterMinutes };
    const occupied = isAway(who.externalId, whole) ? null : free(who.branch, service, whole);
    if (occupied === null) return null;
    for (const each of occupied) taken.set(each, [...(taken.get(each) ?? []), whole]);
    const client = left.splice(Math.floor(roll() * left.length), 1)[0] ?? '';
    const booking: DemoBooking = {
      ...{ externalId: `demo-${date}-${who.externalId}-${start}`, branch: who.branch, staff: who.externalId, client },
      ...{ service: id, resources: occupied, date, start, minutes: service.durationMinutes },
      status: statusOf(date, { from: start, to: start + service.durationMinutes }, now, roll()),
    };
    bookings.push(booking);
    return booking;
  };

  for (const who of staff) {
    for (const { weekday, start, end } of who.workingHours) {
      if (weekday !== weekdayOf(date)) continue;
      const wanted = who.services.flatMap((id) => Array.from({ length: demand[id] ?? 0 }, () => id));
      for (let at = minutesOf(start); at < minutesOf(end); ) {
        const id = pick(wanted);
        const { durationMinutes, bufferAfterMinutes, processing } = serviceOf(id);
        const booked = at + durationMinutes > minutesOf(end) || roll() < 0.22 ? null : book(who, id, at);
        if (booked === null) {
          at += STEP;
          continue;
        }
        for (const { afterMinutes, minutes } of processing) {
          const cut = serviceOf('cut-men');
          if (minutes >= cut.durationMinutes + cut.bufferAfterMinutes && roll() < 0.6)
            book(who, 'cut-men', at + afterMinutes);
        }
        at += Math.ceil((durationMinutes + bufferAfterMinutes) / STEP) * STEP;
      }
    }
  }
  return bookings;
}

/** What has become of a booking by now. Of what lies ahead most is confirmed, of the past most came. */
function statusOf(date: string, { from, to }: Span, now: Now, chance: number): DemoBooking['status'] {
  const ahead = date > now.date || (date === now.date && from > now.minutes);
  if (ahead) {
    if (chance < 0.05) return 'CANCELLED';
    if (chance < 0.25) return 'PENDING';
    return date === now.date && from - now.minutes <= STEP ? 'CHECKED_IN' : 'CONFIRMED';
  }
  if (chance < 0.06) return 'CANCELLED';
  if (chance < 0.11) return 'NO_SHOW';
  return date === now.date && to > now.minutes ? 'IN_PROGRESS' : 'COMPLETED';
}

/** Whoever came paid, but for a few. */
function receiptsOf(bookings: readonly DemoBooking[]): DemoReceipt[] {
  const came = bookings.filter(({ status }) => status === 'COMPLETED');
  return came.map((booking, i): DemoReceipt => {
    const roll = randomOf(dayNumber(booking.date) + booking.start);
    const product = roll() < 0.25 ? (products[Math.floor(roll() * products.length)] ?? null) : null;
    const chance = roll();
    const method = chance < 0.6 ? 'CARD' : chance < 0.92 ? 'CASH' : 'TRANSFER';
    return { booking, product, method, paid: i % 17 === 5 ? 'NOTHING' : i % 17 === 11 ? 'HALF' : 'ALL' };
  });
}
