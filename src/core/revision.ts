/**
 * The rules that make a cached answer trustworthy, as pure functions (architecture.md, "The four rules").
 *
 * R1 A revision comes from a row-locked counter, never a sequence, so commit order is revision order.
 * R2 A reader takes the revision in the same snapshot as the rows; `Entry.revision` is that one.
 * R3 Announcing is gap-aware and atomic: `announce`. Missing state is unknown, never 0.
 * R4 Announce after commit.
 *
 * test/unit/cache/model.test.ts runs every interleaving of these and shows what breaks without each.
 */
import { AppError } from './errors.ts';

/**
 * What Redis knows of a company: the newest revision announced without a gap, the floor below which nothing may be
 * trusted, the newest revision per tag. `incarnation` is random text that names this state's life: a state that was lost
 * and begun again may know less than the one before, so nothing that was read from the one is judged by the other.
 */
export type TagState = {
  epoch: string;
  incarnation: string;
  head: number;
  floor: number;
  tags: Record<string, number>;
};

/**
 * The revisions `first..last` are committed and touched these tags. An empty range (`first = last + 1`, no tags) says
 * "a snapshot at `last` was read": it starts missing state, and heals one whose announcements were lost.
 */
export type Announcement = { epoch: string; first: number; last: number; tags: Record<string, number> };

/**
 * What judging needs of a cached answer. `revision` is its snapshot's; `validUntil` (ms) is when the clock changes it.
 * `incarnation` was read from Redis BEFORE the snapshot was taken, so every later change is announced to that very state
 * or to one that came after it; null when no state was seen, which is never valid.
 */
export type Entry = { epoch: string; incarnation: string | null; revision: number; validUntil: number | null };

/**
 * The reducer that the Lua script implements (R3); never mutates its arguments. Missing state or a newer epoch (uuidv7
 * text order) starts over: floor = first-1, head = last, and `incarnation`, fresh random text of the caller's, is taken;
 * otherwise the state keeps its own. An older epoch is ignored; first <= head+1 advances head to max(head,last);
 * first > head+1 raises floor to max(floor, first-1) and head to last; tags are raised by max in every case but an older
 * epoch.
 */
export function announce(state: TagState | null, a: Announcement, incarnation: string): TagState {
  if (state === null || a.epoch > state.epoch) {
    return { epoch: a.epoch, incarnation, head: a.last, floor: a.first - 1, tags: { ...a.tags } };
  }
  if (a.epoch < state.epoch) return state;
  const tags = { ...state.tags };
  for (const tag in a.tags) {
    const revision = a.tags[tag] as number;
    if (revision > (tags[tag] ?? 0)) tags[tag] = revision;
  }
  // Whatever lies in the gap may have touched anything: a snapshot that holds it (>= first-1) is the oldest to trust.
  const floor = a.first > state.head + 1 ? Math.max(state.floor, a.first - 1) : state.floor;
  return { epoch: state.epoch, incarnation: state.incarnation, head: Math.max(state.head, a.last), floor, tags };
}

/** What Redis says of a company, and of the tags an answer depends on, in their order; undefined = unknown. */
export type Reading = {
  epoch: string;
  incarnation: string;
  floor: number;
  values: readonly (number | undefined)[];
};

/**
 * 'valid', otherwise why not. Valid iff same epoch, same incarnation, entry.revision >= floor, every tag known and <=
 * entry.revision, the clock before validUntil. An unknown tag is invalid. A tag that is absent from state that exists is known: pass 0, the floor speaks for it.
 */
export function judge(
  entry: Entry,
  { epoch, incarnation, floor, values }: Reading,
  now: number,
): 'valid' | 'epoch' | 'incarnation' | 'floor' | 'tag' | 'unknown' | 'clock' {
  if (entry.epoch !== epoch) return 'epoch';
  if (entry.incarnation !== incarnation) return 'incarnation';
  if (entry.revision < floor) return 'floor';
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined) return 'unknown';
    if (value > entry.revision) return 'tag';
  }
  return entry.validUntil !== null && now >= entry.validUntil ? 'clock' : 'valid';
}

