import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import type { Resource, Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import { covered } from '../../../src/calendar/spans.ts';
import type { AvailabilityQuestion } from '../../../src/calendar/sweep.ts';
import type { Hours } from '../../../src/calendar/working-time.ts';
import type { Offsets } from '../../../src/core/offsets.ts';

/** A question to the calendar with all that it rests on, but for the offsets. */
export type World = Omit<AvailabilityQuestion, 'offsets'>;

/** That question; what keeps somebody busy comes in any order, and is swept in its own. */
export const questionIn = (world: World, offsets: Offsets): AvailabilityQuestion => ({
  ...world,
  offsets,
  busy: new Map([...world.busy].map(([id, times]) => [id, covered(times)])),
});

/** Both changes of the clock in three zones, one of them by half an hour, and days without any. */
export type Place = readonly [zone: string, dates: readonly string[]];
const PLACES: readonly Place[] = [
  ['America/New_York', ['2026-03-08', '2026-11-01', '2026-06-10']],
  ['Europe/Vienna', ['2026-03-29', '2026-10-25', '2026-12-31']],
  ['Australia/Lord_Howe', ['2026-10-04', '2026-04-05', '2026-02-27']],
];
const KINDS = ['chair', 'room'];
const STAFF = ['ana', 'bo'];

const plus = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString();
const text = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Mostly round times, more of them in the small hours, where clocks change. */
const timeOfDay = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 288 }).map((n) => n * 5) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 16 }).map((n) => n * 15) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1440) },
);
const often = <T>(value: T, other: fc.Arbitrary<T>, weight: number = 4) =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });

function hoursNear(date: string): fc.Arbitrary<Hours[]> {
  const weekday = Temporal.PlainDate.from(date).dayOfWeek;
  const interval = fc
    .record({
      day: fc.integer({ min: -1, max: 1 }),
      times: fc.tuple(timeOfDay, timeOfDay),
      validFrom: often<number | undefined>(undefined, fc.integer({ min: -2, max: 2 })),
      validTo: often<number | undefined>(undefined, fc.integer({ min: -2, max: 2 })),
      branchId: often<string | undefined>(undefined, fc.constantFrom('here', 'there')),
    })
    .map(({ day, times: [a, b], validFrom, validTo, branchId }) => ({
      weekday: ((weekday - 1 + day + 7) % 7) + 1,
      start: text(Math.min(a, b)),
      end: text(Math.max(a, b)),
      ...(validFrom === undefined ? {} : { validFrom: plus(date, validFrom) }),
      ...(validTo === undefined ? {} : { validTo: plus(date, validTo) }),
      ...(branchId === undefined ? {} : { branchId }),
    }));
  // As the API takes them: none empty, none of a weekday overlapping another.
  return fc
    .array(interval, { maxLength: 5 })
    .map((all) =>
      all.filter(
        (a, i) =>
          a.start < a.end &&
          !all.slice(0, i).some((b) => a.weekday === b.weekday && a.start < b.end && b.start < a.end),
      ),
    );
}

const duration = fc.integer({ min: 1, max: 24 }).map((n) => n * 5);

const service = (index: number): fc.Arbitrary<Service> =>
  fc
    .record({
      durationMinutes: duration,
      bufferBeforeMinutes: often(0, fc.integer({ min: 1, max: 20 }), 2),
      bufferAfterMinutes: often(0, fc.integer({ min: 1, max: 20 }), 2),
      processing: fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 40 })), { maxLength: 2 }),
      requires: fc.array(fc.constantFrom(...KINDS), { maxLength: 2 }),
      terms: often<number | undefined>(undefined, duration),
      leadTimeMinutes: often<number | null>(null, fc.nat(2000), 6),
      horizonDays: often<number | null>(null, fc.nat(3), 6),
    })
    .map(({ processing, terms, ...rest }) => {
      let free = 0;
      const fits: { afterMinutes: number; minutes: number }[] = [];
      for (const [gap, minutes] of processing) {
        if (free + gap + minutes > rest.durationMinutes) break;
        fits.push({ afterMinutes: free + gap, minutes });
        free += gap + minutes;
      }
      return {
        ...rest,
        ...{ id: `service-${index}`, name: `Service ${index}`, isActive: true, price: null, taxes: [] },
        processing: fits,
        staff: terms === undefined ? [] : [{ staffId: 'ana', durationMinutes: terms }],
      };
    });

