import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { makeCompany, type Stage, write } from '../support.ts';

/** A salon to book in: one branch, some staff, one service, some chairs. */
export type Salon = { company: string; branch: string; service: string; staff: string[]; chairs: string[] };

export const ZONE = 'Europe/Vienna';

export async function makeSalon(stage: Stage, staffed = 3, seated = 2): Promise<Salon> {
  const company = await makeCompany(stage);
  const [branch, service] = [randomUUID(), randomUUID()];
  const ids = (count: number): string[] => Array.from({ length: count }, () => randomUUID());
  const [staff, chairs] = [ids(staffed), ids(seated)];
  await stage.sql(`insert into branches (company_id, id, name, time_zone) values ($1, $2, 'Mitte', $3)`, [
    company,
    branch,
    ZONE,
  ]);
  await stage.sql(`insert into services (company_id, id, name, duration_minutes) values ($1, $2, 'Cut', 60)`, [
    company,
    service,
  ]);
  await stage.sql(
    `insert into staff (company_id, id, first_name, branch_ids, service_ids)
     select $1, s, 'Ann', array[$3::uuid], array[$4::uuid] from unnest($2::uuid[]) s`,
    [company, staff, branch, service],
  );
  await stage.sql(
    `insert into resources (company_id, id, name, kind, branch_id)
     select $1, c, 'Chair ' || n, 'CHAIR', $3 from unnest($2::uuid[]) with ordinality x (c, n)`,
    [company, chairs, branch],
  );
  return { company, branch, service, staff, chairs };
}

export type PartOf = {
  staff?: string;
  service?: string;
  offset?: number;
  minutes?: number;
  before?: number;
  after?: number;
  processing?: { afterMinutes: number; minutes: number }[];
};

/** A part as the application freezes one: an hour of the first staff member, unless said otherwise. */
export const part = (salon: Salon, said: PartOf = {}): Record<string, unknown> => ({
  serviceId: said.service ?? salon.service,
  staffId: said.staff ?? salon.staff[0],
  name: 'Cut',
  startOffsetMinutes: said.offset ?? 0,
  durationMinutes: said.minutes ?? 60,
  bufferBeforeMinutes: said.before ?? 0,
  bufferAfterMinutes: said.after ?? 0,
  processing: said.processing ?? [],
  price: null,
  taxes: [],
});

/** A day in March 2027 in UTC; Vienna is an hour ahead. */
export const at = (time: string): string => `2027-03-01T${time}:00Z`;

export type Booking = PartOf & {
  parts?: PartOf[];
  resources?: { kind: string; resourceId?: string | undefined }[];
  status?: string;
  source?: string;
  overlap?: boolean;
  hold?: string;
  client?: string;
  history?: unknown[];
  id?: string;
};

/** The row of a booking, as the application writes rows: by name, from JSON. */
export function bookingRow(salon: Salon, start: string, said: Booking = {}): Record<string, unknown> {
  const row: Record<string, unknown> = {
    id: said.id ?? randomUUID(),
    branch_id: salon.branch,
    client_id: said.client ?? null,
    services: (said.parts ?? [said]).map((each) => part(salon, each)),
    resources: said.resources ?? [],
    starts_at: start,
    time_zone: ZONE,
    status: said.status ?? 'CONFIRMED',
    source: said.source ?? 'STAFF',
    allow_overlap: said.overlap ?? false,
    hold_id: said.hold ?? null,
    status_history: said.history ?? [],
  };
  return row;
}

const insert = 'select app.insert_rows($1, $2)';

/** Books as the application does; answers the id. */
export async function book(app: pg.Client, salon: Salon, start: string, said: Booking = {}): Promise<string> {
  const row = bookingRow(salon, start, said);
  await write(app, salon.company, () => app.query(insert, ['appointments', JSON.stringify([row])]));
  return String(row.id);
}

/** Several in one statement. */
export const bookAll = (app: pg.Client, salon: Salon, rows: readonly Record<string, unknown>[]): Promise<unknown> =>
  write(app, salon.company, () => app.query(insert, ['appointments', JSON.stringify(rows)]));

