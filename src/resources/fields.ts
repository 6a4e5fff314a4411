import { getTableColumns, getTableName, SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { formatId, type Prefix, uuidOf } from '../core/id.ts';
import { instantOf } from '../core/instant.ts';
import { isObject, mergePatch } from '../core/json.ts';

/** The row of a table as the log and every query render it: `to_jsonb`, by the names of its columns. */
export type RowOf<T extends PgTable> = {
  [C in T['_']['columns'][keyof T['_']['columns']] as C['_']['name']]: C['_']['notNull'] extends true
    ? C['_']['data']
    : C['_']['data'] | null;
};

/** What a column refers to: the kind of its public ids, and where they are. */
export type Reference = { readonly prefix: Prefix; readonly table: PgTable };

/** A column as bodies, rows and answers need it. */
export type Field = {
  /** Its name in SQL and in a row. */
  readonly name: string;
  readonly column: SQL;
  readonly type: 'text' | 'list' | 'object' | 'boolean' | 'number' | 'instant' | 'date' | 'uuid';
  readonly nullable: boolean;
  /** A new row must name it. */
  readonly required: boolean;
  /** What null stands for: the default of a column that cannot be null. */
  readonly fallback: unknown;
  /** Of an enum. */
  readonly values: readonly string[];
  readonly reference: Reference | null;
};

const TYPES: Readonly<Record<string, Field['type']>> = { json: 'object', array: 'list' };
/** Columns that drizzle takes for text. */
const SPECIAL = [
  ['PgUUID', 'uuid'],
  ['PgTimestamp', 'instant'],
  ['PgDate', 'date'],
] as const;

/** What drizzle knows of a column. */
type Declared = ReturnType<typeof getTableColumns<PgTable>>[string];

/** Works out what it is asked: a start makes hundreds, and asks little of most. */
class TableField implements Field {
  readonly name: string;
  readonly reference: Reference | null;
  readonly #table: string;
  readonly #declared: Declared;
  #column: SQL | undefined;

  constructor(table: string, declared: Declared, reference: Reference | null) {
    this.name = declared.name;
    this.reference = reference;
    this.#table = table;
    this.#declared = declared;
  }

  get column(): SQL {
    this.#column ??= sql`${sql.identifier(this.#table)}.${sql.identifier(this.name)}`;
    return this.#column;
  }

  get type(): Field['type'] {
    return typeOf(this.#declared);
  }

  get nullable(): boolean {
    return !this.#declared.notNull;
  }

  get required(): boolean {
    return this.#declared.notNull && !this.#declared.hasDefault;
  }

  get fallback(): unknown {
    return this.nullable ? null : defaultOf(this.#declared, this.type);
  }

  get values(): readonly string[] {
    return this.#declared.enumValues ?? [];
  }
}

function typeOf({ dataType, columnType }: Declared): Field['type'] {
  for (const [name, type] of SPECIAL) if (columnType.startsWith(name)) return type;
  return dataType === 'boolean' || dataType === 'number' ? dataType : (TYPES[dataType] ?? 'text');
}

function defaultOf({ default: value }: Declared, type: Field['type']): unknown {
  if (value instanceof SQL) return type === 'list' ? [] : null;
  return value ?? null;
}

/** What drizzle knows of the columns of a table, by field. */
export function fieldsOf(table: PgTable, references: Readonly<Record<string, Reference>>): ReadonlyMap<string, Field> {
  const name = getTableName(table);
  const fields = new Map<string, Field>();
  for (const [key, column] of Object.entries(getTableColumns(table)))
    fields.set(key, new TableField(name, column, references[key] ?? null));
  return fields;
}

/** What a body says of a field as its column holds it; absence and null are the same here. */
export function stored({ reference, fallback }: Field, value: unknown): unknown {
  if (value === undefined || value === null) return fallback;
  return reference === null && isObject(value) ? mergePatch(undefined, value) : idOf({ reference }, value);
}

/** A public id, or some, as the column holds them; of a column that refers to nothing the value itself. */
export function idOf({ reference }: Pick<Field, 'reference'>, value: unknown): unknown {
  if (reference === null) return value;
  const { prefix } = reference;
  return Array.isArray(value) ? value.map((id) => uuidOf(prefix, String(id))) : uuidOf(prefix, String(value));
}

/** How a column is shown. */
export function shown({ name, type, reference }: Field): (row: Readonly<Record<string, unknown>>) => unknown {
  if (type === 'instant') return (row) => instantOf(row[name]);
  // A state of before the column was there says nothing of it.
  if (reference === null) return (row) => row[name] ?? null;
  const publicId = (id: unknown): string => formatId(reference.prefix, String(id));
  return (row) => {
    const value = row[name] ?? null;
    return value === null ? null : Array.isArray(value) ? value.map(publicId) : publicId(value);
  };
}
