import type { LiveList } from '../../data/live-list.ts';
import type { Change } from '../../data/log.ts';
import type { Audience } from './audience.ts';
import { CHANGED, Followed } from './followed.ts';
import { Following, type FollowingParts, type Refusal } from './following.ts';
import type { Connection } from './member.ts';
import type { ListRequest } from './protocol.ts';

/** What the lists of a connection are told in a frame that ends at `revision`, serialised. */
export type Told = (connection: Connection, revision: number) => string[];
/** What is told of changes that follow those of the call before. */
export type Telling = (changes: readonly Change[]) => Told;

/** Characters of all lists of a connection in one frame; beyond, it is told to load the rest anew. */
const MOST_TOLD = 256 * 1024;

/** Paths that are remembered. */
const MOST_PATHS = 500;
const nameOf = (scope: string, path: string): string => `${scope} ${path}`;

/**
 * One list of a connection, null while it may not be seen. `isNews`: it may not be the one it was. Each frame says so up to
 * the one that brings the connection to where the room is: what was loaded meanwhile is newer than the frames before.
 */
type Own = { request: ListRequest; list: LiveList | null; isNews: boolean };
type Owned = { requests: readonly ListRequest[]; grant: unknown; lists: readonly Own[] };

/** The live lists of connections: which each follows, by its own right, and what it is told of them. */
export class Lists {
  readonly #audience: Audience;
  readonly #connections: () => Iterable<Connection>;
  readonly #following: Following;
  readonly #position: FollowingParts['position'];
  readonly #owned = new WeakMap<Connection, Owned>();
  /** What paths mean, by who asks: to read one anew takes as long as the rest of a whole frame does. */
  readonly #paths = new Map<string, LiveList>();

  constructor(audience: Audience, connections: () => Iterable<Connection>, parts: Omit<FollowingParts, 'audience'>) {
    this.#audience = audience;
    this.#connections = connections;
    this.#following = new Following({ ...parts, audience });
    this.#position = parts.position;
  }

  /** The list behind a path, as this connection's caller would GET it. @throws AppError as GET refuses it */
  find({ member }: Connection, path: string): LiveList {
    const name = nameOf(this.#audience.scope(member), path);
    const known = this.#paths.get(name);
    if (known !== undefined) return known;
    const list = this.#audience.list(member, path);
    if (this.#paths.size >= MOST_PATHS) this.#paths.clear();
    this.#paths.set(name, list);
    return list;
  }

  /** Of how many of these paths it is not known yet what list they mean, or where its rows stand. */
  unknown({ member }: Connection, requests: readonly ListRequest[]): number {
    if (requests.length === 0) return 0;
    this.#following.tidy(() => this.#usedBy(this.#connections()));
    const scope = this.#audience.scope(member);
    const lists = new Set(requests.map(({ path }) => this.#paths.get(nameOf(scope, path)) ?? path));
    return [...lists].filter((list) => typeof list === 'string' || !this.#following.isKnown(list)).length;
  }

  /** Has these lists known. @throws whatever reading the database throws */
  open(lists: readonly LiveList[]): Promise<Refusal | null> {
    return this.#following.open(lists);
  }

  /** Another history. */
  restart(): void {
    this.#following.restart();
  }

  /** Nobody listens. */
  retire(): void {
    this.#paths.clear();
    this.#following.restart();
  }

  /** The right of this connection has changed: what its lists show may be something else, or nothing. */
  renew(connection: Connection): void {
    for (const own of this.#of(connection)) own.isNews = true;
  }

  /** What everybody who is live is sent, and their lists with it. */
  present(connections: Iterable<Connection>, changes: readonly Change[]): Telling {
    this.#following.pass(changes, this.#usedBy(connections));
    return (part) => this.#telling(this.#following.move(part));
  }

  /** What somebody is told again: the changes that led to where everybody is. */
  past(connection: Connection, changes: readonly Change[], revision: number): Telling {
    const isBlanked = changes.some((change) => this.#audience.purges(change));
    if (isBlanked) return this.unsure(connection);
    return this.#apart(connection, (list) => this.#following.of(list).before(changes, revision));
  }

  /** The same where it is not known what led there. */
  unsure(connection: Connection): Telling {
    return this.#apart(connection, (list) => new Followed(list));
  }

  #apart(connection: Connection, stateOf: (list: LiveList) => Followed): Telling {
    const then = new Map<string, Followed>();
    for (const { list } of this.#of(connection)) if (list !== null) then.set(list.key, stateOf(list));
    return (part) => this.#telling(this.#following.moved(then, part));
  }

  #telling(told: ReadonlyMap<string, string>): Told {
    const head = this.#position()?.revision;
    return (connection, revision) => {
      // Also to whoever is told again, a right may have been lost since the frame before.
      const lists = this.#of(connection);
      if (lists.length === 0 || (told.size === 0 && !lists.some(({ isNews }) => isNews))) return [];
      let length = 0;
      return lists.flatMap((own) => {
        const news = own.isNews ? CHANGED : told.get(own.list?.key ?? '');
        if (revision === head) own.isNews = false;
        if (news === undefined) return [];
        length += news.length;
        return [
          `{"id":${JSON.stringify(own.request.id)},"revision":${revision},${length > MOST_TOLD ? CHANGED : news}`,
        ];
      });
    };
  }

  #usedBy(connections: Iterable<Connection>): Map<string, LiveList> {
    const used = new Map<string, LiveList>();
    for (const connection of connections)
      for (const { list } of this.#of(connection)) if (list !== null) used.set(list.key, list);
    return used;
  }

  /** The lists of a connection as its grant shows them now. */
  #of(connection: Connection): readonly Own[] {
    const { member } = connection;
    const known = this.#owned.get(connection);
    if (known?.requests === member.lists && known.grant === member.grant) return known.lists;
    const before = known?.requests === member.lists ? known.lists : [];
    const lists = member.lists.map((request): Own => {
      const list = this.#found(connection, request.path);
      const earlier = before.find((own) => own.request === request);
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
}
