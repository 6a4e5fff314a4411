import { encodeCursor } from '../../src/core/cursor.ts';
import { type ListQuery, parseListQuery } from '../../src/core/list-query.ts';
import { compileProjection } from '../../src/core/project.ts';
import type { Change, Row } from '../../src/data/log.ts';
import { client } from '../../src/people/clients/resource.ts';
import { LISTS } from './queries.ts';

type Item = { id: string; row: Row; view: Record<string, unknown> };

/**
 * What a company's clients look like after each revision, rebuilt from the log's images alone: no SQL, no cache, no
 * snapshot. Apply changes in order; `body` is the exact text of an answer at the present revision.
 */
export class Oracle {
  readonly #items = new Map<string, Item>();
  readonly #details = new Map<string, Item>();
  readonly #lists = new Map<string, ListOracle>();

  constructor(companyId: string, cursorSecret: string) {
    for (const path of LISTS) this.#lists.set(path, new ListOracle(path, companyId, cursorSecret));
  }

  /** @returns the queries whose answer is another one now */
  apply(change: Change): string[] {
    if (change.entity !== 'client') return [];
    const before = this.#items.get(change.entityId) ?? null;
    const after = change.after === null ? null : itemOf(change.after);
    const changed: string[] = [];
    if (after === null) this.#items.delete(change.entityId);
    else {
      this.#items.set(change.entityId, after);
      const path = `/clients/${String(after.view.id)}`;
      this.#details.set(path, after);
      changed.push(path);
    }
    for (const [path, list] of this.#lists) if (list.apply(before, after)) changed.push(path);
    return changed;
  }

  /** Null for an object that does not exist at this revision. */
  body(path: string): string | null {
    const list = this.#lists.get(path);
    if (list !== undefined) return list.body();
    const item = this.#details.get(path);
    return item === undefined ? null : JSON.stringify(item.view);
  }
}

function itemOf(row: Row): Item {
  return { id: String(row.id), row, view: client.view(row, client.version) };
}

/** One list query: its matching rows in order, and the page it shows. */
class ListOracle {
  readonly #query: ListQuery;
  readonly #companyId: string;
  readonly #secret: string;
  readonly #property: 'created_at' | 'updated_at';
  readonly #direction: 1 | -1;
  readonly #items: Item[] = [];
  #shown = '';

  constructor(path: string, companyId: string, secret: string) {
    this.#query = parseListQuery(client.list, new URLSearchParams(path.split('?')[1] ?? ''));
    this.#companyId = companyId;
    this.#secret = secret;
    const [sort] = this.#query.sort;
    if (sort === undefined || !['createdAt', 'updatedAt'].includes(sort.field)) throw new RangeError(`sort of ${path}`);
    this.#property = sort.field === 'createdAt' ? 'created_at' : 'updated_at';
    this.#direction = sort.descending ? -1 : 1;
  }

  /** @returns whether the page shows something else now */
  apply(before: Item | null, after: Item | null): boolean {
    if (before !== null && this.#matches(before)) this.#items.splice(this.#place(before), 1);
    if (after !== null && this.#matches(after)) this.#items.splice(this.#place(after), 0, after);
    const { page, rows } = this.#page();
    const shown = `${this.#items.length} ${rows.map(({ id, row }) => `${id}:${String(row.version)}`).join()} ${page}`;
    if (shown === this.#shown) return false;
    this.#shown = shown;
    return true;
  }

  body(): string {
    const { limit, fields, sort, filterKey } = this.#query;
    const { page, rows } = this.#page();
    const total = this.#items.length;
    const hasNextPage = page * limit < total;
    const project = compileProjection(fields);
    const last = rows.at(-1);
    const nextCursor =
      hasNextPage && last !== undefined
        ? encodeCursor(this.#secret, {
            company: this.#companyId,
            route: 'clients.list',
            query: filterKey,
            values: sort.map(() => String(last.row[this.#property])),
            id: last.id,
            direction: 'next',
          })
        : null;
    const pagination = { page, limit, total, totalPages: Math.ceil(total / limit), hasNextPage, nextCursor };
    return JSON.stringify({ data: rows.map(({ view }) => project(view)), pagination });
  }

  #page(): { page: number; rows: Item[] } {
    const { page, limit } = this.#query;
    return { page, rows: this.#items.slice((page - 1) * limit, page * limit) };
  }

  #matches({ row }: Item): boolean {
    const { status, tag } = this.#query.filters as { status?: string[]; tag?: string };
    const wanted = status === undefined ? row.status !== 'ARCHIVED' : status.includes(String(row.status));
    return wanted && (tag === undefined || (row.tags as string[]).includes(tag));
  }

  /** The index where the item stands or would stand. */
  #place(item: Item): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#items[middle] as Item, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Instants have milliseconds, so ties are real; the id follows the sort's direction. */
  #compare(a: Item, b: Item): number {
    const byTime = Date.parse(String(a.row[this.#property])) - Date.parse(String(b.row[this.#property]));
    if (byTime !== 0) return byTime * this.#direction;
    return (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) * this.#direction;
  }
}
