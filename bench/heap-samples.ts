/** What maps of an isolate hold, as it comes from where it comes from: each string of its own. */
import { randomUUID } from 'node:crypto';
import { incarnationOf } from '../src/data/pulse.ts';
import { decodeEntry, encodeEntry, entryOf } from '../src/data/tier.ts';

/** As one comes out of a token: in one piece. */
export const uuid = (): string => JSON.parse(JSON.stringify(randomUUID())) as string;

/** As one comes from Redis: every string its own. */
export function entry(size: number) {
  const loaded = {
    epoch: randomUUID(),
    revision: 7,
    body: 'x'.repeat(size),
    link: '</api/v1/clients?limit=50>; rel="first"',
  };
  const made = entryOf({ ...loaded, validUntil: null }, incarnationOf(randomUUID(), randomUUID()), 60, 1000);
  return decodeEntry(encodeEntry(made, loaded.body)) ?? made;
}

/** Minutes. */
export const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => 29_000_000 + 15 * i);

/** A branch with its people, as rows come from Postgres; `more` is what hangs on each. */
export function calendarOf(people: number, more: number) {
  const hours = () =>
    Array.from({ length: more }, (_, i) => ({ weekday: 1 + (i % 7), start: `0${i % 9}:00`, end: `1${i % 9}:00` }));
  const staff = Array.from({ length: people }, () => {
    return {
      id: uuid(),
      isActive: true,
      branchIds: [uuid()],
      serviceIds: Array.from({ length: more }, uuid),
      workingHours: hours(),
    };
  });
  const service = {
    durationMinutes: 30,
    bufferBeforeMinutes: 0,
    bufferAfterMinutes: 0,
    processing: [],
    requires: [],
    price: null,
  };
  const terms = () =>
    Array.from({ length: more }, () => ({ staffId: uuid(), price: { amount: 1000, currency: 'EUR' } }));
  const services = Array.from({ length: 5 }, () => {
    return {
      ...service,
      id: uuid(),
      name: uuid(),
      isActive: true,
      taxes: [],
      staff: terms(),
      leadTimeMinutes: null,
      horizonDays: null,
    };
  });
  const branch = { id: uuid(), timeZone: 'Europe/Vienna', isActive: true, openingHours: hours(), holidays: [] };
  const rows = JSON.parse(JSON.stringify({ branch, services, staff })) as {
    branch: typeof branch;
    services: typeof services;
    staff: typeof staff;
  };
  return {
    branch: rows.branch,
    services: new Map(rows.services.map((each) => [each.id, each])),
    staff: new Map(rows.staff.map((each) => [each.id, each])),
    resources: [],
    timeOff: new Map(),
    busy: new Map(rows.staff.map(({ id }) => [id, Array.from({ length: 4 * more }, (_, i) => 1_440_000 + 30 * i)])),
  };
}
