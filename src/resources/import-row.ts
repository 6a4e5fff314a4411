import * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import { externalId, type Schema } from '../http/schemas.ts';
import { byExternalId, type Field, idOf } from './fields.ts';
import type { Cell, Importer, MatchKey } from './importer.ts';
import type { Resource } from './resource.ts';
import { upsertOf } from './upsert.ts';

/** What is particular to the import of a resource. */
export type ImportParticulars = {
  /** What rows may be matched by besides externalId: how the key reads, and how its object `c` is found by `r.key` in SQL. */
  matches?: Readonly<Partial<Record<MatchKey, { key: Schema; found: string }>>>;
  /** Fields that files may write otherwise than bodies do. */
  reads?: Schema<z.ZodObject>;
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

const CELLS: Readonly<Partial<Record<Field['type'], Cell>>> = { list: 'list', boolean: 'boolean', number: 'number' };

/** How rows of a file become objects of a resource: what its patch takes, and references by external id. */
export function importerOf(resource: Resource, particulars: ImportParticulars = {}): Importer {
  const { fields, patch } = resource;
  if (patch === undefined) throw new Error(`${resource.topic} has no patch to import by`);
  const matches = { externalId: { key: externalId, found: 'c.external_id = r.key' }, ...particulars.matches };
  const keys = Object.keys(matches) as MatchKey[];
  const written = lazy(() => {
    const named = Object.keys(patch().shape);
    return ['externalId', ...named.filter((name) => name !== 'externalId')].flatMap((name): [string, Field][] => {
      const field = fields.get(name);
      return field === undefined ? [] : [[name, field]];
    });
  });
  const references = lazy(() => written().filter(([, { type, reference }]) => reference !== null && type !== 'list'));
  const schemas = lazy(() => {
    const names = references().map(([name]) => [byExternalId(name), externalId().nullable().optional()]);
    const row = { ...patch().shape, ...particulars.reads?.().shape, ...Object.fromEntries(names) };
    return new Map(
      keys.map((match) => [match, z.strictObject({ ...row, [match]: matches[match]?.key() ?? externalId() })]),
    );
  });
  const plain = (match: MatchKey): z.ZodType => schemas().get(match) ?? z.never();
  const statements = new Map<MatchKey, string>();
  return {
    resource: resource.topic,
    matches: keys,
    get columns() {
      const own = written().flatMap(([name, { type }]): [string, Cell][] =>
        type === 'object' ? [] : [[name, CELLS[type] ?? 'text']],
      );
      return Object.fromEntries([
        ...own,
        ...references().map(([name]): [string, Cell] => [byExternalId(name), 'text']),
      ]);
    },
    get objects() {
      return written().flatMap(([name, { type }]) => (type === 'object' ? [name] : []));
    },
    get ignored() {
      const known = new Set(Object.keys(patch().shape));
      return resource.list.fields.filter((name) => !known.has(name));
    },
    schema: plain,
    row(match, value, id, cells) {
      const body = value as Readonly<Record<string, unknown>>;
      const given: Record<string, unknown> = {};
      const refers: Record<string, unknown> = {};
      for (const [name, field] of written()) {
        const own = body[name];
        if (own !== undefined)
          given[field.name] = own === null ? null : (resource.stored[name]?.(own) ?? idOf(field, own));
        const other = field.reference === null ? undefined : body[byExternalId(name)];
        if (other !== undefined) refers[field.name] = other;
      }
      return { id, key: body[match], given, refers, cells };
    },
    upsert(match) {
      const known = statements.get(match);
      if (known !== undefined) return known;
      const found = matches[match]?.found ?? '';
      const made = upsertOf(resource, {
        match,
        found,
        columns: written(),
        references: references(),
        ...particulars.sql,
      });
      statements.set(match, made);
      return made;
    },
  };
}
