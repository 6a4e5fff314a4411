import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { documentFields, exampleEnd } from '../../http/schemas.ts';

const SECRET = 'AZkZ0000dAC8FhI5ZPJ0RgGZGdAAAHUAvBYSOWTydEZk3q8yH1c5v0b9xWnLrT6uE2sKjPzA4mGdQfXoYhVC7iB';

export const CalendarAddress = lazy(() =>
  z
    .object({
      url: z.string().describe('What calendars subscribe to. Whoever knows it reads it; it is shown this once.'),
    })
    .meta({ id: 'CalendarAddress', examples: [{ url: `https://api.example.com/api/v1/calendars/${SECRET}.ics` }] }),
);

export const CalendarView = lazy(() =>
  z
    .object({
      id: z.string().describe('Its public id.'),
      staffId: z.string().nullable().describe('Whose appointments it shows; null: those of a branch.'),
      branchId: z
        .string()
        .nullable()
        .describe('The branch whose appointments it shows; null: those of a staff member.'),
      ...documentFields(),
    })
    .meta({
      id: 'Calendar',
      examples: [
        {
          id: 'cal_01h455vb4pex5vsknk084sn02q',
          staffId: 'stf_01h455vb4pex5vsknk084sn02q',
          branchId: null,
          ...exampleEnd,
        },
      ],
    }),
);

const FILE = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//Clients+//Calendar 1//EN',
  'BEGIN:VEVENT',
  '…',
  'END:VCALENDAR',
];

export const CalendarFile = lazy(() =>
  z.string().meta({ id: 'CalendarFile', description: 'iCalendar, RFC 5545.', examples: [FILE.join('\r\n')] }),
);
