import type { Event } from '../api.ts';
import { requireSocket } from '../host.ts';
import type { Batch, ListChange, Position, StreamError } from '../realtime/frames.ts';
import { openStream, type Stream } from '../realtime/stream.ts';
import type { Wanted } from '../realtime/stream-events.ts';
import type { ApiClient } from '../rest/client.ts';
import type { Kept } from '../rest/session.ts';
import type { AnswerTo } from '../rest/typing.ts';
import { LiveList } from './list.ts';
import type { Row } from './order.ts';
import type { ListStorage, Stored } from './storage.ts';

/** What the rows of a path are; with `fields=` they have what it names. */
export type RowAt<P extends string> = P extends `${infer Bare}?${infer Query}`
  ? RowOfBare<Bare, Query extends `${string}fields=${string}` ? { query: { fields: string } } : object>
  : RowOfBare<P, object>;
type RowOfBare<P, Asked> = AnswerTo<'get', P, Asked> extends { data: (infer R extends Row)[] } ? R : Row;

export type LiveOptions = {
  /** Where lists are kept, so that the next visit shows them at once; absent: nowhere. */
  storage?: ListStorage;
};

/** A list, how many use it, and how the server tells of it: by itself, or by every change of its topic. */
type Followed = {
  id: string;
  list: LiveList;
  users: number;
  isQuery: boolean;
  /** What is to be kept soon. */
  due: 'rows' | 'place' | null;
  cancel(): void;
};

/** Live lists of one connection; the server's limit, where it has not said another. */
const MOST_QUERIES = 20;
/** How soon rows are kept, and a place that moves on without them, ms. */
const KEEP_ROWS = 200;
const KEEP_PLACE = 30_000;

/** Live lists over one stream, which is opened with the first of them. */
export class Live {
  readonly #client: ApiClient;
  readonly #storage: ListStorage | null;
  readonly #lists = new Map<string, Followed>();
  readonly #stopListening: () => void;
  #stream: Stream | null = null;
  #who: Kept | null;
  #wanted = '';
  #lastId = 0;
  #restoring = 0;
  #oldest: Position | null = null;

  constructor(client: ApiClient, { storage }: LiveOptions = {}) {
    requireSocket(client.host);
    this.#client = client;
    this.#storage = storage ?? null;
    this.#who = client.session.current;
    this.#stopListening = client.session.onChange((kept) => this.#signedAs(kept));
  }

  /** The stream of changes that the lists come over; null before the first list. */
  get stream(): Stream | null {
    return this.#stream;
  }

  /** The first page of a list, as GET answers this path. Whoever asks for the same path shares it; each closes their own. */
  list<const P extends string>(path: P): LiveList<RowAt<P>> {
    const known = this.#lists.get(path) ?? this.#begin(path);
    known.users += 1;
    return known.list as unknown as LiveList<RowAt<P>>;
  }

  close(): void {
    this.#stopListening();
    this.#end();
  }

