import { setTimeout as pause } from 'node:timers/promises';
import type { NeonRequest } from '../../local/neon.ts';
import { withClient } from '../../local/roles.ts';
import type { Company } from './company.ts';
import type { Instance } from './instance.ts';
import type { Ledger } from './ledger.ts';
import type { Pace, Plan } from './pace.ts';
import type { Random } from './random.ts';
import { seenByAll } from './rest.ts';
import { PROMISE } from './verify.ts';
import { MARK } from './writer.ts';

/** Kills come in groups, so that a crash also hits what is still recovering, and calm lies between. */
const GROUP = 5;
/** How long a company's writers rest at most after a quiet kill, ms: the relay alone must announce meanwhile. */
const QUIET = PROMISE + 1000;
/** How long a head is held before a slow kill, ms: longer than the room's patience; with the gathering below lock_timeout. */
const HELD = 3600;
const GATHERING = 800;

type Parts = {
  a: Instance;
  b: Instance;
  companies: readonly Company[];
  ledger: Ledger;
  pace: Pace;
  plan: Plan;
  random: Random;
  adminUrl: string;
  wipe(): Promise<void>;
};

type Aim = { company: Company | null; quiet: boolean; hit(company: Company): void };

/** Kills Workers and wipes Redis, at the worst moments. */
export class Disturber {
  /** When Redis was wiped; storm's clock. */
  readonly wipes: number[] = [];
  readonly #parts: Parts;
  readonly #companies: ReadonlyMap<string, Company>;
  #aim: Aim | null = null;
  #wipeWithKill = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#companies = new Map(parts.companies.map((company) => [company.uuid, company]));
  }

  /** The bridge's `afterCommit`: the write is in Postgres, its Worker does not know yet. */
  readonly afterCommit = (request: NeonRequest): void => {
    if (!request.batch || request.readOnly) return;
    const begin = request.statements.find(({ query }) => query.includes('app.begin_write('));
    const company = this.#companies.get(begin?.params[0] ?? '');
    const requestId = begin?.params[2];
    if (company === undefined || requestId === null || requestId === undefined) return;
    company.commits.set(requestId, performance.now());
    const aim = this.#aim;
    if (aim === null || (aim.company !== null && aim.company !== company) || !changesForSure(request)) return;
    this.#aim = null;
    if (aim.quiet) company.quietUntil = Number.MAX_SAFE_INTEGER;
    this.#parts.a.kill();
    company.killed.add(requestId);
    this.#parts.ledger.count('kills');
    if (this.#wipeWithKill > 0) {
      this.#wipeWithKill -= 1;
      void this.#wipe();
    }
    aim.hit(company);
  };

  async run(): Promise<void> {
    const { pace } = this.#parts;
    await Promise.all([this.#runKills(), this.#runWipes()]);
    while (this.#wipeWithKill > 0) {
      this.#wipeWithKill -= 1;
      await this.#wipe();
    }
    pace.disturbed = true;
  }

  async #runKills(): Promise<void> {
    const { a, b, companies, ledger, plan, random } = this.#parts;
    const groups = Math.ceil(plan.kills / GROUP);
    for (let kill = 0; kill < plan.kills; kill += 1) {
      const group = Math.floor(kill / GROUP);
      await this.#reached(0.05 + (0.85 * group) / Math.max(1, groups));
      await a.up;
      // Now while it recovers, now when it has.
      await pause(random.below(600));
      const quiet = kill % GROUP === GROUP - 1 || kill === plan.kills - 1;
      const slow = quiet && group % 2 === 0 && plan.kills >= GROUP;
      const hit = slow ? await this.#holdAndShoot(random.pick(companies)) : await this.#shoot(null, quiet);
      await a.up;
      if (quiet) {
        ledger.count(slow ? 'kills.quiet after a long wait' : 'kills.quiet');
        await seenByAll([a, b], hit, await this.#head(hit), performance.now() + QUIET);
        hit.quietUntil = 0;
        b.kill();
        ledger.count('kills.B');
      }
    }
  }

  /**
   * Keeps a company's writers waiting in their transactions, lets no new ones come, and aims at the first that is let go:
   * by then its Worker announced its intent longer ago than the room's patience.
   */
  #holdAndShoot(company: Company): Promise<Company> {
    return withClient(this.#parts.adminUrl, async (client) => {
      await client.query('begin');
      await client.query('select 1 from company_heads where company_id = $1 for update', [company.uuid]);
      await pause(GATHERING);
      company.quietUntil = Number.MAX_SAFE_INTEGER;
      await pause(HELD);
      const hit = this.#shoot(company, true);
      await client.query('commit');
      // None of those waiting may have been one that changes something: then the next to come is as good.
      await Promise.race([hit, pause(2000)]);
      if (this.#aim !== null) company.quietUntil = 0;
      return await hit;
    });
  }

  /** Resolves when the aim was hit. */
  #shoot(company: Company | null, quiet: boolean): Promise<Company> {
    return new Promise((hit) => {
      this.#aim = { company, quiet, hit };
    });
  }

  #head(company: Company): Promise<number> {
    return withClient(this.#parts.adminUrl, async (client) => {
      const sql = 'select revision from company_heads where company_id = $1';
      return Number((await client.query<{ revision: string }>(sql, [company.uuid])).rows[0]?.revision);
    });
  }

  async #runWipes(): Promise<void> {
    const { plan } = this.#parts;
    for (let wipe = 0; wipe < plan.wipes; wipe += 1) {
      await this.#reached((wipe + 1) / (plan.wipes + 1));
      // Every other one strikes together with a kill.
      if (wipe % 2 === 1 && plan.kills > 0) this.#wipeWithKill += 1;
      else await this.#wipe();
    }
  }

  async #wipe(): Promise<void> {
    const { ledger, wipe } = this.#parts;
    await wipe();
    this.wipes.push(performance.now());
    ledger.count('wipes');
  }

  async #reached(share: number): Promise<void> {
    while (this.#parts.pace.written < share) await pause(20);
  }
}

/** Only such a commit can be lost sight of. */
function changesForSure({ statements }: NeonRequest): boolean {
  return statements.some(
    ({ query, params }) =>
      (/^\s*update "?clients"? /.test(query) || (query.includes('app.insert_rows(') && params[0] === 'clients')) &&
      params.some((value) => value?.includes(MARK)),
  );
}
