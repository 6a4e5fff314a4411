import { setTimeout as pause } from 'node:timers/promises';
import { addKey } from '../../../support/accounts.ts';
import type { Api, Tenant } from '../../../support/api.ts';
import { newCompany, type Place } from '../../../support/company.ts';
import { uuidOf } from '../../../support/people.ts';
import { FrameReader } from './frames.ts';
import { type Logged, Told } from './judge.ts';
import { StormSocket, type View } from './socket.ts';

const PEOPLE = ['clients'];
const CATALOG = ['branches', 'services', 'resources', 'staff'];
/** Of the log, what is written here. */
const TOPIC_OF: Readonly<Record<string, string>> = { client: 'clients', service: 'services', branch: 'branches' };

/** Changes of one write: so many new clients, or one changed service or branch. */
const AT_ONCE = 60;

/** A company, those who listen to it, and whoever writes. */
export class Salon {
  readonly owner: Tenant;
  readonly uuid: string;
  readonly sockets: readonly StormSocket[];
  readonly told = new Told();
  readonly #key: string;
  readonly #place: Place;
  #written = 0;
  /** Nobody writes meanwhile. */
  isResting = false;
  /** The longest a write was waited for, ms. */
  slowest = 0;

  private constructor(place: Place, owner: Tenant, key: string, views: readonly View[], sockets: number) {
    this.#place = place;
    this.owner = owner;
    this.uuid = uuidOf('comp', owner.companyId);
    this.#key = key;
    const url = `${place.api.url.replace('http', 'ws')}/api/v1/realtime`;
    this.sockets = Array.from(
      { length: sockets },
      (_, n) => new StormSocket(url, views[n % views.length] as View, this.told.note),
    );
  }

  /** Listeners of three keys and four kinds: all there is, people, the catalogue, and of all only services. */
  static async open(place: Place, sockets: number): Promise<Salon> {
    const owner = await newCompany(place);
    const [all, people, catalog] = [
      await addKey(owner.api, ['clients:read', 'catalog:read', 'clients:write', 'catalog:write', 'events:read']),
      await addKey(owner.api, ['clients:read']),
      await addKey(owner.api, ['catalog:read']),
    ];
    const view = (key: string, gets: string[], topics: string[] | null = null): View => ({
      ...{ company: owner.companyId, key, topics, gets: new Set(gets), frames: new FrameReader() },
    });
    const views = [
      view(all.secret, [...PEOPLE, ...CATALOG]),
      view(people.secret, PEOPLE),
      view(catalog.secret, CATALOG),
      view(all.secret, ['services'], ['services']),
    ];
    return new Salon(place, owner, all.secret, views, sockets);
  }

  /** Sees all that is told; its key does not end, as the owner's session does in a storm of hours. */
  get witness(): Api {
    return this.owner.api.as(this.#key);
  }

  get deliveries(): number {
    return this.sockets.reduce((sum, { counts }) => sum + counts.deliveries, 0);
  }

  /** Connections that were opened in all. */
  get opened(): number {
    return this.sockets.reduce((sum, { counts }) => sum + counts.opened, 0);
  }

  /** Writes at a pace until told to stop; what fails was stored or not, as the log will say. */
  async write(perSecond: number, goOn: () => boolean): Promise<void> {
    const began = performance.now();
    for (let changes = 0; goOn(); ) {
      if (this.isResting) {
        await pause(20);
        continue;
      }
      changes += await this.#one();
      const ahead = began + (changes * 1000) / perSecond - performance.now();
      if (ahead > 0) await pause(ahead);
    }
  }

  /** One more, which must be stored: behind it everybody can get to where the log is. */
  async last(): Promise<void> {
    const reply = await this.witness.post('/services', service('Last'));
    if (reply.status !== 201) throw new Error(`the last write answered ${reply.status}: ${reply.text}`);
  }

  async log(): Promise<Logged[]> {
    const rows = await this.#place.sql<{ revision: string; entity: string }>(
      'select revision, entity from changes where company_id = $1 order by revision',
      [this.uuid],
    );
    return rows.map(({ revision, entity }) => ({ revision: Number(revision), topic: TOPIC_OF[entity] ?? entity }));
  }

  async #one(): Promise<number> {
    const api = this.witness;
    this.#written += 1;
    const n = this.#written;
    const clients = Array.from({ length: AT_ONCE }, (_, at) => ({ firstName: `Client ${n} ${at}` }));
    const done =
      n % 3 === 0
        ? api.post('/services', service(`Service ${n}`))
        : api.post('/clients/bulk', { mode: 'atomic', items: clients });
    const asked = performance.now();
    const reply = await done.catch(() => null);
    this.slowest = Math.max(this.slowest, performance.now() - asked);
    // Nobody is asked again at once.
    if (reply === null || reply.status >= 300) await pause(100);
    return n % 3 === 0 ? 1 : AT_ONCE;
  }
}

const service = (name: string) => ({ name, durationMinutes: 30, price: { amount: 3000, currency: 'EUR' } });
