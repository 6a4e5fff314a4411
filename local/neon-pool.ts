import pg from 'pg';
import { Left } from './neon-batch.ts';

/** Who connects where, taken from `Neon-Connection-String`. */
export interface Target {
  user: string;
  password: string;
  database: string;
}

/** Postgres, or the way to it, refused a connection: nothing was run. */
export class Refused extends Error {
  override readonly cause: unknown;
  readonly target: Target;
  constructor(target: Target, cause: unknown) {
    super('connection refused');
    this.target = target;
    this.cause = cause;
  }
}

interface Connection {
  client: pg.Client;
  target: Target;
  broken: boolean;
  idleSince: number;
}

interface Waiter {
  target: Target;
  resolve(connection: Connection): void;
  reject(error: unknown): void;
}

/** What the hosted proxy does between two requests on one connection. */
const DISCARD = 'discard all';
/** The same but for plans of functions, which every write makes anew where they are thrown away: half of what it costs Postgres. */
const DISCARD_BUT_PLANS = `close all; set session authorization default; reset all; deallocate all; unlisten *;
  select pg_advisory_unlock_all(); discard temp; discard sequences`;

const maxPerDatabase = 40;
// Postgres allows 200; the rest is for migrations, tests and people with psql.
const maxInAll = 160;
const idleMs = 10_000;

/** Connections to one Postgres for many users and databases, at most 40 per database, cleaned before each reuse. */
export class NeonPool {
  readonly #host: string;
  readonly #port: number;
  readonly #idle: Connection[] = [];
  readonly #openIn = new Map<string, number>();
  readonly #all = new Set<Connection>();
  readonly #waiters: Waiter[] = [];
  readonly #reaper: NodeJS.Timeout;
  readonly #clean: string;
  #open = 0;

  constructor(host: string, port: number, keepPlans = false) {
    this.#clean = keepPlans ? DISCARD_BUT_PLANS : DISCARD;
    this.#host = host;
    this.#port = port;
    this.#reaper = setInterval(() => this.#reap(), idleMs / 2);
    this.#reaper.unref();
  }

  /**
   * Runs `work` on a clean connection of `target`; waits when all are busy. Rejects with `work`'s error or with
   * Refused. The connection serves again only when it left its transaction and lost its session state.
   */
  async run<T>(target: Target, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const connection = await this.#acquire(target);
    let clean = false;
    try {
      const result = await work(connection.client);
      clean = connection.client.getTransactionStatus() === 'I';
      return result;
    } catch (error) {
      // A request to cancel that comes late would end the next caller's query.
      if (error instanceof Left) await this.#close(connection);
      throw error;
    } finally {
      if (!clean) await this.#rollback(connection);
      this.#release(connection);
    }
  }

  /** Closes the idle connections of a database, so that it can be dropped or copied. */
  async closeIdle(database: string): Promise<void> {
    const mine = this.#idle.filter((connection) => connection.target.database === database);
    await Promise.all(mine.map((connection) => this.#close(connection)));
  }

  async stop(): Promise<void> {
    clearInterval(this.#reaper);
    await Promise.all([...this.#all].map((connection) => this.#close(connection)));
  }

  #acquire(target: Target): Promise<Connection> {
    const idle = this.#takeIdle((other) => sameTarget(other.target, target));
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#mayOpen(target.database)) return this.#connect(target);
    return new Promise((resolve, reject) => this.#waiters.push({ target, resolve, reject }));
  }

  #takeIdle(matches: (connection: Connection) => boolean): Connection | undefined {
    // The most recent first: its caches are warm, and the others may grow old enough to be closed.
    const index = this.#idle.findLastIndex((connection) => matches(connection));
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0];
  }

  /** Whether one more may be opened, if need be in the place of an idle one of another user or database. */
  #mayOpen(database: string): boolean {
    if ((this.#openIn.get(database) ?? 0) >= maxPerDatabase) {
      const other = this.#takeIdle((connection) => connection.target.database === database);
      if (other === undefined) return false;
      void this.#close(other);
    } else if (this.#open >= maxInAll) {
      const other = this.#takeIdle(() => true);
      if (other === undefined) return false;
      void this.#close(other);
    }
    return true;
  }

  async #connect(target: Target): Promise<Connection> {
    const client = new pg.Client({ host: this.#host, port: this.#port, ...target, connectionTimeoutMillis: 10_000 });
    const connection: Connection = { client, target, broken: false, idleSince: 0 };
    this.#count(target.database, 1);
    this.#all.add(connection);
    client.once('end', () => this.#forget(connection));
    client.on('error', () => this.#forget(connection));
    try {
      await client.connect();
    } catch (error) {
      this.#forget(connection);
      throw new Refused(target, error);
    }
    return connection;
  }

  async #rollback(connection: Connection): Promise<void> {
    if (connection.broken) return;
    await connection.client.query('rollback').catch(() => this.#close(connection));
  }

  #release(connection: Connection): void {
    if (connection.broken) return;
    // Not awaited by the caller: the answer need not wait for the cleaning, the next user does.
    connection.client.query(this.#clean).then(
      () => this.#offer(connection),
      () => this.#close(connection),
    );
  }

  #offer(connection: Connection): void {
    if (connection.broken) return;
    if (connection.client.getTransactionStatus() !== 'I') return void this.#close(connection);
    connection.idleSince = Date.now();
    this.#idle.push(connection);
    this.#serveWaiters();
  }

  #serveWaiters(): void {
    for (let index = 0; index < this.#waiters.length; index += 1) {
      const waiter = this.#waiters[index];
      if (waiter === undefined) return;
      const idle = this.#takeIdle((connection) => sameTarget(connection.target, waiter.target));
      if (idle === undefined && !this.#mayOpen(waiter.target.database)) continue;
      this.#waiters.splice(index, 1);
      index -= 1;
      if (idle !== undefined) waiter.resolve(idle);
      else this.#connect(waiter.target).then(waiter.resolve, waiter.reject);
    }
  }

  async #close(connection: Connection): Promise<void> {
    this.#forget(connection);
    await connection.client.end().catch(() => undefined);
  }

  #forget(connection: Connection): void {
    if (connection.broken) return;
    connection.broken = true;
    this.#all.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#count(connection.target.database, -1);
    this.#serveWaiters();
  }

  #count(database: string, by: 1 | -1): void {
    this.#open += by;
    this.#openIn.set(database, (this.#openIn.get(database) ?? 0) + by);
  }

  #reap(): void {
    const limit = Date.now() - idleMs;
    for (const connection of this.#idle.filter((each) => each.idleSince < limit)) void this.#close(connection);
  }
}

function sameTarget(a: Target, b: Target): boolean {
  return a === b || (a.user === b.user && a.password === b.password && a.database === b.database);
}
