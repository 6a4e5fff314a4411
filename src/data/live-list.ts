import type { SQL } from 'drizzle-orm';
import type { Row } from './log.ts';
import type { Viewer } from './registry.ts';

/** Rows that a list may match and still be followed. */
export const MOST_FOLLOWED = 500;

/** Where a row stands in a list: the values it is sorted by, as the log writes them, then its id. */
export type Place = { readonly id: string; readonly values: readonly unknown[] };

/** What is known of a list at one revision. `places` are those of all its rows, in any order; null where nobody needs them. */
export type Counted = { size: number; places: Place[] | null; isThere: boolean };

/** A list that a room follows, from the declaration that makes its SQL. */
export type LiveList = {
  /** Lists of one key are the same for everybody who follows them. */
  readonly key: string;
  readonly permission: string;
  /** A change that touches none of these leaves it as it is. */
  readonly tags: ReadonlySet<string>;
  /** How a change decides what becomes of it; null where only the database can tell. */
  readonly rows: LiveRows | null;
  /** Reads `Counted` as one row; counts no further than one more than may be followed. */
  count(): SQL<Counted>;
};

/** What a change of a row says of a list, without a database. */
export type LiveRows = {
  readonly entity: string;
  /** Rows of the page. */
  readonly limit: number;
  /** Whether the list has this row. */
  holds(row: Row): boolean;
  placeOf(row: Row): Place;
  compare(one: Place, other: Place): number;
  /** Whether the objects show all they are sorted by, so that whoever holds them can put one in its place. */
  readonly isSortable: boolean;
  /** The object as the list shows it, serialised. */
  show(row: Row, schemaVersion: number): string;
  publicId(id: string): string;
};

/** How the query of one route becomes a list to follow. */
export type LiveRoute = {
  readonly permission: string;
  /** @param parent public id of whose rows these are, where the path names one. @throws AppError as the route's GET does */
  parse(params: URLSearchParams, parent: string | null, viewer: Viewer): LiveList;
};

/** The list behind a GET path. @throws AppError when there is none, or it cannot be followed */
export type FindList = (path: string, viewer: Viewer) => LiveList;
