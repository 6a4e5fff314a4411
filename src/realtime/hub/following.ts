import { type Counted, type LiveList, MOST_FOLLOWED, type Place } from '../../data/live-list.ts';
import type { Change } from '../../data/log.ts';
import type { Position } from '../../data/position.ts';
import type { Audience } from './audience.ts';
import { Followed } from './followed.ts';
import type { Ring } from './ring.ts';
import type { Shelf } from './shelf.ts';
import type { Time } from './stream.ts';

/** Reads where the rows of these lists stand, in one snapshot. @throws whatever reading the database throws */
export type ReadLists = (lists: readonly LiveList[]) => Promise<Position & { counted: readonly Counted[] }>;

/** Why a list is not followed after all. */
export type Refusal = { at: number; code: 'query_too_large' | 'unknown_query' };

/** Rows that a room remembers of all its lists; of what is beyond, it says only that it has changed. */
const MOST_PLACES = 50_000;
/** Lists that nobody follows any more, until they are forgotten though nothing is written. */
const MOST_UNUSED = 200;
/** Lists read in one go. */
const AT_ONCE = 20;
/** Pause between two tries to read what is not known of lists, ms. */
const READ_AGAIN = 2000;
/** How long what has changed waits to be kept, ms: a room sleeps when nothing has happened for longer. */
const KEEP_AFTER = 1000;

type Reading = {
  lists: ReadonlyMap<string, Followed>;
  /** What everybody was sent while it was read. */
  meanwhile: Change[];
  result: Promise<ReadonlyMap<string, Counted>>;
};

export type FollowingParts = {
  audience: Pick<Audience, 'tags' | 'purges'>;
  read: ReadLists;
  time: Time;
  ring: Ring;
  shelf: Shelf;
  /** What everybody who is live was sent last. */
  position(): Position | null;
};

/**
 * What a room knows of the lists that somebody follows, each once whoever follows it. Rows are read when a list is first
 * asked for; from then on every change moves them, and what a room knew it knows again after a sleep.
 */
