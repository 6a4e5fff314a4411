import { grantAfter, listenerMay } from '../../../src/account/listening.ts';
import { BASE, modules } from '../../../src/app.ts';
import { formatId } from '../../../src/core/id.ts';
import type { LiveList } from '../../../src/data/live-list.ts';
import type { Change, Row } from '../../../src/data/log.ts';
import { liveLists } from '../../../src/http/live-lists.ts';
import { audienceOf } from '../../../src/realtime/audience.ts';
import { registry } from '../../../src/registry.ts';
import { HubWorld } from './hub-world.ts';
import { answered, matching, type Rows } from './list-oracle.ts';
import { changedRow, ENTITIES, type Entity, type Luck, newRow, uuidFrom } from './list-rows.ts';

export const COMPANY = formatId('comp', uuidFrom(9, 1));
/** Revisions whose rows are remembered, for whoever is told of them later. */
const REMEMBERED = 8000;
/** Objects of one kind; of those listed it is enough that pages are full. */
const MOST = 40;

const none: Rows = Object.fromEntries(ENTITIES.map((entity) => [entity, new Map()])) as never;

/** A room whose lists are those of the product, and the truth about each of them at each revision. */
export class ListWorld {
  readonly hub: HubWorld;
  readonly #luck: Luck;
  readonly #paths = new Map<string, string>();
  #states: Rows[] = [none];
  readonly #answers = new Map<string, string>();
  #ids = 10;

  constructor(luck: Luck, reads?: number) {
    this.#luck = luck;
    const audience = audienceOf(registry, { may: listenerMay, grantAfter }, liveLists(BASE, modules));
    const list = (...asked: Parameters<typeof audience.list>): LiveList => {
      const found = audience.list(...asked);
      this.#paths.set(found.key, asked[1]);
      return found;
    };
    this.hub = new HubWorld(1e9, { audience: { ...audience, list }, count: (asked) => this.#count(asked) }, reads);
  }

  /** Rows at a revision of the present history. */
  at(revision: number): Rows {
    return this.#states[revision] ?? none;
  }

  /** What GET answers at a revision, serialised. */
  get(path: string, revision: number): string {
    const key = `${this.hub.epoch} ${revision} ${path}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    if (this.#answers.size > 5000) this.#answers.clear();
    const text = JSON.stringify(answered(path, this.at(revision)));
    this.#answers.set(key, text);
    return text;
  }

  /** Something is made, changed, or goes; `entity` and row where it is not left to chance. */
  commit(entity = this.#luck.pick(ENTITIES)): Change {
    const luck = this.#luck;
    const rows = this.at(this.hub.log.length)[entity];
    const ids = [...rows.keys()];
    const grows = ids.length < 3 || (ids.length < MOST && luck.chance(0.3));
    if (grows) {
      this.#ids += 1;
      const id = uuidFrom(5, this.#ids);
      return this.write(entity, id, newRow(luck, entity, id));
    }
    const id = luck.pick(ids);
    const before = rows.get(id) as Row;
    const goes = entity === 'time-off' || ids.length >= MOST ? luck.chance(0.3) : false;
    return this.write(entity, id, goes ? null : changedRow(luck, entity, before));
  }

  write(entity: Entity, id: string, after: Row | null): Change {
    const { log } = this.hub;
    const state = this.at(log.length);
    const before = state[entity].get(id) ?? null;
    const rows = new Map(state[entity]);
    if (after === null) rows.delete(id);
    else rows.set(id, after);
    const revision = log.length + 1;
    this.#states[revision] = { ...state, [entity]: rows };
    if (revision > REMEMBERED) delete this.#states[revision - REMEMBERED];
    const erases = before !== null && before.erased_at == null && after?.erased_at != null;
    const change: Change = {
      ...{ revision, entity, entityId: id, schemaVersion: 1, requestId: null, actor: 'SYSTEM' },
      operation: before === null ? 'INSERT' : after === null ? 'DELETE' : 'UPDATE',
      // The log keeps nothing personal of before an erasure, only that it happened.
      before: erases ? { ...after, erased_at: null, status: before.status } : before,
      after,
      changedAt: new Date(this.hub.now).toISOString(),
    };
    log.push(change);
    return change;
  }

  /** A client is erased. */
  erase(): Change | null {
    const [id, row] = this.#luck.pick([...this.at(this.hub.log.length).client]) ?? [];
    if (id === undefined || row === undefined || row.erased_at !== null) return null;
    const blank = { first_name: null, last_name: null, name: 'Erased', tags: [], notes: null, external_id: null };
    return this.write('client', id, { ...row, ...blank, status: 'ARCHIVED', erased_at: '2026-03-04T10:00:00+00:00' });
  }

  /** The database is restored to an earlier moment. */
  restore(revision: number): void {
    this.hub.restore(revision);
    this.#states = this.#states.slice(0, revision + 1);
    this.#answers.clear();
  }

  #count(list: LiveList) {
    const path = this.#paths.get(list.key) ?? '';
    const revision = this.hub.log.length;
    const rows = this.at(revision);
    const entityRows = list.rows === null ? null : rows[list.rows.entity as Entity];
    const ids = matching(path, rows).map(([id]) => id);
    const places =
      list.rows === null
        ? null
        : ids.map((id) => list.rows?.placeOf(entityRows?.get(id) ?? {})).flatMap((p) => p ?? []);
    return { size: ids.length, places, isThere: true };
  }
}
