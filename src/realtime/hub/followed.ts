import { type LiveList, type LiveRows, MOST_FOLLOWED, type Place } from '../../data/live-list.ts';
import type { Change, Row } from '../../data/log.ts';

/** What becomes of one row of a page within a frame, by the row that is left of it; null when it has left. */
type Fate = { was: boolean; row: Row | null; schemaVersion: number };

/** What the company's entities know of a change. */
export type ChangeReading = {
  /** Whether it touches what the list rests on. */
  touches(change: Change, list: LiveList): boolean;
  /** Whether what it says of before is blanked. */
  purges(change: Change): boolean;
};

/**
 * One list at one revision: where each of its rows stands. A change moves it on without a database; where that cannot be
 * said, whoever follows it is told that it has changed. Pure.
 */
export class Followed {
  readonly list: LiveList;
  /** Whether it is kept as it is; a row that moves beyond the page is told to nobody, and moves all the same. */
  isKept = false;
  /** In order; null while it is not known. */
  #places: Place[] | null = null;
  /** The same by id. What a change says of before is not asked: an erasure blanks it. */
  #byId = new Map<string, Place>();
  /** The revision that the places are of, or an earlier one between which nothing changed. */
  #asOf = 0;

  constructor(list: LiveList) {
    this.list = list;
  }

  /** How many rows it has; null while that is not known. */
  get size(): number | null {
    return this.#places?.length ?? null;
  }

  /** Where its rows stand at this revision, up to which it was moved; null where that is not known. */
  placesAt(revision: number): readonly Place[] | null {
    return this.#asOf > revision ? null : this.#places;
  }

  /** These are its rows at this revision. */
  settle(places: readonly Place[], revision: number): void {
    const { rows } = this.list;
    this.#places = rows === null ? null : [...places].sort(rows.compare);
    this.#byId = new Map(places.map((place) => [place.id, place]));
    this.#asOf = revision;
  }

  #forget(): void {
    this.#places = null;
    this.#byId.clear();
  }

  /** As it was before these changes, which led to what it is; unknown where it is not at `revision`. */
  before(changes: readonly Change[], revision: number): Followed {
    const earlier = new Followed(this.list);
    const { rows } = this.list;
    if (rows === null || this.#places === null || this.#asOf > revision) return earlier;
    const byId = new Map(this.#byId);
    for (const { entity, entityId, before } of changes.toReversed()) {
      if (entity !== rows.entity) continue;
      if (before !== null && rows.holds(before)) byId.set(entityId, rows.placeOf(before));
      else byId.delete(entityId);
    }
    earlier.settle([...byId.values()], changes[0] === undefined ? revision : changes[0].revision - 1);
    return earlier;
  }

  /** Moves it on. @returns what is said of it in a frame with these changes, behind its id; null: nothing */
  follow(changes: readonly Change[], reading: ChangeReading): string | null {
    const { rows } = this.list;
    if (rows === null) return changes.some((change) => reading.touches(change, this.list)) ? CHANGED : null;
    const fates = new Map<string, Fate>();
    let changed = false;
    for (const change of changes)
      if (change.entity === rows.entity) changed = this.#step(change, rows, fates, reading) || changed;
    if (changed) return CHANGED;
    return fates.size === 0 ? null : told(rows, fates);
  }

  /** @returns whether only the database can tell what the page is now */
  #step(change: Change, rows: LiveRows, fates: Map<string, Fate>, { purges }: ChangeReading): boolean {
    const { revision, entityId: id, before, after, schemaVersion } = change;
    const is = after !== null && rows.holds(after);
    const places = this.#places;
    // What was read lies ahead of what is sent: there, it is known already.
    if (places === null || revision <= this.#asOf)
      return is || (before !== null && (rows.holds(before) || purges(change)));
    const { limit } = rows;
    const old = this.#byId.get(id);
    if (old === undefined && !is) return false;
    const from = old === undefined ? BEYOND : take(places, rows, old);
    const to = is ? this.#put(places, rows, rows.placeOf(after)) : BEYOND;
    if (!is) this.#byId.delete(id);
    this.#asOf = revision;
    this.isKept = false;
    if (places.length > MOST_FOLLOWED) {
      this.#forget();
      return true;
    }
    const left = from < limit;
    if (to < limit) {
      note(fates, id, { was: left, row: after, schemaVersion });
      const pushed = left ? undefined : places[limit];
      if (pushed !== undefined) note(fates, pushed.id, { was: true, row: null, schemaVersion });
      // Who sees the new place only by a column that is not shown cannot put it there.
      return !rows.isSortable && from !== to;
    }
    if (!left) return false;
    note(fates, id, { was: true, row: null, schemaVersion });
    // Another one moves up into the page, whose object no change says.
    return places.length >= limit;
  }

  /** @returns where it is now */
  #put(places: Place[], rows: LiveRows, place: Place): number {
    const at = find(places, rows, place);
    places.splice(at, 0, place);
    this.#byId.set(place.id, place);
    return at;
  }
}

/** Only a new GET can tell what it is. */
export const CHANGED = '"changed":true}';
/** Of what is in no place. */
const BEYOND = Number.POSITIVE_INFINITY;

/** What came first says whether the page had the row before; what came last, whether it has it now. */
function note(fates: Map<string, Fate>, id: string, fate: Fate): void {
  const earlier = fates.get(id);
  fates.set(id, earlier === undefined ? fate : { ...fate, was: earlier.was });
}

function told(rows: LiveRows, fates: ReadonlyMap<string, Fate>): string {
  const enter: string[] = [];
  const update: string[] = [];
  const leave: string[] = [];
  for (const [id, { was, row, schemaVersion }] of fates) {
    // One that came and went is said to have left: whoever loaded in between has it.
    if (row === null) leave.push(JSON.stringify(rows.publicId(id)));
    else (was ? update : enter).push(rows.show(row, schemaVersion));
  }
  return `"enter":[${enter.join()}],"update":[${update.join()}],"leave":[${leave.join()}]}`;
}

/** Where a place is or would be. */
function find(places: readonly Place[], rows: LiveRows, place: Place): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows.compare(places[middle] as Place, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Takes one out that is there. @returns where it was */
function take(places: Place[], rows: LiveRows, place: Place): number {
  const at = find(places, rows, place);
  places.splice(at, 1);
  return at;
}
