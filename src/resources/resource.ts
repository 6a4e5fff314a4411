import type { SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Filtered, ListDeclaration, ListQuery } from '../core/list-query.ts';
import type { SortColumn } from '../data/keyset.ts';
import type { Row } from '../data/log.ts';
import type { Filter } from '../data/narrow.ts';
import type { ConstraintMeaning } from '../data/postgres-errors.ts';
import type { LoggedEntity } from '../data/registry.ts';
import type { Parts } from '../data/walk.ts';
import type { Schema } from '../http/schemas.ts';
import type { Archive } from './archive.ts';
import type { Exported } from './exported.ts';
import type { Field } from './fields.ts';
import type { Importer } from './importer.ts';

/** One page of a ranked search. `rank` and `id` are those of the row it begins after; null for the first. */
type SearchPage = {
  search: string;
  filters: ListQuery['filters'];
  rank: number | null;
  id: string | null;
  backwards: boolean;
  offset: number;
  limit: number;
};

/** One page of a search with a sort of its own, whose columns are named as in the row. `at`: values and id of the row before. */
type SortedPage = {
  search: string;
  filters: ListQuery['filters'];
  sort: readonly { column: string; descending: boolean }[];
  at: readonly unknown[] | null;
  backwards: boolean;
  offset: number;
  limit: number;
};

/** How a resource is searched: each in one call of the database, which sees the filters too. */
export type SearchFunctions = {
  /** A table of `id` and `rank`, best first; the whole page and one row more. */
  page(page: SearchPage): SQL;
  /** A table `found` of `id` and `place`, the rows of the page in their order; and one row more. */
  sorted(page: SortedPage): SQL;
  /** How many hits there are, counted up to `most`; null counts all. */
  count(query: { search: string; filters: ListQuery['filters']; most: number | null }): SQL;
  /** The condition that a row is a hit, for exports. */
  matches(search: string): SQL;
};

/** What `include=` embeds under its name. `tags` are those the embedded part depends on besides the object's own. */
export type Include = {
  select: SQL;
  /** `may`: of whoever asks, whose answer is theirs alone as far as that matters. */
  present(value: unknown, may: (permission: string) => boolean): unknown;
  tags: readonly string[];
  /** Permissions that `present` asks for. */
  asks?: readonly string[];
};

/** What the small functions `list`, `detail`, the writes and imports know of a resource. Made by `tenantResource`; a plain object. */
export type Resource = LoggedEntity & {
  /** Bumped when the public shape changes. */
  readonly version: number;
  /** As in "Read a client", "List clients", and how its routes are grouped. */
  readonly one: string;
  readonly many: string;
  readonly tag: string;
  readonly writePermission: string;
  /** The table in SQL, its name, and its rows as the log renders them: `to_jsonb(t) - hidden`. */
  readonly table: SQL;
  readonly tableName: string;
  readonly row: SQL;
  readonly id: SQL;
  readonly companyId: SQL;
  readonly fields: ReadonlyMap<string, Field>;
  /** How each field of the public object is shown. */
  readonly members: Pick<ReadonlyMap<string, (row: Row) => unknown>, 'get'>;
  /** The public object, and bodies that create and change one. */
  readonly shown: Schema<z.ZodObject>;
  readonly create?: Schema<z.ZodObject> | undefined;
  readonly patch?: Schema<z.ZodObject> | undefined;
  /** How a field of a body becomes the value of its column, where that is not the value itself. */
  readonly stored: Readonly<Record<string, (value: unknown) => unknown>>;
  readonly list: ListDeclaration;
  readonly sorts: Readonly<Record<string, SortColumn>>;
  readonly archive?: Archive;
  /** How rows of files become objects. */
  readonly importer?: Importer;
  /** What lines of its export say besides the object. */
  readonly exported?: Exported;
  /** The filter that parts the rows: the column behind the company in the index of every sort, and what is wanted of it. */
  parts?(query: Filtered): Parts;
  /** The other filters; company and search are added by whoever calls. */
  filters(query: Filtered): Filter[];
  /** When the clock alone may next change a list, ms; null: never. */
  validUntil?(query: ListQuery, now: number): number | null;
  /** Tags of a list; narrower than one per resource where the query allows. */
  listTags(query: ListQuery): readonly string[];
  detailTags(id: string): readonly string[];
  readonly search?: SearchFunctions;
  readonly includes?: Readonly<Record<string, Include>>;
  /** What its violated constraints mean to a caller. */
  readonly constraints: Readonly<Record<string, ConstraintMeaning>>;
};
