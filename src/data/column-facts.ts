// What the Worker asks of a table, in the place of drizzle-orm/pg-core (`[alias]` of wrangler.toml): tables are declared with drizzle,
// which types rows by them and makes migrations of them, but no builder, index or key of it is needed to answer a request. What this leaves out is missed by the build; what it says otherwise, by
// test/unit/data/column-facts.test.ts.

import { lazy } from '../core/lazy.ts';

/** A column while it is declared. */
class Declared {
  readonly #name: string;
  #dataType: string;
  #columnType: string;
  #enumValues: readonly string[] | undefined;
  #notNull = false;
  #hasDefault = false;
  #default: unknown;

  constructor(name: string, dataType: string, columnType: string, enumValues?: readonly string[]) {
    this.#name = name;
    this.#dataType = dataType;
    this.#columnType = columnType;
    this.#enumValues = enumValues;
  }

  notNull(): this {
    this.#notNull = true;
    return this;
  }

  primaryKey(): this {
    this.#notNull = true;
    return this;
  }

  default(value: unknown): this {
    this.#default = value;
    this.#hasDefault = true;
    return this;
  }

  generatedAlwaysAs(): this {
    return this;
  }

  array(): this {
    this.#dataType = 'array';
    this.#columnType = 'PgArray';
    this.#enumValues = undefined;
    return this;
  }

  $type(): this {
    return this;
  }

  /** As drizzle names what it knows of a column. */
  facts() {
    return {
      name: this.#name,
      dataType: this.#dataType,
      columnType: this.#columnType,
      enumValues: this.#enumValues,
      notNull: this.#notNull,
      hasDefault: this.#hasDefault,
      default: this.#default,
    };
  }
}

const kind =
  (dataType: string, columnType: string) =>
  (name: string, { enum: values }: { enum?: readonly string[] } = {}): Declared =>
    new Declared(name, dataType, columnType, values);

export const text = kind('string', 'PgText');
export const char = kind('string', 'PgChar');
export const uuid = kind('string', 'PgUUID');
export const boolean = kind('boolean', 'PgBoolean');
export const jsonb = kind('json', 'PgJsonb');
export const integer = kind('number', 'PgInteger');
export const bigint = kind('number', 'PgBigInt53');
export const doublePrecision = kind('number', 'PgDoublePrecision');
export const timestamp = kind('string', 'PgTimestampString');
export const date = kind('string', 'PgDateString');
export const time = kind('string', 'PgTime');
export const customType = () => kind('custom', 'PgCustomColumn');

/** Under the symbols where `getTableName` and `getTableColumns` look. Columns are declared when they are first asked for: a start asks none. */
export function pgTable(name: string, declared: () => Readonly<Record<string, Declared>>): object {
  const columns = lazy(() =>
    Object.fromEntries(Object.entries(declared()).map(([key, column]) => [key, column.facts()])),
  );
  return {
    [Symbol.for('drizzle:Name')]: name,
    get [Symbol.for('drizzle:Columns')]() {
      return columns();
    },
  };
}

/** Indexes, keys and checks stand behind the columns, in a function that nobody calls here. */
const unasked = (): never => {
  throw new Error('No index or key is made in a Worker.');
};

export {
  unasked as check,
  unasked as foreignKey,
  unasked as index,
  unasked as primaryKey,
  unasked as unique,
  unasked as uniqueIndex,
};

/** Drizzle asks of each part of a statement whether it is an enum type, which no table of ours has. */
export const isPgEnum = (): boolean => false;
