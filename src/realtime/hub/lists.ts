import { type Counted, type LiveList, MOST_FOLLOWED } from '../../data/live-list.ts';
import type { Change } from '../../data/log.ts';
import type { Position } from '../../data/relay.ts';
import type { Audience } from './audience.ts';
import { CHANGED, Followed } from './followed.ts';
import type { Connection } from './member.ts';
import type { ListRequest } from './protocol.ts';

/** Reads where the rows of these lists stand, in one snapshot. @throws whatever reading the database throws */
export type ReadLists = (lists: readonly LiveList[]) => Promise<Position & { counted: readonly Counted[] }>;

/** What the lists of a connection are told in a frame that ends at `revision`, serialised. */
export type Told = (connection: Connection, revision: number) => string[];
/** What is told of changes that follow those of the call before. */
export type Telling = (changes: readonly Change[]) => Told;

/** Why a list is not followed after all. */
export type Refusal = { at: number; code: 'query_too_large' | 'unknown_query' };

/** Rows that a room remembers of all its lists; beyond, it says only that a list has changed. */
const MOST_PLACES = 50_000;
/** Characters of all lists of a connection in one frame; beyond, it is told to load the rest anew. */
const MOST_TOLD = 256 * 1024;
/** Lists read in one go. */
const AT_ONCE = 20;
/** Pause between two tries to read what is not known of lists, ms. */
const READ_AGAIN = 2000;

/** One list of a connection; `lost` when it may be seen no more, or is another one now: that is said once. */
type Own = { request: ListRequest; list: LiveList | null; isNews: boolean };
type Owned = { requests: readonly ListRequest[]; grant: unknown; lists: Own[] };
type Reading = {
  lists: ReadonlyMap<string, Followed>;
  meanwhile: Change[];
  result: Promise<ReadonlyMap<string, Counted>>;
};

export type ListsParts = { audience: Audience; read: ReadLists; now(): number; epoch(): string | null };

/**
 * The live lists of a room: one state per list that somebody follows, moved on once per change whoever follows it. Rows are
 * read when a list is first asked for, or when a room wakes that had forgotten them; after that nothing is.
 */
export class Lists {
  readonly #parts: ListsParts;
  #followed = new Map<string, Followed>();
  readonly #readings = new Map<string, Reading>();
  readonly #owned = new WeakMap<Connection, Owned>();
  /** Lists that have too many rows to be remembered. */
  readonly #large = new Set<string>();
  /** Before this time nothing is read again, ms. */
  #readAt = 0;

  constructor(parts: ListsParts) {
    this.#parts = parts;
  }

  /** The list behind a path, as this connection's caller would GET it. @throws AppError */
  find(connection: Connection, path: string): LiveList {
    return this.#parts.audience.list(connection.member, path);
  }

