import { type SQL, sql } from 'drizzle-orm';
import type { services } from '../../../catalog/services/table.ts';
import { uuidOf } from '../../../core/id.ts';
import type { TableRow } from '../../../data/query.ts';
import type { Desk } from '../../../resources/importer.ts';
import type { Service } from '../../catalogue.ts';
import { serviceOf } from '../../load-catalogue.ts';
import type { appointments } from '../table.ts';
import type { FileRow } from './schema.ts';

/** Something that rows name, by id or external id. */
type Named = { id: string; external_id: string | null };
export type Stored = TableRow<typeof appointments>;
export type Place = Named & { time_zone: string };
export type Thing = Named & { branch_id: string; kind: string; is_active: boolean };

/** What some rows of a file name of the catalogue, and what is stored of them, read at once. */
export type Shelf = {
  currency: string;
  branches: Shelved<Place>;
  services: Shelved<Service>;
  staff: Shelved<Named>;
  clients: Shelved<Named>;
  /** All of the branches named, in the order in which they are chosen. */
  things: readonly Thing[];
  stored: ReadonlyMap<string, Stored>;
};

/** By both kinds of id. */
export type Shelved<T> = { byId: ReadonlyMap<string, T>; byName: ReadonlyMap<string, T> };

type Wanted = { ids: Set<string>; names: Set<string> };
const nothing = (): Wanted => ({ ids: new Set(), names: new Set() });

/** What these rows name. */
function namedBy(rows: readonly FileRow[]) {
  const [branches, offered, staff, clients] = [nothing(), nothing(), nothing(), nothing()];
  const note = (wanted: Wanted, prefix: 'brch' | 'svc' | 'stf' | 'clnt', id?: string | null, name?: string | null) => {
    if (name != null) wanted.names.add(name);
    else if (id != null) wanted.ids.add(uuidOf(prefix, id));
  };
  for (const row of rows) {
    note(branches, 'brch', row.branchId, row.branchExternalId);
    note(staff, 'stf', row.staffId, row.staffExternalId);
    note(clients, 'clnt', row.clientId, row.clientExternalId);
    for (const name of row.serviceExternalIds ?? []) offered.names.add(name);
    for (const line of row.services ?? []) {
      note(offered, 'svc', line.serviceId, line.serviceExternalId);
      note(staff, 'stf', line.staffId, line.staffExternalId);
    }
  }
  return { branches, offered, staff, clients };
}

const list = (values: Iterable<string>): SQL => sql`${sql.param([...values])}`;
const among = ({ ids, names }: Wanted): SQL =>
  sql`(x.external_id = any (${list(names)}::text[]) or x.id = any (${list(ids)}::uuid[]))`;

/** Reads it in one trip. Clients that were merged away are whom they were merged into. */
export async function readShelf(rows: readonly FileRow[], { companyId, look }: Desk): Promise<Shelf> {
  const own = sql`x.company_id = ${companyId}::uuid`;
  const named = namedBy(rows);
  const keys = rows.map(({ externalId }) => externalId);
  const found = (table: SQL, wanted: Wanted, columns: SQL): SQL<{ row: never }> =>
    sql<{ row: never }>`select ${columns} as row from ${table} x where ${own} and ${among(wanted)}`;
  const { rows: answers } = await look([
    sql<{ currency: string }>`select x.currency from companies x where x.id = ${companyId}::uuid`,
    found(
      sql`branches`,
      named.branches,
      sql`json_build_object('id', x.id, 'external_id', x.external_id, 'time_zone', x.time_zone)`,
    ),
    found(sql`services`, named.offered, sql`to_json(x)`),
    found(sql`staff`, named.staff, sql`json_build_object('id', x.id, 'external_id', x.external_id)`),
    sql<{ row: Named }>`with recursive named as (
        select x.id, x.external_id, x.id as living, x.merged_into from clients x where ${own} and ${among(named.clients)}
        union select n.id, n.external_id, x.id, x.merged_into from named n join clients x on ${own} and x.id = n.merged_into)
      select json_build_object('id', n.living, 'external_id', n.external_id, 'named', n.id) as row from named n where n.merged_into is null`,
    sql<{
      row: Thing;
    }>`select json_build_object('id', x.id, 'external_id', x.external_id, 'branch_id', x.branch_id, 'kind', x.kind,
        'is_active', x.is_active) as row from resources x where ${own} and (x.branch_id in (select b.id from branches b
        where b.company_id = x.company_id and (b.external_id = any (${list(named.branches.names)}::text[]) or b.id = any (${list(named.branches.ids)}::uuid[])))
        or x.branch_id in (select a.branch_id from appointments a where a.company_id = x.company_id and a.external_id = any (${list(keys)}::text[])))
      order by x.name, x.id`,
    sql<{
      row: Stored;
    }>`select to_json(x) as row from appointments x where ${own} and x.external_id = any (${list(keys)}::text[])`,
  ] as const);
  const [company, branches, offers, staff, clients, things, stored] = answers;
  const of = <T>(all: readonly { row: unknown }[]): T[] => all.map(({ row }) => row as T);
  const offered = of<TableRow<typeof services>>(offers);
  return {
    currency: company[0]?.currency ?? '',
    branches: twice(of<Place>(branches), (each) => each.external_id),
    services: twice(offered.map(serviceOf), (_, i) => offered[i]?.external_id ?? null),
    staff: twice(of<Named>(staff), (each) => each.external_id),
    clients: {
      byId: new Map(of<Named & { named: string }>(clients).map((each) => [each.named, each])),
      byName: twice(of<Named>(clients), (each) => each.external_id).byName,
    },
    things: of<Thing>(things),
    stored: new Map(of<Stored>(stored).map((row) => [row.external_id ?? '', row])),
  };
}

function twice<T extends { id: string }>(
  all: readonly T[],
  nameOf: (each: T, at: number) => string | null,
): Shelved<T> {
  return {
    byId: new Map(all.map((each) => [each.id, each])),
    byName: new Map(
      all.flatMap((each, i): [string, T][] => {
        const name = nameOf(each, i);
        return name === null ? [] : [[name, each]];
      }),
    ),
  };
}