export class Following {
  readonly #parts: FollowingParts;
  #lists = new Map<string, Followed>();
  readonly #readings = new Map<string, Reading>();
  /** Lists that have too many rows to be remembered. */
  readonly #large = new Set<string>();
  /** So many lists, and it is looked which of them somebody follows. */
  #tidyAt = MOST_UNUSED;
  /** Before this time nothing is read again, ms. */
  #readAt = 0;
  #willKeep = false;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
  }

  /** The list as everybody who is live has it; unknown where it was not followed. */
  of(list: LiveList): Followed {
    const known = this.#lists.get(list.key);
    if (known !== undefined) return known;
    const followed = this.#again(list);
    this.#lists.set(list.key, followed);
    return followed;
  }

  /** Whether it can be followed without being read for that, or is read already. */
  isKnown(list: LiveList): boolean {
    return this.of(list).size !== null || this.#readings.has(list.key);
  }

  /** Follows these lists, whose rows are read where they are not known. @throws whatever reading the database throws */
  async open(lists: readonly LiveList[]): Promise<Refusal | null> {
    const readings = this.#read(lists.filter((list) => this.of(list).size === null));
    const counted = new Map((await Promise.all(readings.map(({ result }) => result))).flatMap((found) => [...found]));
    for (const [at, { key }] of lists.entries()) {
      const { size, isThere } = counted.get(key) ?? { size: this.#lists.get(key)?.size ?? 0, isThere: true };
      if (!isThere) return { at, code: 'unknown_query' };
      if (size > MOST_FOLLOWED) return { at, code: 'query_too_large' };
    }
    return null;
  }

  /** Everybody who is live is sent these, if anybody is: they follow these lists. */
  pass(changes: readonly Change[], used: ReadonlyMap<string, LiveList>): void {
    for (const { meanwhile } of new Set(this.#readings.values())) meanwhile.push(...changes);
    this.#lists = new Map([...used].map(([key, list]) => [key, this.of(list)]));
    this.#forgetOthers(used);
    if (!changes.some((change) => this.#parts.audience.purges(change))) return;
    this.#parts.shelf.clear();
    for (const followed of this.#lists.values()) followed.isKept = false;
  }

  /** Where whoever listens asks for ever other lists and nothing is written, `pass` forgets none of them. */
  tidy(used: () => ReadonlyMap<string, LiveList>): void {
    if (this.#lists.size < this.#tidyAt) return;
    this.#forgetOthers(used());
    this.#tidyAt = 2 * this.#lists.size + MOST_UNUSED;
  }

  /** Of a list that nobody follows nothing is remembered. */
  #forgetOthers(used: ReadonlyMap<string, LiveList>): void {
    for (const keys of [this.#lists, this.#large]) for (const key of keys.keys()) if (!used.has(key)) keys.delete(key);
  }

  /** Moves on what everybody follows. @returns what is said of each list that these changes concern */
  move(changes: readonly Change[]): Map<string, string> {
    const told = this.moved(this.#lists, changes);
    this.#readUnknown(told);
    if (this.#lists.size > 0) this.#keepSoon();
    return told;
  }

  /** The same of other states of lists. */
  moved(lists: ReadonlyMap<string, Followed>, changes: readonly Change[]): Map<string, string> {
    const { audience } = this.#parts;
    const tags = new Map<Change, readonly string[]>();
    const touches = (change: Change, list: LiveList): boolean => {
      const own = tags.get(change) ?? audience.tags(change);
      tags.set(change, own);
      return own.some((tag) => list.tags.has(tag));
    };
    const told = new Map<string, string>();
    for (const [key, followed] of lists) {
      const said = followed.follow(changes, { touches, purges: audience.purges });
      if (said !== null) told.set(key, said);
    }
    return told;
  }

  /** Another history, or nobody listens: nothing of this one counts. */
  restart(): void {
    this.#lists = new Map();
    this.#readings.clear();
    this.#parts.shelf.clear();
  }

  /** As it was kept, and moved on by what was sent since. */
  #again(list: LiveList): Followed {
    const { shelf, ring, audience } = this.#parts;
    const followed = new Followed(list);
    const position = this.#parts.position();
    const kept = list.rows === null || position === null ? null : shelf.find(list.key);
    if (kept === null || kept.at.epoch !== position?.epoch) return followed;
    const since = ring.after(kept.at.revision);
    // Erased meanwhile: what is kept holds more than may be known.
    if (since === null || since.some((change) => audience.purges(change))) return followed;
    followed.settle(kept.places, kept.at.revision);
    followed.isKept = true;
    this.moved(new Map([[list.key, followed]]), since);
    return followed;
  }

  /** What had to be called changed because its rows are not known is read, so that the next change finds them known. */
  #readUnknown(told: ReadonlyMap<string, string>): void {
    const now = this.#parts.time.now();
    if (now < this.#readAt && this.#readAt - now <= READ_AGAIN) return;
    const unknown = [...told.keys()].flatMap((key) => {
      const followed = this.#lists.get(key);
      const isReadable = followed?.list.rows != null && followed.size === null && !this.#large.has(key);
      return isReadable ? [followed.list] : [];
    });
    if (unknown.length === 0) return;
    this.#readAt = now + READ_AGAIN;
    // Who follows them is told that they change, meanwhile and until the next one finds them known.
    for (const { result } of this.#read(unknown)) result.catch(() => undefined);
  }

  /** Begins to read these, those under way excepted. @returns all that bring them */
  #read(lists: readonly LiveList[]): Reading[] {
    const fresh = [...new Map(lists.map((list) => [list.key, list])).values()].filter(
      ({ key }) => !this.#readings.has(key),
    );
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      const some = fresh.slice(at, at + AT_ONCE);
      const reading: Reading = {
        lists: new Map(some.map((list) => [list.key, new Followed(list)])),
        meanwhile: [],
        result: this.#parts.read(some).then(
          (found) => {
            this.#settle(reading, found);
            return new Map(some.map(({ key }, i) => [key, found.counted[i] as Counted]));
          },
          (error: unknown) => {
            this.#end(reading);
            throw error;
          },
        ),
      };
      for (const { key } of some) this.#readings.set(key, reading);
    }
    return [...new Set(lists.flatMap(({ key }) => this.#readings.get(key) ?? []))];
  }

  #settle(reading: Reading, { epoch, revision, counted }: Position & { counted: readonly Counted[] }): void {
    const isCurrent = [...reading.lists.keys()].some((key) => this.#readings.get(key) === reading);
    this.#end(reading);
    if (!isCurrent || epoch !== this.#parts.position()?.epoch) return;
    let room = MOST_PLACES;
    for (const { size } of this.#lists.values()) room -= size ?? 0;
    const since = reading.meanwhile.filter((change) => change.revision > revision);
    for (const [at, [key, followed]] of [...reading.lists].entries()) {
      const { size = 0, places = null } = counted[at] ?? {};
      room -= size;
      if (places === null || size > MOST_FOLLOWED || room < 0) {
        this.#large.add(key);
        continue;
      }
      followed.settle(places, revision);
      this.moved(new Map([[key, followed]]), since);
      this.#lists.set(key, followed);
    }
  }

  #end(reading: Reading): void {
    for (const key of reading.lists.keys()) if (this.#readings.get(key) === reading) this.#readings.delete(key);
  }

  #keepSoon(): void {
    if (this.#willKeep) return;
    this.#willKeep = true;
    this.#parts.time.after(KEEP_AFTER, () => this.#keep());
  }

  #keep(): void {
    this.#willKeep = false;
    const at = this.#parts.position();
    if (at === null) return;
    const used = new Set<string>();
    const changed = new Map<string, readonly Place[]>();
    for (const [key, followed] of this.#lists) {
      const places = followed.placesAt(at.revision);
      if (places === null) continue;
      used.add(key);
      if (!followed.isKept) changed.set(key, places);
    }
    this.#parts.shelf.keep(at, changed, used);
    for (const [key, followed] of this.#lists) if (used.has(key)) followed.isKept = true;
  }
}
