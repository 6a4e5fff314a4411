import { expect, test } from 'vitest';
import { legalStatuses, noOverlap } from '../../../local/verify/calendar.ts';
import { listsAgree } from '../../../local/verify/lists.ts';
import { type Event, gapless } from '../../../local/verify/log.ts';
import { breaches, logOf } from './verify-log.ts';

// The laws of `npm run verify`: each holds for a small company, and names what was broken in it.

const part = (staffId: string, more: object = {}) => ({
  ...{ staffId, startOffsetMinutes: 0, durationMinutes: 60, bufferBeforeMinutes: 0, bufferAfterMinutes: 15 },
  processing: [],
  ...more,
});
const appointment = (startsAt: string, more: object = {}) => ({
  ...{ startsAt: `2026-11-02T${startsAt}:00.000Z`, status: 'CONFIRMED', source: 'STAFF', allowOverlap: false },
  services: [part('stf_a')],
  resources: [],
  ...more,
});
test('a log with its end and without gaps', () => {
  const events = logOf(['a', 'client.created', {}], ['a', 'client.updated', {}]);
  expect(breaches(gapless(events, 2))).toBe(0);
  expect(breaches(gapless(events, 3))).toBe(1);
  expect(breaches(gapless(events.slice(1), 2))).toBe(1);
});

const CUT = { services: [part('stf_a', { durationMinutes: 90, processing: [{ afterMinutes: 30, minutes: 30 }] })] };
test.each<[string, [string, string, object][], number]>([
  [
    'apart by the buffer',
    [
      ['1', '', appointment('09:00')],
      ['2', '', appointment('10:15')],
    ],
    0,
  ],
  [
    'within the buffer',
    [
      ['1', '', appointment('09:00')],
      ['2', '', appointment('10:14')],
    ],
    1,
  ],
  [
    'by another',
    [
      ['1', '', appointment('09:00')],
      ['2', '', appointment('09:00', { services: [part('stf_b')] })],
    ],
    0,
  ],
  [
    'while a colour develops',
    [
      ['1', '', appointment('09:00', CUT)],
      ['2', '', appointment('09:30', { services: [part('stf_a', { durationMinutes: 15 })] })],
    ],
    0,
  ],
  [
    'longer than a colour develops',
    [
      ['1', '', appointment('09:00', CUT)],
      ['2', '', appointment('09:30', { services: [part('stf_a', { durationMinutes: 20 })] })],
    ],
    1,
  ],
  [
    'beside a cancelled one',
    [
      ['1', '', appointment('09:00', { status: 'CANCELLED' })],
      ['2', '', appointment('09:00')],
    ],
    0,
  ],
  [
    'on purpose',
    [
      ['1', '', appointment('09:00', { allowOverlap: true })],
      ['2', '', appointment('09:00')],
    ],
    0,
  ],
  [
    'moved away',
    [
      ['1', '', appointment('09:00')],
      ['2', '', appointment('09:00')],
      ['2', '', appointment('12:00')],
    ],
    0,
  ],
  [
    'in the same chair',
    [
      ['1', '', appointment('09:00', { resources: [{ resourceId: 'r' }] })],
      ['2', '', appointment('09:30', { services: [part('stf_b')], resources: [{ resourceId: 'r' }] })],
    ],
    1,
  ],
])('two bookings %s', (_, states, found) => {
  const events = logOf(...states.map(([id, , data]): [string, string, object] => [id, 'appointment.updated', data]));
  expect(breaches(noOverlap(events))).toBe(found);
});

const step = (status: string) => ({ status, at: '2026-11-01T08:00:00.000Z', by: 'usr_1', reason: null });
/** An appointment's states: each the statuses its history tells by then. */
const histories = (source: string, ...states: string[][]) =>
  logOf(
    ...states.map((statuses): [string, string, object] => [
      '1',
      'appointment.updated',
      appointment('09:00', { source, status: statuses.at(-1), statusHistory: statuses.map(step) }),
    ]),
  );
test.each<[string, Event[], number]>([
  [
    'step by step',
    histories(
      'STAFF',
      ['PENDING'],
      ['PENDING', 'CONFIRMED'],
      ['PENDING', 'CONFIRMED'],
      ['PENDING', 'CONFIRMED', 'NO_SHOW'],
    ),
    0,
  ],
  [
    'several steps at once',
    histories('API', ['CONFIRMED'], ['CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED']),
    0,
  ],
  ['a step left out', histories('STAFF', ['CONFIRMED'], ['CONFIRMED', 'COMPLETED']), 1],
  [
    'back from the end',
    histories('STAFF', ['CONFIRMED'], ['CONFIRMED', 'CANCELLED'], ['CONFIRMED', 'CANCELLED', 'PENDING']),
    1,
  ],
  ['a wrong beginning', histories('STAFF', ['NO_SHOW']), 1],
  ['any beginning of what was imported', histories('IMPORT', ['COMPLETED']), 0],
  ['no liberties after that', histories('IMPORT', ['COMPLETED'], ['COMPLETED', 'CONFIRMED']), 1],
  ['a step forgotten', histories('STAFF', ['PENDING'], ['PENDING', 'CONFIRMED'], ['CONFIRMED']), 1],
  [
    'a status without its step',
    logOf(['1', '', appointment('09:00', { status: 'NO_SHOW', statusHistory: [step('CONFIRMED')] })]).map((event) => ({
      ...event,
      type: 'appointment.created',
    })),
    1,
  ],
])('a history of statuses: %s', (_, events, found) => expect(breaches(legalStatuses(events))).toBe(found));

test('a hold keeps its time until it is deleted', () => {
  const hold = { ...appointment('09:30'), expiresAt: '2026-11-01T08:00:00.000Z' };
  const events = logOf(['1', 'appointment.created', appointment('09:00')], ['2', 'hold.created', hold]);
  expect(breaches(noOverlap(events))).toBe(1);
  const deleted: Event = { revision: 3, type: 'hold.deleted', entityId: '2', data: null };
  expect(breaches(noOverlap([...events, deleted]))).toBe(0);
});

test('what is listed is what the log says', () => {
  const events = logOf(
    ['1', 'client.created', { id: '1', version: 1, name: 'A' }],
    ['1', 'client.updated', { id: '1', version: 2, name: 'B' }],
    ['2', 'client.created', { id: '2', version: 1, name: 'C' }],
    ['3', 'client.created', { id: '3', version: 1, name: 'D' }],
  );
  const listed = (...rows: { id: string; version: number; name: string }[]) =>
    breaches(listsAgree(events, 3, new Map([['client', rows]])));
  const [a, b, c] = [
    { id: '1', version: 1, name: 'A' },
    { id: '1', version: 2, name: 'B' },
    { id: '2', version: 1, name: 'C' },
  ];
  expect(listed(b, c)).toBe(0);
  expect(listed(a, c)).toBe(1);
  expect(listed(b)).toBe(1);
  expect(listed(b, { ...c, name: 'X' })).toBe(1);
  expect(listed(b, { ...c, version: 2 })).toBe(1);
  expect(listed(b, c, c)).toBe(1);
});