  /** Follows these lists, whose rows are read where nobody follows them yet. @throws whatever reading the database throws */
  async open(lists: readonly LiveList[]): Promise<Refusal | null> {
    const unknown = lists.filter(({ key }) => (this.#followed.get(key)?.size ?? null) === null);
    const readings = this.#read(unknown);
    const counted = new Map((await Promise.all(readings.map(({ result }) => result))).flatMap((found) => [...found]));
    for (const [at, { key }] of lists.entries()) {
      const { size, isThere } = counted.get(key) ?? { size: this.#followed.get(key)?.size ?? 0, isThere: true };
      if (!isThere) return { at, code: 'unknown_query' };
      if (size > MOST_FOLLOWED) return { at, code: 'query_too_large' };
    }
    return null;
  }

  /** Everybody who is live is sent these, if anybody is. */
  passed(changes: readonly Change[]): void {
    for (const { meanwhile } of new Set(this.#readings.values())) meanwhile.push(...changes);
  }

  /** Another history: nothing of this one counts. */
  clear(): void {
    this.#followed = new Map();
    this.#readings.clear();
  }

  /** All lists of these connections, moved on by what everybody is sent. */
  present(connections: Iterable<Connection>): Telling {
    const used = new Map<string, Followed>();
    for (const connection of connections)
      for (const { list } of this.#of(connection))
        if (list !== null) used.set(list.key, this.#followed.get(list.key) ?? new Followed(list));
    // Of a list that nobody follows nothing is remembered.
    this.#followed = used;
    for (const key of this.#large) if (!used.has(key)) this.#large.delete(key);
    return (changes) => {
      const told = this.#moved(used, changes);
      this.#readUnknown(told);
      return this.#telling(told);
    };
  }

  /** The lists of somebody who is told again what led to where everybody is. */
  past(connection: Connection, changes: readonly Change[], revision: number): Telling {
    const isBlanked = changes.some((change) => this.#parts.audience.purges(change));
    const then = new Map<string, Followed>();
    for (const { list } of this.#of(connection)) {
      if (list === null) continue;
      const now = (isBlanked ? null : this.#followed.get(list.key)) ?? new Followed(list);
      then.set(list.key, now.before(changes, revision));
    }
    return (part) => this.#telling(this.#moved(then, part));
  }

  /** The same where it is not known what led there. */
  unsure(connection: Connection): Telling {
    const lists = new Map(
      this.#of(connection).flatMap(({ list }) => (list === null ? [] : [[list.key, new Followed(list)]])),
    );
    return (part) => this.#telling(this.#moved(lists, part));
  }

  /** What is said of each that these changes concern. */
  #moved(lists: ReadonlyMap<string, Followed>, changes: readonly Change[]): Map<string, string> {
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

  #telling(told: ReadonlyMap<string, string>): Told {
    return (connection, revision) => {
      const own = this.#owned.get(connection);
      if (own === undefined || own.lists.length === 0) return [];
      const lists: string[] = [];
      let length = 0;
      let isLost = false;
      for (const entry of own.lists) {
        const said = entry.isNews ? CHANGED : told.get(entry.list?.key ?? '');
        if (said !== undefined) {
          length += said.length;
          const short = length > MOST_TOLD ? CHANGED : said;
          lists.push(`{"id":${JSON.stringify(entry.request.id)},"revision":${revision},${short}`);
        }
        entry.isNews = false;
        isLost ||= entry.list === null;
      }
      if (isLost) {
        own.lists = own.lists.filter(({ list }) => list !== null);
        own.requests = own.lists.map(({ request }) => request);
        connection.member.lists = own.requests;
        connection.save();
      }
      return lists;
    };
  }

  /** The lists of a connection as its grant shows them now. */
  #of(connection: Connection): readonly Own[] {
    const { member } = connection;
    const known = this.#owned.get(connection);
    if (known !== undefined && known.requests === member.lists && known.grant === member.grant) return known.lists;
    const before = known?.requests === member.lists ? known.lists : null;
    const lists = member.lists.map((request): Own => {
      const list = this.#found(connection, request.path);
      const earlier = before?.find((own) => own.request === request);
      // Another one by the same name, or none: a new GET shows which.
      const isOther = earlier === undefined ? list === null : earlier.isNews || earlier.list?.key !== list?.key;
      return { request, list, isNews: isOther };
    });
    this.#owned.set(connection, { requests: member.lists, grant: member.grant, lists });
    return lists;
  }

  #found(connection: Connection, path: string): LiveList | null {
    try {
      return this.find(connection, path);
    } catch {
      // Its right has gone, or a later version has no such list.
      return null;
    }
  }

  /** What had to be called changed because its rows are not known is read, so that the next change finds them known. */
  #readUnknown(told: ReadonlyMap<string, string>): void {
    const now = this.#parts.now();
    if (now < this.#readAt && this.#readAt - now <= READ_AGAIN) return;
    const unknown = [...told.keys()].flatMap((key) => {
      const followed = this.#followed.get(key);
      const isReadable = followed?.list.rows != null && followed.size === null && !this.#large.has(key);
      return isReadable ? [followed.list] : [];
    });
    if (unknown.length === 0) return;
    this.#readAt = now + READ_AGAIN;
    // Who follows them is told of changes meanwhile, and read again is at the next one.
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
    if (!isCurrent || epoch !== this.#parts.epoch()) return;
    let room = MOST_PLACES;
    for (const { size } of this.#followed.values()) room -= size ?? 0;
    for (const [at, followed] of [...reading.lists.values()].entries()) {
      const { size = 0, places = null } = counted[at] ?? {};
      room -= size;
      if (places === null || size > MOST_FOLLOWED || room < 0) {
        this.#large.add(followed.list.key);
        continue;
      }
      followed.settle(places, revision);
      // What everybody was sent while it was read.
      this.#moved(
        new Map([['', followed]]),
        reading.meanwhile.filter((change) => change.revision > revision),
      );
      this.#followed.set(followed.list.key, followed);
    }
  }

  #end(reading: Reading): void {
    for (const key of reading.lists.keys()) if (this.#readings.get(key) === reading) this.#readings.delete(key);
  }
}
