import { Temporal } from 'temporal-polyfill';
import { freeStarts } from '../src/calendar/availability.ts';
import type { Service, StaffMember } from '../src/calendar/catalogue.ts';
import type { AvailabilityQuestion } from '../src/calendar/sweep.ts';
import { instantTexts } from '../src/core/civil.ts';
import { offsetsOf } from '../src/core/offsets.ts';
import { overHttp } from './availability-stack.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { median, quantile, round } from './statistics.ts';
import { table } from './table.ts';

const STAFF = 50;
const DAYS = 31;
const BOOKINGS = 20_000;
const FROM = '2026-10-05';
const SWEEPS = 50;

const SERVICE: Service = {
  ...{ id: 'cut', name: 'Cut', isActive: true, durationMinutes: 30, price: null, taxes: [], staff: [] },
  ...{ bufferBeforeMinutes: 5, bufferAfterMinutes: 5, processing: [{ afterMinutes: 10, minutes: 10 }] },
  ...{ requires: ['chair'], leadTimeMinutes: null, horizonDays: null },
};
const WEEK = [1, 2, 3, 4, 5, 6].flatMap((weekday) => [
  { weekday, start: '08:00', end: '13:00' },
  { weekday, start: '13:30', end: '19:00' },
]);

/** 50 staff and as many chairs, each with a booking every 50 minutes, over 31 days in which Vienna's clocks change. */
async function question(): Promise<AvailabilityQuestion> {
  const first = Date.parse(`${FROM}T00:00:00Z`) / 60_000;
  const staff: StaffMember[] = Array.from({ length: STAFF }, (_, n) => ({
    ...{
      id: `staff-${n}`,
      isActive: true,
      branchIds: ['vienna'],
      serviceIds: ['cut'],
      workingHours: n % 2 ? WEEK : [],
    },
  }));
  const busy = new Map<string, number[]>();
  const each = Math.ceil(BOOKINGS / STAFF / DAYS);
  for (let n = 0; n < STAFF; n += 1) {
    const taken: number[] = [];
    for (let day = 0; day < DAYS; day += 1) {
      for (let k = 0; k < each; k += 1) {
        const start = first + day * 1440 + 360 + k * 50 + ((n * 7 + day * 3 + k * 11) % 15);
        taken.push(start, start + 30);
      }
    }
    busy.set(`staff-${n}`, taken).set(`chair-${n}`, taken);
  }
  return {
    branch: {
      id: 'vienna',
      timeZone: 'Europe/Vienna',
      isActive: true,
      openingHours: WEEK,
      holidays: [{ date: '2026-10-26' }],
    },
    offsets: offsetsOf('Europe/Vienna', first, first + DAYS * 1440),
    ...{ services: [SERVICE], staff, busy, timeOff: new Map(), stepMinutes: 15, now: 0 },
    resources: staff.map((_, n) => ({
      id: `chair-${n}`,
      kind: 'chair',
      branchId: 'vienna',
      isActive: true,
      workingHours: [],
    })),
    ...{ from: FROM, to: Temporal.PlainDate.from(FROM).add({ days: DAYS }).toString() },
  };
}

