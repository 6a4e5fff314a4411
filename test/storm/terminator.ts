import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Random } from './random.ts';

/** How many of the commits that are seen are shot at: the others must go through, or a breaker would end the load. */
const SHARE = 0.4;
/** And how many are cancelled, as by somebody at a console. */
const CANCELLED = 0.1;

const AT_COMMIT = `datname = current_database() and usename = 'cp_app' and state = 'active' and lower(query) = 'commit'
  and backend_xid is not null`;

/**
 * Backends that were ended: in a COMMIT before it was durable, in one that was being flushed, and whatever they did; and
 * COMMITs that were cancelled.
 */
export type Shots = { before: number; flushing: number; cancelled: number; purges: number; purged: number };

/** Ends backends as a failover does, some in the middle of their COMMIT, now and then all of them. */
export class Terminator {
  readonly shots: Shots = { before: 0, flushing: 0, cancelled: 0, purges: 0, purged: 0 };
  readonly #client: pg.Client;
  readonly #random: Random;
  readonly #seen = new Set<string>();

  /** @param client the server's administrator, for this alone */
  constructor(client: pg.Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  get aimed(): number {
    return this.shots.before + this.shots.flushing;
  }

  async run(terminations: number, purges: number): Promise<void> {
    const each = Math.max(1, Math.floor(terminations / (purges + 1)));
    while (this.aimed < terminations || this.shots.purges < purges) {
      if (this.aimed < terminations) await this.#shoot();
      const due = this.aimed >= terminations ? purges : Math.min(purges, Math.floor(this.aimed / each));
      if (this.shots.purges < due) {
        await this.#purge();
        await pause(1500 + this.#random.below(1000));
      }
      await pause(3);
    }
  }

  async #shoot(): Promise<void> {
    const { rows } = await this.#client.query<{ pid: number; began: string; event: string | null }>(
      `select pid, xact_start::text as began, wait_event as event from pg_stat_activity where ${AT_COMMIT}`,
    );
    const [ended, cancelled]: [typeof rows, typeof rows] = [[], []];
    for (const row of rows) {
      const commit = `${row.pid} ${row.began}`;
      if (this.#seen.has(commit)) continue;
      this.#seen.add(commit);
      const fate = this.#random.next();
      if (fate < SHARE) ended.push(row);
      else if (fate < SHARE + CANCELLED) cancelled.push(row);
    }
    for (const pid of await this.#signal('pg_terminate_backend', ended)) {
      const sleeping = ended.find((each) => each.pid === pid)?.event === 'PgSleep';
      this.shots[sleeping ? 'before' : 'flushing'] += 1;
    }
    this.shots.cancelled += (await this.#signal('pg_cancel_backend', cancelled)).length;
  }

  /** Signals those of the backends that are still in a COMMIT; answers which. */
  async #signal(
    how: 'pg_terminate_backend' | 'pg_cancel_backend',
    aimed: readonly { pid: number }[],
  ): Promise<number[]> {
    if (aimed.length === 0) return [];
    const { rows } = await this.#client.query<{ pid: number; hit: boolean }>(
      `select pid, ${how}(pid) as hit from pg_stat_activity where pid = any ($1) and ${AT_COMMIT}`,
      [aimed.map(({ pid }) => pid)],
    );
    return rows.filter(({ hit }) => hit).map(({ pid }) => pid);
  }

  async #purge(): Promise<void> {
    const { rows } = await this.#client.query<{ n: number }>(
      `select count(*) filter (where pg_terminate_backend(pid))::int as n from pg_stat_activity
        where datname = current_database() and usename = 'cp_app'`,
    );
    this.shots.purges += 1;
    this.shots.purged += rows[0]?.n ?? 0;
  }
}
