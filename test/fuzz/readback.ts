import { expect } from 'vitest';
import { registry } from '../../src/registry.ts';
import type { Api, Json } from '../support/api.ts';
import { operations } from '../support/operations.ts';

type Event = { revision: number; type: string; topic: string; entityId: string; data: Json };
type Entry = { revision: number; entityId: string; action: string; before: Json | null; after: Json | null };

/** Every list of a resource that together show all its objects: each status, active or not. */
function viewsOf(filters: Readonly<Record<string, { kind: string; values?: readonly string[] }>>): string[] {
  const { status, isActive } = filters;
  if (status?.values !== undefined) return [`status=${status.values.join(',')}`];
  return isActive === undefined ? [''] : ['isActive=true', 'isActive=false'];
}

async function walk(api: Api, path: string, fresh: Record<string, string>): Promise<Json[]> {
  const found: Json[] = [];
  for (let cursor = ''; ; ) {
    const page = await api.get(`${path}${cursor}`, { headers: fresh });
    expect(page.status, page.text).toBe(200);
    found.push(...(page.json.data as Json[]));
    const { nextCursor } = page.json.pagination as { nextCursor: string | null };
    if (nextCursor === null) return found;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

/** The log from its beginning. Checks that no number is missing, and that the head is the last of them. */
async function logOf<T extends { revision: number }>(api: Api, path: string): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const page = await api.get(`${path}?limit=500&after=${found.length}`);
    expect(page.status, page.text).toBe(200);
    const data = page.json.data as T[];
    for (const entry of data) expect(entry.revision, path).toBe(found.push(entry));
    if (data.length > 0) continue;
    expect([page.json.head, page.revision], path).toEqual([found.length, found.length]);
    return found;
  }
}

/** Whatever was stored can be read: by list, id, export, event and audit, and all of them say the same. */
export async function readBack(api: Api): Promise<{ objects: number; revisions: number }> {
  const events = await logOf<Event>(api, '/events');
  const entries = await logOf<Entry>(api, '/audit');
  const last = new Map(events.map((event) => [event.entityId, event]));
  for (const [i, entry] of entries.entries()) {
    expect([entry.entityId, entry.action]).toEqual([events[i]?.entityId, events[i]?.type]);
    if (entry.after !== null) expect(entry.after, `audit ${entry.revision}`).toEqual(events[i]?.data);
  }
  // A list may come from the cache; these must come from the rows.
  const fresh = { 'Min-Revision': String(events.length), 'Cache-Control': 'no-cache' };
  const logged = new Set([...registry.values()].map(({ topic }) => topic));
  const stored = new Set<string>();
  for (const { spec } of operations) {
    // Lists below an object are read where that object is known.
    if (spec.list === undefined || spec.path.includes('/:')) continue;
    for (const view of viewsOf(spec.list.filters)) {
      const items = await walk(api, `${spec.path}?limit=100&${view}`, fresh);
      expect(new Set(items.map(({ id }) => id)).size, 'a walk repeats nothing').toBe(items.length);
      for (const item of items) {
        const id = String(item.id);
        const read = await api.get(`${spec.path}/${id}`);
        expect(read.status, read.text).toBe(200);
        // What is not logged may show less in a list, and move on by itself.
        if (!logged.has(spec.path.slice(1))) continue;
        expect(read.json).toEqual(item);
        expect(last.get(id)?.data, `the last event of ${id}`).toEqual(item);
        stored.add(id);
      }
      if (operations.some((other) => other.spec.path === `${spec.path}/export`)) {
        const file = await api.get(`${spec.path}/export?${view}`);
        expect(file.status, file.text).toBe(200);
        const lines = file.text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Json);
        expect(lines.pop()).toEqual({ _end: true, count: items.length });
        // A line says what the list does, and besides it what another company's import needs (external ids, payments).
        expect(lines).toHaveLength(items.length);
        expect(byId(lines)).toMatchObject(byId(items));
        expect((await api.get(`${spec.path}/export?format=csv&${view}`)).status).toBe(200);
      }
    }
  }
  const listed = new Set(operations.flatMap(({ spec }) => (spec.list === undefined ? [] : [spec.path.slice(1)])));
  for (const { topic, entityId } of last.values()) {
    if (listed.has(topic)) expect(stored.has(entityId), `${entityId} of the log is in its list`).toBe(true);
  }
  return { objects: stored.size, revisions: events.length };
}

const byId = (items: readonly Json[]): Json[] => [...items].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
