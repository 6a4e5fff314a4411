import { type SQL, sql } from 'drizzle-orm';
import { dateOf, dayOf } from '../../core/civil.ts';
import type { Filtered, ListQuery } from '../../core/list-query.ts';
import type { Change, Row } from '../../data/log.ts';
import type { Filter } from '../../data/narrow.ts';
import type { Part } from '../parts.ts';

/** Days of the branch that a query asks for, the second not included; null where it leaves an end open. */
type Days = { from: string | null; to: string | null };

const dateIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function daysOf({ filters }: Filtered): Days {
  const date = dateIn(filters.date);
  const froms = [date, dateIn(filters.from)].filter((day) => day !== null).sort();
  const tos = [date === null ? null : dayAfter(date), dateIn(filters.to)].filter((day) => day !== null).sort();
  return { from: froms.at(-1) ?? null, to: tos[0] ?? null };
}

const dayAfter = (date: string): string => dateOf(dayOf(date) + 1);

/** A date of the years Postgres writes with four digits, which is all that appointments have. */
const instantAt = (date: string, hours: number): SQL =>
  sql`(${date}::date::timestamp at time zone 'UTC' + make_interval(hours => ${hours}::int))`;

/** So many days of one staff member or branch are found by their days; of more, what holds all that is theirs is asked. */
const FEW_DAYS = 31;

/**
 * What finds the rows of a query that is about days, people or places: the index of days or of people, whichever knows
 * more, and for lists in order of time the range of it. Zones reach from 14 hours before UTC to 12 behind.
 */
export function found(query: Filtered): Filter[] {
  const { filters } = query;
  const { from, to } = daysOf(query);
  const own = sql`a.company_id = app.company()`;
  const days = (column: SQL): SQL[] => [
    ...(from === null ? [] : [sql`${column} >= ${from}::date`]),
    ...(to === null ? [] : [sql`${column} < ${to}::date`]),
  ];
  const where = sql.join(
    [
      ...(from === null ? [] : [sql`appointments.starts_at >= ${instantAt(from, -14)}`]),
      ...(to === null ? [] : [sql`appointments.starts_at < ${instantAt(to, 12)}`]),
      sql`true`,
    ],
    sql` and `,
  );
  const dated = from !== null && to !== null;
  const fewDays = dated && dayOf(to) - dayOf(from) <= FEW_DAYS;
  const isHeld = filters.staffId !== undefined || filters.branchId !== undefined;
  const select = (more: readonly SQL[], most: number, order: SQL = sql``): SQL =>
    sql`(select a.* from appointments a where ${sql.join([own, ...more], sql` and `)} ${order} limit ${most})`;
  const find = (): ((most: number) => SQL) | undefined => {
    if (filters.seriesId !== undefined) return (most) => select([sql`a.series_id = ${filters.seriesId}::uuid`], most);
    if (filters.staffId !== undefined && fewDays)
      return (most) =>
        select(
          [
            sql`a.id in (select p.appointment_id from appointment_parts p where p.company_id = app.company()
              and p.staff_id = ${filters.staffId}::uuid and ${sql.join([...days(sql`p.local_date`), sql`true`], sql` and `)})`,
          ],
          most,
        );
    if (filters.clientId !== undefined)
      return (most) => select([sql`a.client_id = ${filters.clientId}::uuid`], most, sql`order by a.created_at desc`);
    if (!dated || (isHeld && !fewDays)) return undefined;
    const branch = filters.branchId === undefined ? [] : [sql`a.branch_id = ${filters.branchId}::uuid`];
    return (most) => select([...branch, ...days(sql`a.local_date`)], most);
  };
  const finding = find();
  const isRange = from !== null || to !== null;
  const range = { where, holds: implied, ...(isRange && { property: 'starts_at' }) };
  if (finding !== undefined) return [range, { where: sql`true`, holds: implied, find: finding }];
  if (filters.branchId === undefined) return isRange ? [range] : [];
  // The index of a branch's days holds all that is asked of them; left to itself the planner takes one of the whole company's.
  const there = sql.join([own, sql`a.branch_id = ${filters.branchId}::uuid`, ...days(sql`a.local_date`)], sql` and `);
  const held = { rows: sql`(select a.* from appointments a where ${there} offset 0)`, along: null };
  return [...(isRange ? [range] : []), { where: sql`true`, holds: implied, held }];
}

/** Of what only finds rows: whether they are meant is for the filters to say. */
const implied = (): boolean => true;

/** Whether one of the parts of a row is done by this staff member. */
export const isDoneBy = (services: unknown, staffId: unknown): boolean =>
  Array.isArray(services) && services.some((part: Part) => part.staffId === staffId);

/** A board of more days than this rests on all appointments of the company. */
const MOST_DAYS = 7;

const dayTag = (branch: string, date: string): string => `appointments@${branch}/${date}`;

/** The tags of a list: days of one branch where it is about them, so that a booking elsewhere leaves it valid. */
export function boardTags(query: ListQuery): readonly string[] {
  const { from, to } = daysOf(query);
  const { branchId } = query.filters;
  if (typeof branchId !== 'string' || from === null || to === null) return ['appointments'];
  const days = dayOf(to) - dayOf(from);
  if (days > MOST_DAYS) return ['appointments'];
  return Array.from({ length: Math.max(1, days) }, (_, n) => dayTag(branchId, dateOf(dayOf(from) + n)));
}

/** The days of branches that a change touches: where the appointment was, and where it is. */
export function touchedDays({ before, after }: Change): string[] {
  const of = (row: Row | null): string[] =>
    row === null ? [] : [dayTag(String(row.branch_id), String(row.local_date))];
  return [...new Set([...of(before), ...of(after)])];
}
