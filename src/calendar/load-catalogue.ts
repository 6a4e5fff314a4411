import { type SQL, sql } from 'drizzle-orm';
import type { branches } from '../catalog/branches/table.ts';
import type { resources } from '../catalog/resources/table.ts';
import type { services } from '../catalog/services/table.ts';
import type { staff } from '../catalog/staff/table.ts';
import type { TableRow } from '../data/query.ts';
import type { Catalogue } from './booking.ts';
import { type BusyRow, busyOf } from './busy-slices.ts';
import type { Branch, Resource, Service, StaffMember, Times } from './catalogue.ts';
import { daysOf } from './spans.ts';

/** What of a company's catalogue and calendar is asked for. Ids are uuids; one that nobody has finds nothing. */
export type Wanted = {
  companyId: string;
  branchId: string;
  serviceIds: readonly string[];
  /** Null: whoever is active, works at the branch and offers all of the services. */
  staffIds: readonly string[] | null;
  /** Of resources, besides those that the services require. */
  kinds?: readonly string[];
  /** Minutes since 1970 between which absences count. */
  first: number;
  last: number;
  /** Whether bookings and holds are wanted: on all days of that time, or between these pairs of days alone. */
  busy?: boolean | readonly number[];
};

/** Whose, where its stretches begin and where they end. */
type Stretches = [id: string, starts: number[], ends: number[]];

/** What of staff the calendar asks. */
type MemberRow = Pick<TableRow<typeof staff>, 'id' | 'is_active' | 'branch_ids' | 'service_ids' | 'working_hours'>;

export type CatalogueRow = {
  branch: TableRow<typeof branches> | null;
  services: TableRow<typeof services>[];
  staff: MemberRow[];
  resources: TableRow<typeof resources>[];
  away: Stretches[];
  busy: BusyRow[];
};

/** What bookings are planned from, and what is busy; `busyUntil`: when a hold among that expires, ms since 1970. */
export type LoadedCatalogue = Catalogue & { busy: Times; busyUntil: number | null };

/** What keeps these subjects busy between pairs of days, as JSON. */
const busyOn = (subjects: SQL, days: readonly number[]): SQL =>
  sql`(select coalesce(json_agg(json_build_array(k.subject_id, k.days, k.pieces, k.held)), '[]') from app.busy_on(${subjects}, ${sql.param([...days])}::int[]) k)`;

/** The same for itself. */
export const busyQuery = (subjects: readonly string[], days: readonly number[]): SQL<{ busy: BusyRow[] }> =>
  sql<{ busy: BusyRow[] }>`select ${busyOn(uuids(subjects), days)} as busy`;

const uuids = (ids: readonly string[]): SQL => sql`${sql.param([...new Set(ids)])}::uuid[]`;

/** All of it in one row of one statement, so that it takes one trip beside whatever else is read. */
export function catalogueQuery({ companyId, branchId, kinds = [], ...wanted }: Wanted): SQL<CatalogueRow> {
  const { serviceIds, staffIds, first, last, busy = false } = wanted;
  const own = sql`x.company_id = ${companyId}::uuid`;
  const asked = uuids(serviceIds);
  const whom =
    staffIds === null
      ? sql`x.is_active and x.id in (select b.staff_id from staff_branches b where b.company_id = x.company_id and b.branch_id = ${branchId}::uuid)
        and not exists (select from unnest(${asked}) s (id) where not exists (select from offers o
          where o.company_id = x.company_id and o.service_id = s.id and o.staff_id = x.id))`
      : sql`x.id = any (${uuids(staffIds)})`;
  const subjects = sql`array(select id from members) || array(select id from things)`;
  const span = sql`to_timestamp(${first * 60}::double precision), to_timestamp(${last * 60}::double precision)`;
  const days = busy === true ? daysOf([first, last]) : busy;
  const taken = days === false || days.length === 0 ? sql`'[]'::json` : busyOn(subjects, days);
  return sql<CatalogueRow>`with offered as materialized (select x.* from services x where ${own} and x.id = any (${asked})),
    members as materialized (select x.* from staff x where ${own} and ${whom}),
    things as materialized (select x.* from resources x where ${own} and x.branch_id = ${branchId}::uuid
      and x.kind in (select unnest(o.requires) from offered o union select unnest(${sql.param([...kinds])}::text[])))
    select (select to_json(x) from branches x where ${own} and x.id = ${branchId}::uuid) as branch,
      (select coalesce(json_agg(to_json(o)), '[]') from offered o) as services,
      (select coalesce(json_agg(json_build_object('id', m.id, 'is_active', m.is_active, 'branch_ids', m.branch_ids, 'service_ids', m.service_ids,
        'working_hours', m.working_hours) order by m.name, m.id), '[]') from members m) as staff,
      (select coalesce(json_agg(to_json(t) order by t.name, t.id), '[]') from things t) as resources,
      (select coalesce(json_agg(json_build_array(a.subject_id, a.starts, a.ends)), '[]') from app.away(${subjects}, ${span}) a) as away,
      ${taken} as busy`;
}

/** That row as the rules of the calendar take it, but for what is busy. */
export function catalogueOf(row: CatalogueRow, revision: number): Catalogue {
  return {
    revision,
    branch: row.branch === null ? null : branchOf(row.branch),
    services: byId(row.services.map(serviceOf)),
    staff: byId(row.staff.map(memberOf)),
    resources: row.resources.map(resourceOf),
    timeOff: timesOf(row.away),
  };
}

/** With what is busy, all of it as it was read. */
export function loadedOf(row: CatalogueRow, revision: number): LoadedCatalogue {
  const { busy, until } = busyOf(row.busy);
  return { ...catalogueOf(row, revision), busy, busyUntil: until };
}

const byId = <T extends { id: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]));

function timesOf(all: readonly Stretches[]): Times {
  return new Map(all.map(([id, starts, ends]) => [id, starts.flatMap((start, i) => [start, ends[i] ?? start])]));
}

const branchOf = (row: TableRow<typeof branches>): Branch => ({
  id: row.id,
  timeZone: row.time_zone,
  isActive: row.is_active,
  openingHours: row.opening_hours,
  holidays: row.holidays,
});

export const serviceOf = (row: TableRow<typeof services>): Service => ({
  id: row.id,
  name: row.name,
  isActive: row.is_active,
  durationMinutes: row.duration_minutes,
  bufferBeforeMinutes: row.buffer_before_minutes,
  bufferAfterMinutes: row.buffer_after_minutes,
  processing: row.processing,
  requires: row.requires,
  price: row.price,
  taxes: row.taxes,
  staff: row.staff,
  leadTimeMinutes: row.lead_time_minutes,
  horizonDays: row.horizon_days,
});

const memberOf = (row: MemberRow): StaffMember => ({
  id: row.id,
  isActive: row.is_active,
  branchIds: row.branch_ids,
  serviceIds: row.service_ids,
  workingHours: row.working_hours,
});

const resourceOf = (row: TableRow<typeof resources>): Resource => ({
  id: row.id,
  kind: row.kind,
  branchId: row.branch_id,
  isActive: row.is_active,
  workingHours: row.working_hours,
});