export async function hold(app: pg.Client, salon: Salon, start: string, said: Booking = {}): Promise<string> {
  const { id, branch_id, services, resources, starts_at, time_zone } = bookingRow(salon, start, said);
  const row = { id, branch_id, services, resources, starts_at, time_zone };
  await write(app, salon.company, () => app.query(insert, ['holds', JSON.stringify([row])]));
  return String(id);
}

/** Lets a hold's time be over, as the clock would. */
export async function expire(stage: Stage, id: string): Promise<void> {
  await stage.sql(`update holds set expires_at = clock_timestamp() - interval '1 second' where id = $1`, [id]);
}

export const change = (app: pg.Client, { company }: Salon, id: string, assignment: string, ...values: unknown[]) =>
  write(app, company, () => app.query(`update appointments set ${assignment} where id = $1`, [id, ...values]));

export type Refused = { code: string; [member: string]: unknown };

/** What a write was refused with: one of our codes and what it says, a constraint, or null. */
export async function refused(work: Promise<unknown>): Promise<Refused | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === 'CP400') return { ...JSON.parse(error.detail ?? '{}'), code: error.message };
    return { code: error.constraint ?? error.code ?? '' };
  }
}

/** Pairs of rows of one subject that overlap although neither may: none, ever. By the documents, not by what is projected from them. */
export const overlaps = (stage: Stage, company: string): Promise<unknown[]> =>
  stage.sql(
    `with live as (
       select id, starts_at, services, resources from appointments
         where company_id = $1 and status not in ('CANCELLED', 'NO_SHOW') and not allow_overlap
       union all select id, starts_at, services, resources from holds where company_id = $1),
     parts as (
       select l.id, (p ->> 'staffId')::uuid as subject, l.starts_at + (p ->> 'startOffsetMinutes')::int * interval '1 minute' as at, p,
         row_number() over (partition by l.id, p ->> 'staffId' order by n) as nth, count(*) over (partition by l.id, p ->> 'staffId') as count
       from live l, jsonb_array_elements(l.services) with ordinality x (p, n)),
     -- Minute by minute: slow, and without a range in it.
     minutes as (
       select id, subject, at + m * interval '1 minute' as minute from parts,
         generate_series(case when nth = 1 then -(p ->> 'bufferBeforeMinutes')::int else 0 end,
           (p ->> 'durationMinutes')::int + case when nth = count then (p ->> 'bufferAfterMinutes')::int else 0 end - 1) m
       where not exists (select from jsonb_array_elements(p -> 'processing') i
         where m >= (i ->> 'afterMinutes')::int and m < (i ->> 'afterMinutes')::int + (i ->> 'minutes')::int)
       union
       select l.id, (r ->> 'resourceId')::uuid, l.starts_at + m * interval '1 minute' from live l, jsonb_array_elements(l.resources) r,
         generate_series(-(services -> 0 ->> 'bufferBeforeMinutes')::int, (services -> -1 ->> 'startOffsetMinutes')::int
           + (services -> -1 ->> 'durationMinutes')::int + (services -> -1 ->> 'bufferAfterMinutes')::int - 1) m)
     select subject, minute, count(distinct id)::int as bookings from minutes group by 1, 2 having count(distinct id) > 1 limit 5`,
    [company],
  );

/** Days as they are told beside what the stretches themselves say, of all companies; nothing when they are the same. */
export const MISTOLD = `
  with truth as (
    select o.company_id, o.subject_id, d as day, app.day_pieces(range_agg(o.busy), d) as pieces
    from occupancies o, generate_series(floor(o.begins / 1440.0)::int, floor((o.ends - 1) / 1440.0)::int) d
    where not o.deliberate and o.expires_at is null group by 1, 2, 3)
  select * from (select * from truth where pieces is not null) t full join busy_days b using (company_id, subject_id, day)
  where t.pieces is distinct from b.pieces`;

/** A chair, this one or any, as a booking asks for it. */
export const chair = (resourceId?: string) => [{ kind: 'CHAIR', ...(resourceId && { resourceId }) }];
