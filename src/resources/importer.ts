import type * as z from 'zod';

/** How a cell of CSV becomes a value: as it is, `a|b|c` as a list, or as what JSON would hold. */
export type Cell = 'text' | 'list' | 'boolean' | 'number';

/** A checked row on its way to the database: whatever the importer's statement expects, with an id in case it is new. */
export type ImportRow = Record<string, unknown>;

/** What rows find their object by. */
export type MatchKey = 'externalId' | 'email' | 'phone';

/** What an import needs to know of a resource. Made by `importerOf`; `src/registry.ts` lists them. */
export type Importer = {
  /** As in `?resource=`: `clients`. */
  readonly resource: string;
  /** Columns of CSV. */
  readonly columns: Readonly<Record<string, Cell>>;
  /** Fields that are objects: the column `customFields.size` is their member `size`. */
  readonly objects: readonly string[];
  /** Fields our export shows but nobody may write: taken and ignored, so that an export can be imported. */
  readonly ignored: readonly string[];
  /** What rows may be matched by; `externalId` first, which is the default. */
  readonly matches: readonly MatchKey[];
  /** One row, JSON Merge Patch: absent leaves, null clears. Has the match key, required. */
  schema(match: MatchKey): z.ZodType;
  /** @param value what the schema made of it @param cells the row came from CSV, where every value is text */
  row(match: MatchKey, value: unknown, id: string, cells: boolean): ImportRow;
  /**
   * One SQL statement: $1 is a jsonb array of rows, each with another match key. It creates or updates all of them and
   * answers one jsonb `{created, updated, unchanged}` that adds up. Runs inside a write, so `app.company()` is the tenant.
   */
  upsert(match: MatchKey): string;
};

export type Importers = ReadonlyMap<string, Importer>;

export const makeImporters = (all: readonly Importer[]): Importers =>
  new Map(all.map((importer) => [importer.resource, importer]));
