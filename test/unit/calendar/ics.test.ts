import fc from 'fast-check';
import ICAL from 'ical.js';
import { expect, test } from 'vitest';
import { type CalendarEvent, calendarText } from '../../../src/calendar/feeds/ics.ts';
import { mintSecret, parseFile } from '../../../src/calendar/feeds/secret.ts';
import { newUuid } from '../../../src/core/id.ts';

// Read back by a parser that nobody here wrote.

const event: CalendarEvent = {
  ...{ uid: 'appt_01h455vb4pex5vsknk084sn02q', sequence: 3, status: 'CONFIRMED' },
  ...{ created: '2026-11-01T08:00:00.123Z', modified: '2026-11-02T09:30:15.999Z' },
  ...{ start: '2026-11-26T08:30:00.000Z', end: '2026-11-26T09:15:00.000Z' },
  ...{ summary: 'Zoë · Cut, Colour', location: 'Centre; Main St 1\\2' },
};

const read = (text: string) => {
  const calendar = new ICAL.Component(ICAL.parse(text));
  return { calendar, events: calendar.getAllSubcomponents('vevent').map((each) => new ICAL.Event(each)) };
};

test('a calendar says what its appointments do', () => {
  const text = calendarText('Eve', [event, { ...event, uid: 'other', location: null, status: 'CANCELLED' }]);
  const { calendar, events } = read(text);
  expect(calendar.getFirstPropertyValue('version')).toBe('2.0');
  expect(calendar.getFirstPropertyValue('x-wr-calname')).toBe('Eve');
  const [first, second] = events;
  expect(first).toMatchObject({
    ...{ uid: event.uid, summary: event.summary, location: event.location, sequence: 3 },
  });
  const value = (of: typeof first, name: string): string => String(of?.component.getFirstPropertyValue(name));
  expect(first?.startDate.toJSDate().toISOString()).toBe(event.start);
  expect(first?.endDate.toJSDate().toISOString()).toBe(event.end);
  expect([value(first, 'dtstamp'), value(first, 'last-modified'), value(first, 'created')]).toEqual([
    ...['2026-11-02T09:30:15Z', '2026-11-02T09:30:15Z', '2026-11-01T08:00:00Z'],
  ]);
  expect([value(first, 'status'), value(first, 'transp')]).toEqual(['CONFIRMED', 'OPAQUE']);
  expect([value(second, 'status'), value(second, 'transp')]).toEqual(['CANCELLED', 'TRANSPARENT']);
  expect(second?.component.hasProperty('location')).toBe(false);
});

test('one without appointments still has a component', () => {
  const { calendar, events } = read(calendarText('Eve', []));
  expect(events).toEqual([]);
  expect(calendar.getAllSubcomponents('vtimezone')).toHaveLength(1);
});

test('whatever a text holds, its lines have at most 75 octets, end as they must, and give it back', () => {
  const words = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...';,\\:"\n\té😀', '\r\n', 'BEGIN:VEVENT'),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    ),
    maxLength: 120,
  });
  fc.assert(
    fc.property(words, words, (summary, name) => {
      const text = calendarText(name, [{ ...event, summary, location: summary }]);
      expect(text.endsWith('\r\n')).toBe(true);
      for (const line of text.slice(0, -2).split('\r\n')) {
        expect(line).not.toMatch(/[\r\n]/);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
        expect(line).toBe(Buffer.from(line).toString());
      }
      const [only, ...others] = read(text).events;
      expect(others).toEqual([]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a text of iCalendar holds none
      const kept = summary.replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
      expect([only?.summary, only?.location]).toEqual([kept, kept]);
    }),
    { numRuns: 300 },
  );
});

test('a secret names its company and calendar, and nothing that was changed about it is one', () => {
  const [companyId, id] = [newUuid(), newUuid()];
  const { secret, hash } = mintSecret(companyId, id);
  expect(parseFile(`${secret}.ics`)).toEqual({ companyId, id, hash });
  expect(mintSecret(companyId, id).secret).not.toBe(secret);
  for (const other of [
    secret,
    `${secret}.ICS`,
    `${secret}.ics/`,
    `${secret.slice(1)}.ics`,
    `${secret}a.ics`,
    '.ics',
    '',
  ])
    expect(parseFile(other), other).toBeNull();
  const swapped = `${secret.slice(22, 44)}${secret.slice(0, 22)}${secret.slice(44)}`;
  expect(parseFile(`${swapped}.ics`)?.hash).not.toEqual(hash);
});
