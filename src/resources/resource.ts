import type { SQL } from 'drizzle-orm';
import type { ListDeclaration, ListQuery } from '../core/list-query.ts';
import type { SortColumn } from '../data/keyset.ts';
import type { Filter } from '../data/narrow.ts';
import type { LoggedEntity } from '../data/registry.ts';
import type { Parts } from '../data/walk.ts';

/** One page of a ranked search. `rank` and `id` are those of the row it begins after; null for the first. */
export type SearchPage = {
  search: string;
  filters: ListQuery['filters'];
  rank: number | null;
  id: string | null;
  backwards: boolean;
  offset: number;
  limit: number;
};

/** One page of a search with a sort of its own, whose columns are named as in the row. `at`: values and id of the row before. */
export type SortedPage = {
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
  /** A table of one column, the ids of the page in their order; and one row more. */
  sorted(page: SortedPage): SQL;
  /** How many hits there are, counted up to `most`; null counts all. */
  count(query: { search: string; filters: ListQuery['filters']; most: number | null }): SQL;
  /** The condition that a row is a hit, for exports. */
  matches(search: string): SQL;
};

/** What `include=` embeds under its name. `tags` are those the embedded part depends on besides the object's own. */
export type Include = { select: SQL; present(value: unknown): unknown; tags: readonly string[] };

/** What the small functions `list`, `detail` and the writes need to know of a resource. */
export type Resource = LoggedEntity & {
  /** Bumped when the public shape changes. */
  version: number;
  writePermission: string;
  /** The table's name in SQL, and its rows as the log renders them: `to_jsonb(t) - hidden`. */
  table: SQL;
  row: SQL;
  id: SQL;
  companyId: SQL;
  list: ListDeclaration;
  sorts: Readonly<Record<string, SortColumn>>;
  /** The filter that parts the rows: the column behind the company in the index of every sort, and what is wanted of it. */
  parts?(query: ListQuery): Parts;
  /** The other filters; company and search are added by whoever calls. */
  filters(query: ListQuery): Filter[];
  /** A count of its own, up to `most`; null counts all. Null where the plain one will do. */
  count?(query: ListQuery, most: number | null): SQL | null;
  /** Tags of a list; narrower than one per resource where the query allows. */
  listTags(query: ListQuery): readonly string[];
  detailTags(id: string): readonly string[];
  search?: SearchFunctions;
  includes?: Readonly<Record<string, Include>>;
};
