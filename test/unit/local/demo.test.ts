import { expect, test } from 'vitest';
import { demoClients } from '../../../local/demo/clients.ts';
import { clockOf, instantOf } from '../../../local/demo/clock.ts';
import { isHoliday, services, staff } from '../../../local/demo/company.ts';
import { demoWeek } from '../../../local/demo/week.ts';
import { type Taken, takenBy } from '../../../local/verify/calendar.ts';

// The demo company's week keeps the rules that the product would hold it to, on whichever day it is made.

const clients = demoClients.map(({ externalId }) => externalId);
const days = Array.from({ length: 366 }, (_, i) => new Date(Date.UTC(2027, 0, 1 + i)).toISOString().slice(0, 10));

/** What a day's bookings take of people and of things. */
const takenOn = (date: string): Taken[] =>
  demoWeek({ date, minutes: 720 }, clients, '').bookings.flatMap((booking) => {
    const service = services.find(({ externalId }) => externalId === booking.service);
    if (service === undefined || ['CANCELLED', 'NO_SHOW'].includes(booking.status)) return [];
    const part = { ...service, staffId: booking.staff, startOffsetMinutes: 0, bufferBeforeMinutes: 0 };
    const startsAt = new Date(Date.parse(booking.date) + booking.start * 60_000).toISOString();
    const resources = booking.resources.map((resourceId) => ({ resourceId }));
    return takenBy({ id: booking.externalId, startsAt, services: [part], resources });
  });

test('the same day makes the same week, around it, and never on Sundays and holidays', () => {
  for (const date of days.filter((_, i) => i % 9 === 0)) {
    const now = { date, minutes: 720 };
    const { bookings } = demoWeek(now, clients, '');
    expect(bookings).toEqual(demoWeek(now, clients, '').bookings);
    const dates = new Set(bookings.map((booking) => booking.date));
    expect(dates.size).toBeGreaterThanOrEqual(5);
    for (const each of dates) {
      expect(Math.abs(Date.parse(each) - Date.parse(date)) / 86_400_000).toBeLessThanOrEqual(5);
      expect(isHoliday(each) || new Date(each).getUTCDay() === 0).toBe(false);
    }
  }
});

test('nobody and no chair is booked twice, and somebody works while a colour develops', () => {
  let within = 0;
  for (const date of days.filter((_, i) => i % 9 === 0))
    for (const [subject, spans] of Map.groupBy(takenOn(date), (taken) => taken.subject)) {
      spans.sort((a, b) => a.from - b.from);
      for (const [i, span] of spans.entries()) {
        expect(span.from, `${subject} on ${date}`).toBeGreaterThanOrEqual(spans[i - 1]?.to ?? 0);
        if (spans[i - 1]?.by === spans[i + 1]?.by && i > 0 && span.by !== spans[i - 1]?.by) within += 1;
      }
    }
  expect(within).toBeGreaterThan(20);
});

test('bookings lie within the hours of who does them and their time off', () => {
  const { bookings, timeOff } = demoWeek({ date: '2027-03-10', minutes: 720 }, clients, '');
  for (const { staff: who, date, start, minutes } of bookings) {
    const member = staff.find(({ externalId }) => externalId === who);
    const weekday = new Date(date).getUTCDay();
    const [hours] = member?.workingHours.filter((each) => each.weekday === weekday) ?? [];
    const [from, to] = [hours?.start, hours?.end].map(
      (time = '') => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)),
    );
    expect(start).toBeGreaterThanOrEqual(from ?? 0);
    expect(start + minutes).toBeLessThanOrEqual(to ?? 0);
    for (const off of timeOff)
      if (off.staff === who && off.date === date) expect(start >= off.to || start + minutes <= off.from).toBe(true);
  }
  expect(timeOff).not.toHaveLength(0);
});

test('clocks of the company are read and set, in summer and in winter', () => {
  expect(instantOf('2027-01-15', 540)).toBe('2027-01-15T08:00:00.000Z');
  expect(instantOf('2027-07-15', 0)).toBe('2027-07-14T22:00:00.000Z');
  expect(clockOf(new Date('2027-07-14T22:30:00Z'))).toEqual({ date: '2027-07-15', minutes: 30 });
});