/** The newest revision an answer depends on: max(floor, tags). Two places that agree on it hold the same bytes. */
export function newestTag(floor: number, tagValues: readonly number[]): number {
  let newest = floor;
  for (let index = 0; index < tagValues.length; index++) {
    const value = tagValues[index] as number;
    if (value > newest) newest = value;
  }
  return newest;
}

/**
 * The revision that names a body in its ETag. A reading speaks for a snapshot only when its newest change is in the
 * snapshot and the snapshot is not ahead of its head. Otherwise tags that were touched in between would be missed, and
 * one ETag would stand for two bodies: then the body is named by its snapshot.
 */
export function namedRevision(
  snapshot: number,
  reading: { head: number; floor: number; values: readonly number[] } | null,
): number {
  if (reading === null || snapshot > reading.head) return snapshot;
  const newest = newestTag(reading.floor, reading.values);
  return newest <= snapshot ? newest : snapshot;
}

/** How much of an incarnation's name an ETag has room for: the beginnings of the state's life and of Redis'. */
const NAME_LENGTH = 16;

/**
 * What an ETag names. `representation` is the caller's short hash of company, scope, route, normalised query and schema
 * version; `incarnation` is null of a body computed without a state, which no state vouches for.
 */
export type Named = { epoch: string; incarnation: string | null; newest: number; representation: string };

function opaqueTag({ epoch, incarnation, newest, representation }: Named): string {
  return `${epoch.slice(-12)}.${incarnation?.slice(0, NAME_LENGTH) ?? '-'}.${newest.toString(36)}.${representation}`;
}

/**
 * Weak ETag `W/"<epoch part>.<incarnation part>.<newest base36>.<representation>[.<validUntil base36 s>]"`
 * (RFC 9110, 8.8.3). `validUntil` in ms, rounded down so that the tag never outlives the answer.
 *
 * The incarnation is in it although a body at a revision is the same body in all of them: a 304 is also a claim that
 * nothing newer exists, and a state that was lost and begun again at an older announcement would claim it wrongly for
 * the body at that revision (the model shows it).
 */
export function formatETag(named: Named, validUntil: number | null): string {
  const tag = opaqueTag(named);
  return validUntil === null ? `W/"${tag}"` : `W/"${tag}.${Math.floor(validUntil / 1000).toString(36)}"`;
}

/**
 * If-None-Match (RFC 9110, 13.1.2: a list, weak comparison; `*` is for whoever knows what is there): true when one of the presented tags equals the
 * present one and its own validUntil part, if any, lies ahead of `now` (ms).
 * A malformed list ends at its fault: no match costs a body, a false one would be a wrong answer.
 */
export function matchesETag(ifNoneMatch: string, named: Named, now: number): boolean {
  const present = opaqueTag(named);
  if (!ifNoneMatch.includes(present)) return false;
  const entityTag = /[ \t,]*(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/y;
  for (let found = entityTag.exec(ifNoneMatch); found !== null; found = entityTag.exec(ifNoneMatch)) {
    const tag = found[1] as string;
    if (!tag.startsWith(present)) continue;
    const rest = tag.slice(present.length);
    if (rest === '') return true;
    if (/^\.[0-9a-z]{1,9}$/.test(rest) && now < Number.parseInt(rest.slice(1), 36) * 1000) return true;
  }
  return false;
}

/** The `Min-Revision` header: absent → 0; digits only, ≤ 2^53-1, else AppError `invalid_min_revision`. */
export function parseMinRevision(value: string | null | undefined): number {
  if (value == null) return 0;
  const revision = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(revision)) return revision;
  const detail = 'Min-Revision must be a whole number of at most 9007199254740991.';
  throw new AppError('invalid_min_revision', detail, {
    faults: [{ parameter: 'Min-Revision', code: 'invalid_min_revision', detail }],
  });
}

/**
 * `If-Match` for versions (RFC 9110, 13.1.1; details A7): null when absent or `*`, the expected version for `"7"`,
 * and -1, which no version is, for anything else: weak tags never match, and a list names no one version.
 */
export function parseIfMatch(value: string | undefined): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (text === '*') return null;
  const version = /^"(?:0|[1-9][0-9]*)"$/.test(text) ? Number(text.slice(1, -1)) : -1;
  return Number.isSafeInteger(version) ? version : -1;
}
