import type { Json } from '../support/api.ts';
import type { Operation } from '../support/operations.ts';

export type Side = 'own' | 'other';

/** What is kept of each kind: enough to meet old and new objects. */
const MOST = 150;

const keep = (list: string[], text: string): void => {
  if (list.includes(text)) return;
  list.push(text);
  if (list.length > MOST) list.splice(MOST / 2, 1);
};

/** What earlier answers gave, so that later requests reach what is there. */
export class Pantry {
  readonly ids = { own: new Map<string, string[]>(), other: new Map<string, string[]>() };
  readonly etags: string[] = [];
  /** Walks begun: the path with its query, and where it goes on. */
  readonly walks: { side: Side; path: string; cursor: string }[] = [];
  readonly #spared: ReadonlySet<string>;

  /** @param spared ids that no request is to name: the callers' own */
  constructor(spared: Iterable<string>) {
    this.#spared = new Set(spared);
  }

  learn(side: Side, { topic }: Operation, path: string, headers: Headers, json: Json): void {
    const items = Array.isArray(json.data) ? (json.data as Json[]) : [json];
    for (const { id } of items)
      if (typeof id === 'string' && /^[a-z]+_[0-9a-z]{26}$/.test(id)) this.add(side, topic, id);
    const etag = headers.get('etag');
    if (etag !== null) keep(this.etags, etag);
    const [at, ...query] = path.split(/[?&]/).filter((part) => !part.startsWith('cursor='));
    // With a page there is no cursor; any limit goes with any.
    const walk = `${at}?${[...query.filter((part) => !/^(?:page|count)=/.test(part)), 'count=none'].join('&')}`;
    const { nextCursor, prevCursor } = (json.pagination ?? {}) as { nextCursor?: string; prevCursor?: string };
    for (const cursor of [nextCursor, prevCursor]) {
      if (typeof cursor !== 'string') continue;
      this.walks.push({ side, path: walk, cursor });
      if (this.walks.length > MOST) this.walks.splice(MOST / 2, 1);
    }
  }

  add(side: Side, topic: string, id: string): void {
    if (this.#spared.has(id)) return;
    const list = this.ids[side].get(topic) ?? [];
    this.ids[side].set(topic, list);
    keep(list, id);
  }

  id(side: Side, topic: string, pick: number): string {
    const list = this.ids[side].get(topic) ?? [];
    return list[pick % Math.max(1, list.length)] ?? 'nobody';
  }

  /** Any id of any kind, of either company. */
  anyId(pick: number): string {
    const all = [...this.ids.own.values(), ...this.ids.other.values()].flat();
    return all[pick % Math.max(1, all.length)] ?? 'nobody';
  }
}