const services = fc.integer({ min: 1, max: 3 }).chain((count) => {
  const each = Array.from({ length: count }, (_, index) => service(index));
  return fc.tuple(...each);
});

/** Intervals of minutes near this date, in UTC. */
const times = (date: string, maxLength: number) => {
  const near = Date.parse(`${date}T00:00:00Z`) / 60_000;
  const one = fc.tuple(fc.integer({ min: -800, max: 3600 }), fc.integer({ min: 1, max: 150 }));
  return fc
    .array(one, { maxLength })
    .map((all) => all.flatMap(([from, length]) => [near + from, near + from + length]));
};

const stepMinutes = fc.constantFrom(5, 7, 10, 15, 15, 30, 45, 60);
/** Around midnight of the day, ms. */
const now = fc.integer({ min: -86_400_000, max: 86_400_000 });

/** What else may be asked of a world; `now` counts from the world's own. */
export const questions = fc.array(fc.record({ services, stepMinutes, now }), { minLength: 4, maxLength: 4 });

/** Worlds near these days. */
export const worldsAt = (places: readonly Place[]): fc.Arbitrary<World> =>
  fc
    .constantFrom(...places.flatMap(([zone, dates]) => dates.map((date) => [zone, date] as const)))
    .chain(([timeZone, date]) =>
      fc
        .record({
          openingHours: hoursNear(date),
          holidays: often<number[]>([], fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 1 })),
          before: fc.integer({ min: 0, max: 1 }),
          days: often(1, fc.constant(2)),
          services,
          staff: fc.tuple(
            ...STAFF.map(() =>
              fc.record({ hours: often<Hours[]>([], hoursNear(date), 1), off: often(false, fc.constant(true), 12) }),
            ),
          ),
          resources: fc.array(
            fc.record({
              kind: fc.constantFrom(...KINDS),
              hours: often<Hours[]>([], hoursNear(date)),
              isActive: often(true, fc.constant(false), 8),
            }),
            { maxLength: 4 },
          ),
          away: fc.tuple(...[...STAFF, 0, 1, 2, 3].map(() => often<number[]>([], times(date, 2), 1))),
          taken: fc.tuple(...[...STAFF, 0, 1, 2, 3].map(() => times(date, 8))),
          ...{ stepMinutes, now },
        })
        .map((made) => {
          const staff: StaffMember[] = made.staff.map(({ hours, off }, index) => ({
            ...{ id: STAFF[index] ?? '', isActive: true, workingHours: hours },
            branchIds: off ? ['there'] : ['here', 'there'],
            serviceIds: ['service-0', 'service-1', 'service-2'],
          }));
          const resources: Resource[] = made.resources.map(({ kind, hours, isActive }, index) => ({
            ...{ id: `resource-${index}`, kind, isActive, branchId: 'here', workingHours: hours },
          }));
          const ids = [...STAFF, 'resource-0', 'resource-1', 'resource-2', 'resource-3'];
          const holidays = made.holidays.map((days) => ({ date: plus(date, days) }));
          const openingHours = made.openingHours.map(({ branchId, ...rest }) => rest);
          const from = plus(date, -made.before);
          return {
            branch: { id: 'here', timeZone, isActive: true, openingHours, holidays },
            ...{ services: made.services, staff, resources, from, to: plus(from, made.days) },
            ...{ stepMinutes: made.stepMinutes, now: Date.parse(`${date}T00:00:00Z`) + made.now },
            timeOff: new Map(ids.map((id, i) => [id, made.away[i] ?? []])),
            busy: new Map(ids.map((id, i) => [id, made.taken[i] ?? []])),
          };
        }),
    );

export const worlds: fc.Arbitrary<World> = worldsAt(PLACES);
