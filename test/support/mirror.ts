import type { Json } from './api.ts';

/** What a frame says of one list. */
export type ListNews = { id: string; revision: number } & (
  | { changed: true }
  | { changed?: never; enter: Json[]; update: Json[]; leave: string[] }
);

type Sort = { field: string; descending: boolean };

/** A list as a client keeps it, by the contract alone: the first answer, then what frames say. */
export class Mirror {
  readonly path: string;
  readonly #sort: readonly Sort[];
  readonly #isSortable: boolean;
  #objects: Json[] = [];
  /** The revision that it is of. */
  revision = -1;
  /** Only a new GET can tell what it is. */
  isStale = true;

  constructor(path: string) {
    this.path = path;
    const params = new URLSearchParams(path.slice(path.indexOf('?')));
    const sort = path.includes('?') ? (params.get('sort') ?? '-createdAt') : '-createdAt';
    this.#sort = sort.split(',').map((key) => ({
      field: key.replace(/^-/, ''),
      descending: key.startsWith('-') || params.get('order') === 'desc',
    }));
    const fields = params.get('fields')?.split(',');
    this.#isSortable = this.#sort.every(({ field }) => fields?.includes(field) ?? true);
  }

  /** As GET answered it at this revision. */
  load(data: readonly Json[], revision: number): void {
    this.#objects = [...data];
    this.revision = revision;
    this.isStale = false;
  }

  /** GET was refused at this revision. */
  refuse(revision: number): void {
    this.load([], revision);
  }

  apply(news: ListNews): void {
    if (news.revision <= this.revision) return;
    this.revision = news.revision;
    if (news.changed) {
      this.isStale = true;
      return;
    }
    const { enter, update, leave } = news;
    const gone = new Set(leave);
    const objects = new Map(this.#objects.flatMap((own) => (gone.has(String(own.id)) ? [] : [[own.id, own]])));
    // In its place what is known, so that a list without the fields it is sorted by stays in order.
    for (const object of [...enter, ...update]) objects.set(object.id, object);
    this.#objects = [...objects.values()];
    if (this.#isSortable) this.#objects.sort((a, b) => this.#compare(a, b));
  }

  /** Its objects as GET would write them. */
  text(): string {
    return JSON.stringify(this.#objects);
  }

  #compare(one: Json, other: Json): number {
    const last = this.#sort.at(-1)?.descending ?? false;
    for (const { field, descending } of [...this.#sort, { field: 'id', descending: last }]) {
      const [a, b] = [one[field] ?? null, other[field] ?? null];
      if (a === b) continue;
      if (a === null) return 1;
      if (b === null) return -1;
      const order = Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  }
}