/** As it is commonly written: a loop of dates, each slot compared with each booking of its staff member and day. */
function naive({
  branch,
  staff,
  busy,
  from,
  to,
  stepMinutes,
  services: [service],
  resources,
}: AvailabilityQuestion): number {
  if (service === undefined) return 0;
  const zone = branch.timeZone;
  const bookings = (id: string): [number, number][] => {
    const times = busy.get(id) ?? [];
    return times.flatMap((start, i): [number, number][] => (i % 2 === 0 ? [[start, times[i + 1] ?? start]] : []));
  };
  let free = 0;
  for (const member of staff) {
    const theirs = bookings(member.id);
    for (let date = Temporal.PlainDate.from(from); date.toString() < to; date = date.add({ days: 1 })) {
      if (branch.holidays.some((holiday) => holiday.date === date.toString())) continue;
      const day = date.toZonedDateTime(zone).epochMilliseconds / 60_000;
      const near = ([start, end]: [number, number]): boolean => end > day - 60 && start < day + 1560;
      const today = theirs.filter(near);
      const chairs = resources.map(({ id }) => bookings(id).filter(near));
      for (const { weekday, start, end } of WEEK) {
        if (weekday !== date.dayOfWeek) continue;
        const close = date.toZonedDateTime({ timeZone: zone, plainTime: end });
        let slot = date.toZonedDateTime({ timeZone: zone, plainTime: start });
        for (; ; slot = slot.add({ minutes: stepMinutes })) {
          const visitEnd = slot.add({ minutes: service.durationMinutes });
          if (Temporal.ZonedDateTime.compare(visitEnd, close) > 0) break;
          const at = slot.epochMilliseconds / 60_000;
          const meets = (from: number, to: number) => (each: [number, number]) =>
            each[0] < at + to && at + from < each[1];
          if (today.some(meets(-5, 10)) || today.some(meets(20, 35))) continue;
          if (service.requires.length === 0 || chairs.some((taken) => !taken.some(meets(-5, 35)))) free += 1;
        }
      }
    }
  }
  return free;
}

function timed(run: () => unknown): number {
  const started = performance.now();
  run();
  return performance.now() - started;
}

/**
 * The sweep alone, what a Worker computes from busy lists it has, and the whole over HTTP with Postgres. `naive` is the same
 * question in the common way.
 */
export async function availability(options: BenchOptions): Promise<BenchResult> {
  const { rounds, progress } = options;
  const asked = await question();
  let starts = 0;
  const sweep = (): void => {
    starts = freeStarts(asked).reduce((sum, each) => sum + each.starts.length, 0);
  };
  const withTexts = (): unknown => freeStarts(asked).map((each) => instantTexts(each.starts));
  const measured: { round: number; sweepMs: number; sweepP95Ms: number; withTextsMs: number; naiveMs: number }[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    const sweeps = Array.from({ length: SWEEPS }, () => timed(sweep));
    const texts = Array.from({ length: SWEEPS }, () => timed(withTexts));
    const naiveMs = timed(() => {
      const free = naive(asked);
      if (free !== starts) throw new Error(`the naive form finds ${free} free starts, the sweep ${starts}`);
    });
    // Round 0 is when both are compiled.
    if (number === 0) continue;
    const [sweepMs, sweepP95Ms] = [round(median(sweeps), 3), round(quantile(sweeps, 0.95), 3)];
    measured.push({
      round: number,
      sweepMs,
      sweepP95Ms,
      withTextsMs: round(median(texts), 3),
      naiveMs: round(naiveMs, 1),
    });
    progress(`round ${number} of ${rounds}`);
  }
  const middle = (pick: (each: (typeof measured)[number]) => number): number => round(median(measured.map(pick)), 3);
  const alone: AvailabilityQuestion = { ...asked, services: [{ ...SERVICE, requires: [] }], resources: [] };
  const size = { staff: STAFF, days: DAYS, bookings: BOOKINGS, from: asked.from, to: asked.to };
  const http = await overHttp(options, size, (busy) => naive({ ...alone, busy }));
  const figures = {
    ...http.figures,
    ...{ staff: STAFF, days: DAYS, bookings: BOOKINGS, freeStarts: starts },
    sweepMs: middle((each) => each.sweepMs),
    sweepP95Ms: middle((each) => each.sweepP95Ms),
    withTextsMs: middle((each) => each.withTextsMs),
    naiveMs: middle((each) => each.naiveMs),
    ratio: round(median(measured.map((each) => each.sweepMs / each.naiveMs)), 6),
    rounds: measured,
  };
  return {
    lines: [
      `${starts} free starts of ${STAFF} staff in ${DAYS} days, with chairs, processing and buffers`,
      ...table([
        ['', 'ms'],
        ['sweep, median', figures.sweepMs],
        ['sweep, p95', figures.sweepP95Ms],
        ['sweep and instants as text', figures.withTextsMs],
        ['a loop of dates', figures.naiveMs],
      ]),
      '',
      ...table(http.lines),
    ],
    figures,
  };
}
