import { sql } from 'drizzle-orm';
import { branch } from '../catalog/branches/resource.ts';
import { routesBelow } from '../http/route.ts';
import type { Plan } from '../resources/planned.ts';
import { expectVersion, patchRow, rowOf } from '../resources/row-sql.ts';
import { standardRoutes } from '../resources/standard-routes.ts';
import { updateOf } from '../resources/verbs.ts';
import { appointment } from './appointments/resource.ts';
import { adopt } from './clock.ts';
import { clockAt } from './known-offsets.ts';

type Told = { zone: string; years: readonly number[] };

/**
 * Changes a branch. With its zone the database tells its appointments by another clock (`app.retell_branch`), of which this
 * says what it knows, of the years there are any of.
 */
const updateBranch = updateOf(branch, {
  needsPlan: ({ timeZone }) => timeZone !== undefined,
  async plan(input, look): Promise<Plan> {
    const statements = [expectVersion(branch, input), ...patchRow(branch, input)];
    const { companyId, id, body } = input;
    const { rows } = await look([
      sql<Told>`select ${branch.table}.time_zone as zone, to_json(array(select distinct extract(year from appointments.starts_at at time zone 'UTC')::int
          from ${appointment.table} where appointments.company_id = ${companyId}::uuid and appointments.branch_id = ${id}::uuid
            and appointments.local_date >= current_date - 3)) as years
        from ${branch.table} where ${rowOf(branch, input)}`,
    ]);
    const [told] = rows[0];
    const { timeZone } = body;
    if (told === undefined || timeZone === undefined || told.zone === timeZone) return { statements };
    // A visit may reach into the next year.
    const ends = told.years.flatMap((year) => [Date.UTC(year, 0, 1) / 60_000, Date.UTC(year + 1, 0, 1) / 60_000]);
    const known = clockAt(ends.map((minute) => ({ timeZone, minute })));
    return { statements: [adopt(known), ...statements] };
  },
});

export const branchRoutes = routesBelow(['branches'], () =>
  standardRoutes(branch, {
    update: {
      description:
        'JSON Merge Patch (RFC 7396): null clears, absence leaves. A change that changes nothing takes no revision. Another `timeZone` moves no appointment: those from yesterday on (UTC) keep `startsAt` and are told by the new clock (`timeZone`, `localStart`, the day they are listed on), each of them a revision. What was earlier, and days of invoices and payments, stay as they were told. Of more than 3,000 it is refused (`conflict`).',
      errors: ['not_found', 'version_mismatch', 'external_id_taken', 'conflict'],
      handler: updateBranch,
    },
  }),
);
