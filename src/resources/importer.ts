import type * as z from 'zod';
import type { Fault } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { Look } from './planned.ts';

/** How a cell of CSV becomes a value: as it is, `a|b|c` as a list, what JSON would hold, or JSON. */
export type Cell = 'text' | 'list' | 'boolean' | 'number' | 'json';

/** A checked row on its way to the database: whatever the importer's statement expects, with an id in case it is new. */
export type ImportRow = Record<string, unknown> & {
  /** What it names and is not there yet, and was left out. */
  open?: readonly Fault[];
};

/** What rows find their object by. */
export type MatchKey = 'externalId' | 'email' | 'phone';

/** A row that its schema has checked. `cells`: it came from CSV, where every value is text. */
export type Given<V = unknown> = { value: V; id: string; cells: boolean };

/** How a row becomes what the statement takes. A method's type, so that an importer of particular rows is one of any. */
type RowMaker<V> = { of(given: Given<V>): ImportRow }['of'];

/** Where rows are made: for whom, and how the database is asked. */
export type Desk = { companyId: string; look: Look; now: number };

/** Members of a view that a row of a file does not take: what an importer ignores. */
export const onlyShown = (view: () => z.ZodObject, file: () => z.ZodObject): (() => readonly string[]) =>
  lazy(() => {
    const known = file().shape;
    return Object.keys(view().shape).filter((name) => !Object.hasOwn(known, name));
  });

/** What a file must say of an object in one of these columns: of each, or (`always` false) of those that are new alone. */
export type Need = { columns: readonly string[]; always: boolean };

/** A match key as the database compares it. */
export function keyText(match: MatchKey, said: string): string {
  const text = said.trim().normalize('NFC');
  return match === 'email' ? text.toLowerCase() : text;
}

/** What an import needs to know of a resource. Made by `importerOf`; `src/registry.ts` lists them. `V`: what its schema makes of a row. */
export type Importer<V = unknown> = {
  /** As in `?resource=`: `clients`. */
  readonly resource: string;
  /** A line of NDJSON, for the OpenAPI document. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Rows that one transaction takes in: while it does, the company's other writers wait. */
  readonly chunk: number;
  /** Fields our export shows but nobody may write: taken and ignored, so that an export can be imported. */
  readonly ignored: readonly string[];
  /** Where its objects are, in SQL. */
  readonly table: string;
  /** What a file of them must have a column for, besides what rows are matched by. */
  readonly needs: readonly Need[];
  /** What rows may be matched by; `externalId` first, which is the default. */
  readonly matches: readonly MatchKey[];
  /** One row, JSON Merge Patch: absent leaves, null clears. Has the match key, required. Columns of CSV are its places. */
  schema(match: MatchKey): z.ZodObject;
  /**
   * Reads what rows name, in one trip at most, and answers how each becomes what the statement takes.
   * @throws AppError the answer does, of a row that names what is not there
   */
  prepare(match: MatchKey, all: readonly Given<V>[], desk: Desk): Promise<RowMaker<V>>;
  /**
   * One SQL statement: $1 is a jsonb array of rows, each with another match key. It creates or updates all of them and
   * answers one jsonb `{created, updated, unchanged}` that adds up. Runs inside a write, so `app.company()` is the tenant.
   */
  upsert(match: MatchKey): string;
};

export type Importers = ReadonlyMap<string, Importer>;

export const makeImporters = (all: readonly Importer[]): Importers =>
  new Map(all.map((importer) => [importer.resource, importer]));
