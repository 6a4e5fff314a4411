import { sql } from 'drizzle-orm';
import { bytea } from '../../data/query.ts';
import { type AppContext, require } from '../../http/context.ts';
import { type RouteModule, type RouteSpec, routesBelow } from '../../http/route.ts';
import { change } from '../../resources/change.ts';
import type { Resource } from '../../resources/resource.ts';
import { expectRow, insertRow, rowOf, sameVersion } from '../../resources/row-sql.ts';
import { answerFeed } from './feed.ts';
import { calendar } from './resource.ts';
import { CalendarAddress, CalendarFile } from './schema.ts';
import { mintSecret } from './secret.ts';

/** What the address lets anybody read, and so whoever asks for it must. */
const SHOWS = ['appointments:read', 'clients:read'];

/** Gives whose appointments these are a new secret address; the one of before is nobody's from then on. */
function newAddress(
  base: string,
  owner: Resource,
  column: 'staff_id' | 'branch_id',
): (c: AppContext) => Promise<Response> {
  return (c) => {
    let url = '';
    return change({
      resource: calendar,
      name: `${owner.topic}.calendar`,
      permission: owner.writePermission,
      parent: owner,
      target: 'new',
      status: 200,
      secret: true,
      alone: true,
      prepare({ principal }) {
        for (const permission of SHOWS) require(principal, permission);
      },
      statements(input) {
        const { companyId, id, parentId, principal, expected } = input;
        const { secret, hash } = mintSecret(companyId, id);
        url = `${new URL(c.req.url).origin}${base}/calendars/${secret}.ics`;
        return [
          sql`select ${expectRow}, ${sameVersion(expected)},
            app.refuse(any_value(not is_active), 'conflict', '{"detail": "It is archived."}')
            from ${owner.table} where ${rowOf(owner, { principal, id: parentId })}`,
          sql`delete from calendars where company_id = ${companyId}::uuid and ${sql.identifier(column)} = ${parentId}::uuid`,
          insertRow(calendar, { id, [column]: parentId }),
          sql`select app.keep_calendar_hash(${id}::uuid, ${bytea(hash)})`,
        ];
      },
      extra: () => sql`'{}'::jsonb`,
      present: () => ({ url }),
    })(c);
  };
}

const address = (base: string, owner: Resource, column: 'staff_id' | 'branch_id'): RouteSpec => ({
  method: 'post',
  path: `/${owner.topic}/:id/calendar`,
  tag: owner.tag,
  summary: `Get the calendar of a ${owner.one}`,
  description:
    'A secret address that calendars subscribe to; whoever knows it reads it without signing in. Asked for again it is a new one, and the old one stops. An Idempotency-Key is ignored: the secret is not kept.',
  permission: owner.writePermission,
  alsoNeeds: SHOWS,
  ignoresKey: true,
  success: { status: 200, schema: CalendarAddress, description: 'The address, shown this once' },
  errors: ['not_found', 'version_mismatch'],
  handler: newAddress(base, owner, column),
});

/** @param base of all paths; `staff` and `branch`: whose calendars there are */
export const feedRoutes = (
  base: string,
  { staff, branch }: Readonly<Record<'staff' | 'branch', Resource>>,
): RouteModule =>
  routesBelow([staff.topic, branch.topic, 'calendars'], () => [
    address(base, staff, 'staff_id'),
    address(base, branch, 'branch_id'),
    {
      method: 'get',
      path: '/calendars/:file',
      tag: calendar.tag,
      summary: 'A calendar',
      description:
        'iCalendar (RFC 5545) of what is booked, from 30 days ago to a year ahead, at most 2,000 appointments, those to come first. An event says the services, the client’s name and where; cancelled ones are STATUS:CANCELLED for 30 days. Not there: another secret, an old one, an archived owner.',
      anonymous: true,
      parts: { file: 'The secret, and `.ics`.' },
      success: {
        status: 200,
        schema: CalendarFile,
        description: 'The calendar',
        revalidated: true,
        types: ['text/calendar'],
      },
      errors: ['not_found', 'rate_limited'],
      handler: answerFeed,
    },
  ]);
