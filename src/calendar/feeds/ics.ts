// iCalendar (RFC 5545) as far as a calendar of appointments needs it: pure text, all times in UTC.

export type CalendarEvent = {
  uid: string;
  /** Grows with each change. */
  sequence: number;
  /** Instants as UTC text. */
  created: string;
  modified: string;
  start: string;
  end: string;
  summary: string;
  location: string | null;
  status: 'TENTATIVE' | 'CONFIRMED' | 'CANCELLED';
};

const PRODUCT = '-//Clients+//Calendar 1//EN';
/** How often subscribers should look: a newer answer is there at once, an unchanged one costs a 304. */
const REFRESH = 'PT15M';
const MOST_OCTETS = 75;

/** A calendar with these events. */
export function calendarText(name: string, events: readonly CalendarEvent[]): string {
  return [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', `PRODID:${PRODUCT}`, 'CALSCALE:GREGORIAN'],
    ...[`NAME:${escaped(name)}`, `X-WR-CALNAME:${escaped(name)}`],
    ...[`REFRESH-INTERVAL;VALUE=DURATION:${REFRESH}`, `X-PUBLISHED-TTL:${REFRESH}`],
    ...(events.length === 0 ? NO_EVENT : events.flatMap(eventLines)),
    'END:VCALENDAR',
  ]
    .map((line) => `${folded(line)}\r\n`)
    .join('');
}

/** A calendar has one component at least (3.6). */
const NO_EVENT = [
  ...['BEGIN:VTIMEZONE', 'TZID:UTC', 'BEGIN:STANDARD', 'DTSTART:19700101T000000', 'TZOFFSETFROM:+0000'],
  ...['TZOFFSETTO:+0000', 'END:STANDARD', 'END:VTIMEZONE'],
];

const eventLines = (event: CalendarEvent): string[] => [
  'BEGIN:VEVENT',
  `UID:${event.uid}`,
  // Without a METHOD it says when the event last changed (3.8.7.2).
  `DTSTAMP:${stamp(event.modified)}`,
  `CREATED:${stamp(event.created)}`,
  `LAST-MODIFIED:${stamp(event.modified)}`,
  `SEQUENCE:${event.sequence}`,
  `DTSTART:${stamp(event.start)}`,
  `DTEND:${stamp(event.end)}`,
  `SUMMARY:${escaped(event.summary)}`,
  ...(event.location === null ? [] : [`LOCATION:${escaped(event.location)}`]),
  `STATUS:${event.status}`,
  `TRANSP:${event.status === 'CANCELLED' ? 'TRANSPARENT' : 'OPAQUE'}`,
  'END:VEVENT',
];

/** `2026-11-26T09:00:00.000Z` as `20261126T090000Z`. */
const stamp = (instant: string): string => `${instant.slice(0, 19).replace(/[-:]/g, '')}Z`;

/** TEXT (3.3.11), which holds no control characters. */
const escaped = (text: string): string =>
  text
    .replace(/\r\n?|\n/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
    .replace(/[\\;,]/g, '\\$&')
    .replaceAll('\n', '\\n');

const ASCII = /^[ -~]*$/;

/** Of a character in UTF-8. */
const octetsOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
};

/** A content line in pieces of at most 75 octets, no character torn apart (3.1). */
function folded(line: string): string {
  if (line.length <= MOST_OCTETS && (line.length * 3 <= MOST_OCTETS || ASCII.test(line))) return line;
  const pieces: string[] = [];
  let piece = '';
  let octets = 0;
  for (const character of line) {
    const size = octetsOf(character);
    if (octets + size > MOST_OCTETS) {
      pieces.push(piece);
      piece = '';
      // The space that the next line begins with.
      octets = 1;
    }
    piece += character;
    octets += size;
  }
  return [...pieces, piece].join('\r\n ');
}
