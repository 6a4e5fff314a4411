import { type SQL, sql, type Table } from 'drizzle-orm';

/** The rows of each statement, as the driver reads them: `bigint` and instants as text, jsonb parsed. */
export type RowsOf<Q extends readonly SQL[]> = {
  -readonly [I in keyof Q]: NonNullable<Q[I]> extends SQL<infer R> ? R[] : never;
};

type ColumnsOf<T extends Table> = T['_']['columns'];

/** A row of a table as `to_jsonb` renders it: the names of the database, numbers as numbers, instants as text. */
export type TableRow<T extends Table> = {
  [F in keyof ColumnsOf<T> as ColumnsOf<T>[F]['_']['name']]: ColumnsOf<T>[F]['_']['notNull'] extends true
    ? ColumnsOf<T>[F]['_']['data']
    : ColumnsOf<T>[F]['_']['data'] | null;
};

/** Bytes as a statement takes them. */
export const bytea = (bytes: Uint8Array): SQL => sql`decode(${Buffer.from(bytes).toString('hex')}, 'hex')`;

/** What the last of some statements answered, where how many came before it is not known. */
export const last = <T>(answers: readonly [...unknown[], T]): T => answers[answers.length - 1] as T;
