import { getTableName, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { AppError, type Fault } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import type { RowsOf } from '../data/query.ts';
import { externalId } from '../http/schemas.ts';
import type { Reference } from './fields.ts';
import type { Desk } from './importer.ts';

// Rows name others by external id: beside `branchId` there is `branchExternalId`, beside `serviceIds` `serviceExternalIds`.

/** Fields that refer to others: by id, by ids, or by an id in each object of a list. */
export type Referring = {
  ids: Readonly<Record<string, Reference>>;
  /** By field, then by member. */
  within: Readonly<Record<string, Readonly<Record<string, Reference>>>>;
  /** Of `within` the lists whose entries may wait for what they name: two kinds of objects name each other, and one comes first. */
  later?: ReadonlySet<string>;
  /** Of `ids` those that cannot be null: an empty cell says nothing of them. */
  required: ReadonlySet<string>;
};

/** `branchExternalId` for `branchId`, `serviceExternalIds` for `serviceIds`. */
export const byExternalId = (field: string): string => field.replace(/Id(s?)$/, 'ExternalId$1');
const isMany = (field: string): boolean => field.endsWith('Ids');

type Body = Readonly<Record<string, unknown>>;

/** The members that external ids take, beside those of ids. */
export const externalMembers = (ids: Iterable<string>): Record<string, z.ZodType> =>
  Object.fromEntries(
    [...ids].map((field) => [
      byExternalId(field),
      isMany(field)
        ? z.array(externalId()).max(500, 'Must have at most 500 external ids.').nullable().optional()
        : externalId().nullable().optional(),
    ]),
  );

/** One place of a row that names another object. */
type Mention = { reference: Reference; externalId: string; pointer: string };

/** Objects by table and external id. */
export type Known = (reference: Reference, externalId: string) => string | undefined;

function* mentions(ids: Readonly<Record<string, Reference>>, body: Body, at = ''): Generator<Mention> {
  for (const [field, reference] of Object.entries(ids)) {
    const name = byExternalId(field);
    const said = body[name];
    if (typeof said === 'string') yield { reference, externalId: said, pointer: `${at}/${name}` };
    else if (Array.isArray(said))
      for (const [i, each] of said.entries())
        yield { reference, externalId: String(each), pointer: `${at}/${name}/${i}` };
  }
}

function* allMentions({ ids, within }: Referring, body: Body): Generator<Mention> {
  yield* mentions(ids, body);
  for (const [field, members] of Object.entries(within))
    for (const [i, each] of listOf(body[field]).entries()) yield* mentions(members, each, `/${field}/${i}`);
}

const listOf = (value: unknown): Body[] => (Array.isArray(value) ? (value as Body[]) : []);

/** Those among the external ids of a table that somebody has. */
type Found = { external_id: string; id: string };
const foundQuery = (
  companyId: string,
  table: ReturnType<typeof sql.identifier>,
  externalIds: readonly string[],
): SQL<Found> =>
  sql<Found>`select t.external_id, t.id from ${table} t where t.company_id = ${companyId}::uuid and t.external_id = any (${sql.param([...externalIds])}::text[])`;

/** Looks up everything that these bodies name, in one trip, or none where they name nothing. */
export const lookUp = async (referring: Referring, bodies: readonly Body[], desk: Desk): Promise<Known> =>
  (await lookUpAnd(referring, bodies, desk, [])).known;

/** The same, and what else is to be read with it. */
export async function lookUpAnd<const Q extends readonly SQL[]>(
  referring: Referring,
  bodies: readonly Body[],
  { companyId, look }: Desk,
  more: Q,
): Promise<{ known: Known; rows: RowsOf<Q> }> {
  const asked = new Map<string, { reference: Reference; wanted: Set<string> }>();
  for (const body of bodies)
    for (const { reference, externalId: wanted } of allMentions(referring, body)) {
      const table = getTableName(reference.table);
      const own = asked.get(table) ?? { reference, wanted: new Set<string>() };
      own.wanted.add(wanted);
      asked.set(table, own);
    }
  if (asked.size + more.length === 0) return { known: () => undefined, rows: [] as unknown as RowsOf<Q> };
  const queries = [...asked].map(([table, { wanted }]) => foundQuery(companyId, sql.identifier(table), [...wanted]));
  const { rows } = await look([...queries, ...more]);
  const byTable = new Map(
    [...asked.keys()].map((table, i) => [table, new Map((rows[i] as Found[]).map((row) => [row.external_id, row.id]))]),
  );
  return {
    known: (reference, external) => byTable.get(getTableName(reference.table))?.get(external),
    rows: rows.slice(queries.length) as unknown as RowsOf<Q>,
  };
}

/** A body without the entries that wait for what they name, and what that is. */
export function withoutLater({ within, later }: Referring, body: Body, known: Known): { body: Body; open: Fault[] } {
  const open: Fault[] = [];
  const whole: Record<string, unknown> = { ...body };
  for (const field of later ?? []) {
    if (!Array.isArray(body[field])) continue;
    whole[field] = listOf(body[field]).filter((each, i) => {
      const missing = [...mentions(within[field] ?? {}, each, `/${field}/${i}`)].filter(
        ({ reference, externalId: external }) => known(reference, external) === undefined,
      );
      const detail =
        'There is no object with this external id yet: this was left out. Import the file again when there is.';
      open.push(...missing.map(({ pointer }) => ({ pointer, code: 'unknown_reference', detail })));
      return missing.length === 0;
    });
  }
  return { body: whole, open };
}

/**
 * A body with ids in the place of external ids. One that is absent or null leaves to the id what it says.
 * @throws AppError unknown_reference, all of them at once
 */
export function resolved<B extends Body>(referring: Referring, body: B, known: Known): B {
  const faults = [...allMentions(referring, body)].flatMap(({ reference, externalId: external, pointer }): Fault[] =>
    known(reference, external) === undefined
      ? [{ pointer, code: 'unknown_reference', detail: 'There is no object with this external id.' }]
      : [],
  );
  if (faults.length > 0) throw new AppError('unknown_reference', undefined, { faults });
  const whole = replaced(referring.ids, body, known, referring.required);
  for (const [field, members] of Object.entries(referring.within))
    if (Array.isArray(body[field])) whole[field] = listOf(body[field]).map((each) => replaced(members, each, known));
  // Ids are texts as those of elsewhere are.
  return whole as B;
}

function replaced(
  ids: Readonly<Record<string, Reference>>,
  body: Body,
  known: Known,
  required: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...body };
  for (const [field, reference] of Object.entries(ids)) {
    const name = byExternalId(field);
    const said = whole[name];
    delete whole[name];
    const id = (external: unknown): string => formatId(reference.prefix, known(reference, String(external)) ?? '');
    if (Array.isArray(said)) whole[field] = said.map(id);
    else if (typeof said === 'string') whole[field] = id(said);
    else if (said === null && whole[field] === undefined && !required.has(field)) whole[field] = null;
  }
  return whole;
}
