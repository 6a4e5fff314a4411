import { dayOf, type Row } from './files.ts';
import { distinct, type Tally } from './tally.ts';

/** What a calendar must hold. */
export type Visit = {
  client: string;
  staff: string;
  service: string;
  minutes: number;
  day: string;
  time: string;
  status: 'COMPLETED' | 'NO_SHOW' | 'CANCELLED';
};

/** The files tell the day of what was cancelled, not its hour. */
const NOON = '12:00';
const STATUSES = ['COMPLETED', 'NO_SHOW', 'CANCELLED'] as const;

/** @param minutes by service */
export function visitsOf(
  bookings: Row[],
  cancellations: Row[],
  noShows: Row[],
  minutes: ReadonlyMap<string, number>,
): Visit[] {
  const key = (row: Row): string => [row('Code'), row('Staff'), row('Service'), dayOf(row('Date'))].join('|');
  const visit = (row: Row, date: string): Visit => ({
    ...{ client: row('Code'), staff: row('Staff'), service: row('Service'), minutes: minutes.get(row('Service')) ?? 0 },
    ...{ day: dayOf(row(date)), time: NOON, status: 'CANCELLED' },
  });
  const absent = new Map<string, number>();
  for (const row of noShows) absent.set(key(row), (absent.get(key(row)) ?? 0) + 1);
  const visits = bookings.map((row): Visit => {
    const left = absent.get(key(row)) ?? 0;
    if (left > 0) absent.set(key(row), left - 1);
    return { ...visit(row, 'Date'), time: timeOf(Number(row('TimeInt'))), status: left > 0 ? 'NO_SHOW' : 'COMPLETED' };
  });
  const unknown = [...absent].filter(([, count]) => count > 0);
  if (unknown.length > 0) throw new Error(`no-shows without a booking: ${unknown.map(([name]) => name).join(', ')}`);
  return [...visits, ...cancellations.map((row) => visit(row, 'Booking Date'))];
}

const timeOf = (minutes: number): string =>
  [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

export const visitRow = ({ client, staff, service, minutes, day, time, status }: Visit, overlaps: boolean): string =>
  [client, staff, service, `${day}T${time}`, minutes, status, overlaps ? 'overlaps' : ''].join(' | ');

export function tallyVisits(tally: Tally, visits: readonly Visit[]): void {
  const count = (which: (visit: Visit) => boolean): number => visits.filter(which).length;
  tally.add('appointments', visits.length);
  for (const wanted of STATUSES)
    tally.add(
      `  ${wanted}`,
      count(({ status }) => status === wanted),
    );
  tally.add(
    '  of nobody in particular',
    count(({ client }) => client === ''),
  );
  for (const name of distinct(visits.map(({ staff }) => staff)))
    for (const wanted of STATUSES)
      tally.add(
        `  ${name} ${wanted}`,
        count(({ staff, status }) => staff === name && status === wanted),
      );
  for (const month of distinct(visits.map(({ day }) => day.slice(0, 7))))
    tally.add(
      `  in ${month}`,
      count(({ day }) => day.startsWith(month)),
    );
}

/** Those that begin before an earlier one of the same stylist has ended that is none of them itself. */
export function overlaps(visits: readonly Visit[]): Set<Visit> {
  // Without zone: no clock was changed at an hour at which somebody works.
  const start = ({ day, time }: Visit): number => Date.parse(`${day}T${time}:00Z`) / 60_000;
  const marked = new Set<Visit>();
  for (const name of distinct(visits.map(({ staff }) => staff))) {
    const present = visits.filter(({ staff, status }) => staff === name && status === 'COMPLETED');
    let ended = Number.NEGATIVE_INFINITY;
    for (const visit of present.toSorted((a, b) => start(a) - start(b))) {
      if (start(visit) < ended) marked.add(visit);
      else ended = start(visit) + visit.minutes;
    }
  }
  return marked;
}
