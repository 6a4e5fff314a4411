import * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import { namesOf } from '../core/record.ts';
import { externalId, type Schema } from '../http/schemas.ts';
import type { Exported } from './exported.ts';
import { type Field, idOf, type Reference } from './fields.ts';
import { byExternalId, externalMembers, lookUp, type Referring, resolved, withoutLater } from './import-references.ts';
import type { Importer, MatchKey, Need } from './importer.ts';
import type { Resource } from './resource.ts';
import { upsertOf } from './upsert.ts';

/** What is particular to the import of a resource. */
export type ImportParticulars = {
  /** A line of a file, for the OpenAPI document. */
  example: Readonly<Record<string, unknown>>;
  /** What rows may be matched by besides externalId: how the key reads, and how its object `c` is found by `r.key` in SQL. */
  matches?: Readonly<Partial<Record<MatchKey, { key: Schema; found: string }>>>;
  /** Fields of which a new one must say at least one, beside those whose columns say so. */
  oneOf?: readonly string[];
  /** Fields that files may write otherwise than bodies do. */
  reads?: Schema<z.ZodObject>;
  /** Fields that are lists of objects, and their members that refer to others. */
  within?: Readonly<Record<string, Readonly<Record<string, Reference>>>>;
  /** Of those the lists whose entries may come in before what they name: they are left out, and the report says so. */
  later?: readonly string[];
  /** Conditions in SQL; `h` is the row there is, `g` the row of the file, `p` and `d` its values and the defaults. */
  sql?: {
    /** Who may be found by a key that is no id: of `c`. */
    findable?: string;
    /** What is true or raises. */
    checks?: readonly string[];
    /** Values of columns that are not simply taken over. */
    values?: Readonly<Record<string, string>>;
  };
};

/** How rows of a file become objects of a resource: what its patch takes, and references by external id. */
export function importerOf(
  resource: Resource,
  particulars: ImportParticulars,
): { importer: Importer; exported: Exported } {
  const { fields, patch } = resource;
  if (patch === undefined) throw new Error(`${resource.topic} has no patch to import by`);
  const matches = { externalId: { key: externalId, found: 'c.external_id = r.key' }, ...particulars.matches };
  const keys: readonly MatchKey[] = namesOf(matches);
  const written = lazy(() => {
    const named = Object.keys(patch().shape);
    return ['externalId', ...named.filter((name) => name !== 'externalId')].flatMap((name): [string, Field][] => {
      const field = fields.get(name);
      return field === undefined ? [] : [[name, field]];
    });
  });
  const referring = lazy((): Referring => {
    const ids = written().flatMap(([name, { reference }]) => (reference === null ? [] : [[name, reference] as const]));
    const required = ids.flatMap(([name]) => (fields.get(name)?.required ? [name] : []));
    const { within = {}, later = [] } = particulars;
    return { ids: Object.fromEntries(ids), within, later: new Set(later), required: new Set(required) };
  });
  const needs = lazy((): Need[] => [
    ...written().flatMap(([name, { required, reference }]) =>
      required ? [{ columns: reference === null ? [name] : [byExternalId(name), name], always: false }] : [],
    ),
    ...(particulars.oneOf === undefined ? [] : [{ columns: particulars.oneOf, always: false }]),
  ]);
  const schemas = lazy(() => {
    const external = externalMembers(Object.keys(referring().ids));
    const row = { ...patch().shape, ...particulars.reads?.().shape, ...external };
    return new Map(
      keys.map((match) => {
        const key = { [match]: matches[match]?.key() ?? externalId() };
        // First, where columns are told.
        return [match, z.strictObject({ ...key, ...row, ...key })];
      }),
    );
  });
  const statements = new Map<MatchKey, string>();
  const importer: Importer<Readonly<Record<string, unknown>>> = {
    resource: resource.topic,
    example: particulars.example,
    chunk: 250,
    table: resource.tableName,
    get needs() {
      return needs();
    },
    matches: keys,
    get ignored() {
      const known = new Set(Object.keys(patch().shape));
      return resource.list.fields.filter((name) => !known.has(name));
    },
    schema: (match) => schemas().get(match) ?? z.strictObject({}),
    async prepare(match, all, desk) {
      const known = await lookUp(
        referring(),
        all.map(({ value }) => value),
        desk,
      );
      return ({ value, id, cells }) => {
        const there = withoutLater(referring(), value, known);
        const body = resolved(referring(), there.body, known);
        const given: Record<string, unknown> = {};
        for (const [name, field] of written()) {
          const own = body[name];
          if (own !== undefined)
            given[field.name] = own === null ? null : (resource.stored[name]?.(own) ?? idOf(field, own));
        }
        return { id, key: body[match], given, cells, ...(there.open.length > 0 && { open: there.open }) };
      };
    },
    upsert(match) {
      const known = statements.get(match);
      if (known !== undefined) return known;
      const found = matches[match]?.found ?? '';
      const made = upsertOf(resource, { match, found, columns: written(), ...particulars.sql });
      statements.set(match, made);
      return made;
    },
  };
  return { importer, exported: { referring } };
}
