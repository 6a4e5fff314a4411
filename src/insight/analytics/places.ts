import { type SQL, sql } from 'drizzle-orm';
import type { Viewer } from '../../data/registry.ts';
import type { Principal } from '../../http/context.ts';
import { TTL } from '../../resources/read.ts';
import type { Resource } from '../../resources/resource.ts';
import { beside, ownRows } from '../../resources/row-sql.ts';
import { PERMISSION } from './query.ts';

/** F2: figures may be a minute old, ms, unless a caller says what they have seen. */
const MAX_STALE = 60_000;

/** What an answer takes that groups all of a company's rows, KiB (computing.ts). */
const EFFORT = 256;

/** Of whom a statement is: the company, and the branch where one is named. */
export type Whose = { companyId: string; branchId: string | null };

/**
 * As a common table `p`: the company's currency, the zone that days are of, and what it is there now. One row, whatever else there
 * is; a branch that is none leaves the company's zone.
 */
export const place = ({ companyId, branchId }: Whose): SQL => sql`p as materialized (
  select w.*, k.known_from, k.known_until, k.changes, k.offsets, now() as at, l.now::date as today, date_trunc('month', l.now)::date as month
  from (select c.currency, coalesce(b.time_zone, c.time_zone) as zone from companies c
    left join branches b on b.company_id = c.id and b.id = ${branchId}::uuid where c.id = ${companyId}::uuid) w
  left join app.zones k on k.name = w.zone, lateral (select app.local_at(w.zone, now()) as now) l)`;

/** The rows of a table that are this company's and branch's, as far as whoever asks sees them. */
export function own(resource: Resource, viewer: Viewer, { branchId }: Pick<Whose, 'branchId'>): SQL {
  const there = branchId === null ? sql`` : sql` and ${resource.table}.branch_id = ${branchId}::uuid`;
  return sql`${ownRows(resource, viewer)}${there}${beside(resource, viewer)}`;
}

/** The day of an instant in the zone of `p`, as `app.local_at` has it, which called for each row would take longer than all the rest. */
const dayOfInstant = (at: SQL): SQL => sql`case when ${at} >= p.known_from and ${at} < p.known_until
    then (${at} at time zone 'UTC' + p.offsets[1 + width_bucket(${at}, p.changes)] * interval '1 minute')::date
  else (${at} at time zone p.zone)::date end`;

/** The day of an appointment in the zone of `p`. Where that is its own, what was kept of it counts (src/calendar/clock.ts). */
export const DAY = sql`case when appointments.time_zone = p.zone then appointments.local_date else ${dayOfInstant(sql`appointments.starts_at`)} end`;

/**
 * Appointments with their day, as `day`, of the days from `first` to before `end`, which may be expressions of `p`: a range of the
 * index of days. Two zones differ by 26 hours at most.
 */
export function appointmentDays(
  resource: Resource,
  viewer: Viewer,
  { first, end, ...whose }: Whose & { first: SQL; end: SQL },
  columns: SQL,
  more: SQL = sql``,
): SQL {
  // Of one branch days are as its lists have them.
  const [day, wide] = whose.branchId === null ? [DAY, sql`2`] : [sql`appointments.local_date`, sql`0`];
  return sql`select ${columns}, ${day} as day from p, appointments where ${own(resource, viewer, whose)}
    and appointments.local_date >= ${first} - ${wide} and appointments.local_date < ${end} + ${wide} and ${day} >= ${first} and ${day} < ${end}${more}`;
}

/**
 * How many appointments there are of each day, status and `key`, as `n`: the common tables `h` and `a`. Heaped by what is kept of
 * them, so that the day in another zone is worked out for those alone that are told in one, and from the index alone where it has the key.
 */
export function appointmentHeaps(
  resource: Resource,
  viewer: Viewer,
  { first, end, ...whose }: Whose & { first: SQL; end: SQL },
  key: SQL,
): SQL {
  const [ownDay, otherAt, wide] =
    whose.branchId === null
      ? [
          sql`case when appointments.time_zone = p.zone then appointments.local_date end`,
          sql`case when appointments.time_zone <> p.zone then appointments.starts_at end`,
          sql`2`,
        ]
      : [sql`appointments.local_date`, sql`null::timestamptz`, sql`0`];
  return sql`h as (select ${ownDay} as day, ${otherAt} as at, ${key} as key, appointments.status, count(*) as n from p, appointments
      where ${own(resource, viewer, whose)} and appointments.local_date >= ${first} - ${wide} and appointments.local_date < ${end} + ${wide} group by 1, 2, 3, 4),
    a as (select d.* from p, h, lateral (select coalesce(h.day, ${dayOfInstant(sql`h.at`)}) as day, h.key, h.status, h.n) d where d.day >= ${first} and d.day < ${end})`;
}

/** Whether a day is of the span itself and not of the one before it, where that is asked for. */
export const isCurrent = ({ from, before }: { from: string; before: string }, day: SQL): SQL =>
  from === before ? sql`true` : sql`${day} >= ${date(from)}`;

/** How figures of these resources are read. Who sees not all of their rows is answered apart. */
export function readOf(resources: readonly Resource[]) {
  const partial = resources.flatMap(({ visibility }) => visibility ?? []);
  return {
    ...{ permission: PERMISSION, ttl: TTL.analytics, maxStale: MAX_STALE, effort: EFFORT, isHeavy: () => true },
    ...(partial.length > 0 && {
      scope: (principal: Principal) => partial.map(({ scope }) => scope(principal)).join('|'),
    }),
  };
}

export const date = (text: string): SQL => sql`${text}::date`;

/** What the object is called that a group is of; null where keys are no ids. */
export const named = (table: SQL | undefined, companyId: string): SQL =>
  table === undefined
    ? sql`null`
    : sql`(select n.name from ${table} n where n.company_id = ${companyId}::uuid and n.id = g.key::uuid)`;
