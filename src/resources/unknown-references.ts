import { type SQL, sql } from 'drizzle-orm';
import { AppError, type Fault } from '../core/errors.ts';
import { type Prefix, uuidOf } from '../core/id.ts';
import { isObject } from '../core/json.ts';
import type { Work } from '../data/deps.ts';
import { snapshot } from '../data/log.ts';

/** What bodies refer to, and what it is called. */
type Kind = { prefix: Prefix; table: string; one: string };

const kind = (prefix: Prefix, table: string, one: string): Kind => ({ prefix, table, one });

/** By what members are named, `clientId` or `clientIds`. All of them stay: what is not there never was. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['branch', kind('brch', 'branches', 'branch')],
  ['staff', kind('stf', 'staff', 'staff member')],
  ['service', kind('svc', 'services', 'service')],
  ['resource', kind('rsrc', 'resources', 'resource')],
  ['client', kind('clnt', 'clients', 'client')],
  ['user', kind('usr', 'users', 'user')],
  ['appointment', kind('appt', 'appointments', 'appointment')],
  ['invoice', kind('inv', 'invoices', 'invoice')],
]);

type Named = Kind & { pointer: string; id: string };

/** Whatever a body that was found right refers to; members of custom fields are no references, however they are named. */
function* namedIn(value: unknown, pointer: string = '', as?: Kind): Generator<Named> {
  if (typeof value === 'string') {
    if (as !== undefined) yield { ...as, pointer, id: uuidOf(as.prefix, value) };
  } else if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) yield* namedIn(each, `${pointer}/${i}`, as);
  } else if (isObject(value)) {
    for (const [name, each] of Object.entries(value))
      if (name !== 'customFields')
        yield* namedIn(each, `${pointer}/${name}`, KINDS.get(/^([a-z]+)Ids?$/.exec(name)?.[1] ?? ''));
  }
}

/**
 * A refusal of a write, and where that is for one reference, for all others in the body that lead nowhere: constraints tell the
 * first alone, and plans what they read. Asked only then, so that what succeeds pays nothing for it.
 */
export async function namingUnknown(
  { ctx, deps }: Work,
  companyId: string,
  body: unknown,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof AppError) || error.code !== 'unknown_reference') return error;
  const named = [...namedIn(body)];
  if (named.length < 2) return error;
  const call = { database: deps.read, companyId, name: 'unknownReferences' };
  // What was refused is refused, whether or not anybody can say what else is wrong.
  const there = await snapshot(ctx, call, [thereOf(companyId, named)]).catch(() => null);
  if (there === null) return error;
  const known = new Set(there.rows[0].map((row) => `${row.found} ${row.id}`));
  const unknown = named
    .filter(({ table, id }) => !known.has(`${table} ${id}`))
    .map(({ pointer, one }): Fault => ({ pointer, code: 'unknown_reference', detail: `There is no such ${one}.` }));
  const own = error.faults.filter((fault) => !unknown.some(({ pointer }) => tells(pointer, fault)));
  const others = unknown.filter(({ pointer }) => !own.some((fault) => fault.pointer === pointer));
  if (others.length === 0) return error;
  return new AppError(error.code, undefined, { faults: [...own, ...others], extra: error.extra, cause: error });
}

/** Whether a pointer says more closely where this fault is: in which line. */
const tells = (pointer = '', fault: Fault): boolean => pointer.startsWith(`${fault.pointer}/`);

function thereOf(companyId: string, named: readonly Named[]): SQL<{ found: string; id: string }> {
  const tables = [...Map.groupBy(named, ({ table }) => table)];
  const queries = tables.map(
    ([table, all]) => sql`select ${table}::text as found, x.id from ${sql.identifier(table)} x
      where x.company_id = ${companyId}::uuid and x.id = any (${sql.param(all.map(({ id }) => id))}::uuid[])`,
  );
  return sql<{ found: string; id: string }>`${sql.join(queries, sql` union all `)}`;
}
