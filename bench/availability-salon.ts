import { withClient } from '../local/roles.ts';
import { uuidOf } from '../src/core/id.ts';
import type { Tenant } from '../test/support/api.ts';
import type { Bench } from './stack.ts';

/** What is measured over HTTP: a salon of so many, so full, with so many years behind it. */
export type Size = { staff: number; days: number; bookings: number; from: string; to: string };

/** `thirds`: the service in three parts, which in any order come to the same. */
export type Salon = {
  tenant: Tenant;
  company: string;
  branch: string;
  service: string;
  thirds: string[];
  staff: string[];
};

/** Of each a day, in those years: so that filling the database takes a minute and not five. */
const EACH_BEHIND = 3;

/** A booking every 50 minutes of each, with processing in it, from so many days before on; past all triggers, so its days are told then. */
const FILL = `insert into occupancies (company_id, appointment_id, staff_id, busy)
  select $1::uuid, gen_random_uuid(), s.id, tstzmultirange(tstzrange(at - interval '5 min', at + interval '10 min'), tstzrange(at + interval '20 min', at + interval '35 min'))
  from unnest($2::uuid[]) with ordinality s (id, n), generate_series($3::int, $4::int - 1) d, generate_series(0, $5::int - 1) b,
    lateral (select ($6::date + d)::timestamp at time zone 'UTC' + make_interval(mins => (360 + b * 50 + (s.n * 7 + (d + 2000) * 3 + b * 11) % 10)::int) as at) x`;

const TELL = `select app.tell_busy_days(array_agg(company_id), array_agg(subject_id), array_agg(day))
  from (select distinct company_id, subject_id, floor(begins / 1440.0)::int as day from occupancies where company_id = $1) x`;

export async function openSalon(bench: Bench, tenant: Tenant, size: Size, behind: number): Promise<Salon> {
  const made = async (path: string, body: Record<string, unknown>): Promise<string> => {
    const reply = await tenant.api.post(path, body);
    if (reply.status !== 201) throw new Error(`${path} answered ${reply.status}: ${reply.text}`);
    return String(reply.json.id);
  };
  const hours = [1, 2, 3, 4, 5, 6].map((weekday) => ({ weekday, start: '08:00', end: '19:00' }));
  const branch = await made('/branches', { name: 'Vienna', timeZone: 'Europe/Vienna', openingHours: hours });
  const service = await made('/services', {
    ...{ name: 'Cut', durationMinutes: 30, bufferBeforeMinutes: 5, bufferAfterMinutes: 5 },
    processing: [{ afterMinutes: 10, minutes: 10 }],
  });
  const thirds: string[] = [];
  for (const processing of [[], [{ afterMinutes: 0, minutes: 10 }], []])
    thirds.push(
      await made('/services', {
        name: 'A third',
        durationMinutes: 10,
        bufferBeforeMinutes: 5,
        bufferAfterMinutes: 5,
        processing,
      }),
    );
  const staff: string[] = [];
  for (let n = 0; n < size.staff; n += 1)
    staff.push(
      await made('/staff', { firstName: `Staff ${n}`, branchIds: [branch], serviceIds: [service, ...thirds] }),
    );
  const company = uuidOf('comp', tenant.companyId);
  const each = Math.ceil(size.bookings / size.staff / size.days);
  await withClient(bench.vars.DATABASE_MIGRATION_URL ?? '', async (client) => {
    await client.query('set session_replication_role = replica');
    const ids = staff.map((id) => uuidOf('stf', id));
    await client.query(FILL, [company, ids, -2, size.days + 3, each, size.from]);
    if (behind > 0) await client.query(FILL, [company, ids, -behind, -2, EACH_BEHIND, size.from]);
    await client.query('reset session_replication_role');
    await client.query(TELL, [company]);
    await client.query('vacuum analyze occupancies, busy_days');
  });
  return { tenant, company, branch, service, thirds, staff };
}