  #begin(path: string): Followed {
    const client = this.#client;
    const followed: Followed = {
      id: `l${++this.#lastId}`,
      list: new LiveList(path, {
        client,
        moved: (isNews) => this.#keep(followed, isNews),
        left: () => this.#leave(followed),
      }),
      ...{ users: 0, isQuery: true, due: null, cancel: none },
    };
    this.#lists.set(path, followed);
    void this.#restore(followed);
    return followed;
  }

  #leave(followed: Followed): void {
    followed.users -= 1;
    if (followed.users > 0) return;
    followed.cancel();
    followed.list.end();
    if (this.#lists.get(followed.list.path) === followed) this.#lists.delete(followed.list.path);
    this.#ask();
  }

  /** What was kept is shown; then it is asked for what happened since. Never rejects. */
  async #restore({ list }: Followed): Promise<void> {
    this.#restoring += 1;
    // Storage that cannot be read is none.
    const stored = await Promise.resolve(this.#storage?.read(this.#keyOf(list.path))).catch(() => undefined);
    this.#restoring -= 1;
    if (this.#lists.get(list.path)?.list === list) {
      if (stored !== undefined && this.#stream === null) this.#oldest = older(this.#oldest, stored);
      list.begin(stored ?? null);
    }
    if (this.#restoring === 0) this.#ask();
  }

  /** Has the stream follow what is followed now. */
  #ask(): void {
    const wanted = this.#compose();
    const text = JSON.stringify(wanted);
    if (this.#stream !== null) {
      if (text !== this.#wanted) this.#stream.want(wanted);
    } else if (this.#lists.size > 0) this.#open(wanted);
    this.#wanted = text;
  }

  #compose(): Wanted {
    const all = [...this.#lists.values()];
    const most = this.#stream?.limits?.queries ?? MOST_QUERIES;
    for (const followed of all.filter(({ isQuery }) => isQuery).slice(most)) followed.isQuery = false;
    const queries = all.filter(({ isQuery }) => isQuery).map(({ id, list: { path } }) => ({ id, path }));
    // The lists bring what is needed; `company` is a topic for all, and quiet.
    const topics = queries.length === all.length ? { topics: ['company'] } : {};
    return queries.length === 0 ? topics : { ...topics, queries };
  }

  #open(wanted: Wanted): void {
    const stream = openStream(this.#client, wanted, this.#oldest ?? undefined);
    this.#stream = stream;
    stream.on('fresh', (at) => this.#each((list) => list.follow(at, true)));
    stream.on('resumed', (at) => this.#each((list) => list.follow(at, false)));
    stream.on('state', (state) => state !== 'live' && this.#each((list) => list.pause()));
    stream.on('batch', (batch) => this.#take(batch));
    stream.on('refused', (error) => this.#refused(error));
  }

  #take(batch: Batch): void {
    for (const { id, list, isQuery } of this.#lists.values()) {
      const said = batch.lists?.find((change) => change.id === id) as ListChange<Row> | undefined;
      const touched = !isQuery && batch.messages.some((message) => this.#concerns(message, list.path));
      list.take(batch, said ?? (touched ? { id, revision: batch.revision, changed: true } : null));
    }
  }

  /** Of what has no topic of its own, and of what embeds others, anything may be a change. */
  #concerns({ topic }: Event, path: string): boolean {
    const [bare = '', query = ''] = path.split('?', 2);
    const own = bare.slice(bare.lastIndexOf('/') + 1);
    return topic === own || query.includes('include=') || !(this.#stream?.topics.includes(own) ?? false);
  }

  /** The server follows one of these lists not by itself: those are loaded anew with each change that concerns them. */
  #refused({ message }: StreamError): void {
    const asked = [...this.#lists.values()].filter(({ isQuery }) => isQuery);
    const named = asked.filter(({ id }) => message.includes(`: ${id}:`));
    for (const followed of named.length > 0 ? named : asked) followed.isQuery = false;
    if (asked.length > 0) this.#ask();
  }

  #each(tell: (list: LiveList) => void): void {
    for (const { list } of this.#lists.values()) tell(list);
  }

  #keep(followed: Followed, isNews: boolean): void {
    if (this.#storage === null || this.#who === null || followed.due === 'rows') return;
    if (followed.due === 'place' && !isNews) return;
    followed.cancel();
    followed.due = isNews ? 'rows' : 'place';
    followed.cancel = this.#client.host.after(isNews ? KEEP_ROWS : KEEP_PLACE, () => this.#store(followed));
  }

  #store(followed: Followed): void {
    const { stored, path } = followed.list;
    followed.due = null;
    // Another tab may have signed out, and taken everything away.
    const isWho = this.#client.session.current?.userId === this.#who?.userId;
    if (stored !== null && isWho) this.#storage?.write(this.#keyOf(path), stored).catch(none);
  }

  /** By whose eyes it is: another role sees others. */
  #keyOf(path: string): string {
    return `${prefixOf(this.#who)}${this.#who?.role} ${path}`;
  }

  #signedAs(kept: Kept | null): void {
    const before = this.#who;
    this.#who = kept;
    if (before?.userId === kept?.userId) return;
    this.#end();
    if (before !== null) this.#storage?.clear(prefixOf(before)).catch(none);
  }

  #end(): void {
    for (const followed of this.#lists.values()) {
      followed.cancel();
      followed.list.end();
    }
    this.#lists.clear();
    this.#stream?.close();
    this.#stream = null;
    this.#oldest = null;
  }
}

/** Follows lists as their GET answers them. */
export const openLive = (client: ApiClient, options?: LiveOptions): Live => new Live(client, options);

const none = (): void => undefined;

const prefixOf = (who: Kept | null): string => `${who?.companyId}/${who?.userId}/`;

/** Where everybody's changes can be asked from; of two histories the later. */
function older(one: Position | null, { epoch, revision }: Stored): Position {
  if (one === null || epoch > one.epoch) return { epoch, revision };
  return epoch < one.epoch || one.revision < revision ? one : { epoch, revision };
}
