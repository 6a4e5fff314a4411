import { type SQL, sql } from 'drizzle-orm';
import { DAY_MINUTES, dateOf, instantTexts, minuteOf } from '../../core/civil.ts';
import { formatId } from '../../core/id.ts';
import { instantOf } from '../../core/instant.ts';
import { bytea } from '../../data/query.ts';
import type { AppointmentStatus } from '../appointments/table.ts';
import type { CalendarEvent } from './ics.ts';
import type { FeedClaim } from './secret.ts';

/** How far a calendar reaches, days before and after today; and how many appointments it shows, those to come first. */
const [BEFORE, AFTER] = [30, 366];
const MOST = 2000;

/** Whose calendar it is. `hash` in hexadecimal digits. */
type FeedRow = {
  hash: string;
  staff_id: string | null;
  name: string;
  is_active: boolean;
};

export const feedQuery = ({ companyId, id }: FeedClaim): SQL<FeedRow> => sql<FeedRow>`
  select encode(app.calendar_hash(c.id), 'hex') as hash, c.staff_id, coalesce(s.name, b.name) as name, coalesce(s.is_active, b.is_active) as is_active
  from calendars c left join staff s on s.company_id = c.company_id and s.id = c.staff_id
    left join branches b on b.company_id = c.company_id and b.id = c.branch_id
  where c.company_id = ${companyId}::uuid and c.id = ${id}::uuid`;

type Place = { name: string; address: { line1?: string; line2?: string; postalCode?: string; city?: string } | null };
type PartRow = { name: string; staffId: string; staff: string; offset: number; minutes: number };

/** An appointment of a calendar; `client`: null for nobody, and for somebody who was erased. */
type EventRow = {
  id: string;
  status: AppointmentStatus;
  version: number;
  created_at: string;
  updated_at: string;
  starts_at: string;
  client: string | null;
  branch: Place;
  parts: PartRow[];
};

/** Its appointments around a day of UTC; cancelled ones as long as that is news. Finds none for another secret. */
export const eventsQuery = ({ companyId, id, hash }: FeedClaim, today: number): SQL<EventRow> => {
  const [from, to] = [dateOf(today - BEFORE), dateOf(today + AFTER)];
  const now = sql`(${dateOf(today)}::date::timestamp at time zone 'UTC')`;
  const own = sql`a.company_id = ${companyId}::uuid`;
  return sql<EventRow>`with feed as materialized (select c.* from calendars c
      where c.company_id = ${companyId}::uuid and c.id = ${id}::uuid and app.calendar_hash(c.id) = ${bytea(hash)}),
    shown as materialized (
      select a.* from feed f join appointments a on ${own} and a.branch_id = f.branch_id and a.local_date >= ${from}::date and a.local_date < ${to}::date
      union all
      select a.* from feed f join lateral (select distinct p.appointment_id from appointment_parts p where p.company_id = ${companyId}::uuid
          and p.staff_id = f.staff_id and p.local_date >= ${from}::date and p.local_date < ${to}::date) p on true
        join appointments a on ${own} and a.id = p.appointment_id),
    nearest as (select * from shown a where a.status not in ('CANCELLED', 'NO_SHOW') or a.updated_at >= ${from}::date
      order by a.starts_at < ${now}, abs(extract(epoch from a.starts_at - ${now})), a.id limit ${MOST})
    select a.id, a.status, a.version, a.created_at, a.updated_at, a.starts_at,
      (select c.name from clients c where c.company_id = a.company_id and c.id = a.client_id and c.erased_at is null) as client,
      (select jsonb_build_object('name', b.name, 'address', b.address) from branches b where b.company_id = a.company_id and b.id = a.branch_id) as branch,
      (select jsonb_agg(jsonb_build_object('name', p ->> 'name', 'staffId', p ->> 'staffId', 'staff', s.name,
          'offset', (p ->> 'startOffsetMinutes')::int, 'minutes', (p ->> 'durationMinutes')::int) order by n)
        from jsonb_array_elements(a.services) with ordinality x (p, n)
          left join staff s on s.company_id = a.company_id and s.id = (p ->> 'staffId')::uuid) as parts
    from nearest a order by a.starts_at, a.id`;
};

const STATUSES: Readonly<Partial<Record<AppointmentStatus, CalendarEvent['status']>>> = {
  PENDING: 'TENTATIVE',
  CANCELLED: 'CANCELLED',
  NO_SHOW: 'CANCELLED',
};

/** What was booked and for whom, and nothing else of the person. In a staff member's calendar their own part of it alone. */
export function eventOf(row: EventRow, staffId: string | null): CalendarEvent {
  const parts = staffId === null ? row.parts : row.parts.filter((part) => part.staffId === staffId);
  const begun = minuteOf(row.starts_at);
  const [start = '', end = ''] = instantTexts([
    begun + Math.min(...parts.map(({ offset }) => offset)),
    begun + Math.max(...parts.map(({ offset, minutes }) => offset + minutes)),
  ]);
  const what = parts.map(({ name }) => name).join(', ');
  const who = staffId === null ? [...new Set(parts.map(({ staff }) => staff))].join(', ') : null;
  return {
    uid: formatId('appt', row.id),
    sequence: row.version,
    created: instantOf(row.created_at) ?? '',
    modified: instantOf(row.updated_at) ?? '',
    ...{ start, end },
    summary: [row.client, what, who].filter((text) => text !== null && text !== '').join(' · '),
    location: locationOf(row.branch),
    status: STATUSES[row.status] ?? 'CONFIRMED',
  };
}

const locationOf = ({ name, address }: Place): string =>
  [name, address?.line1, address?.line2, [address?.postalCode, address?.city].filter(Boolean).join(' ')]
    .filter(Boolean)
    .join(', ');

/** The day of UTC, and when the next one moves the window, ms. */
export function dayAt(now: number): { today: number; until: number } {
  const today = Math.floor(now / (DAY_MINUTES * 60_000));
  return { today, until: (today + 1) * DAY_MINUTES * 60_000 };
}
