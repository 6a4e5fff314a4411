import { setTimeout as pause } from 'node:timers/promises';
import { parseId } from '../../src/core/id.ts';
import { PASSWORD } from '../support/api.ts';
import { Broken, type Caller } from './caller.ts';
import type { Ack, Seen } from './ledger.ts';

export type Known = { id: string; externalId: string; key: string };

/** One company in the storm: what its actors share and what was observed of it. */
export type Company = {
  name: string;
  uuid: string;
  email: string;
  /** An access token of its owner, renewed while the storm lasts. */
  token: string;
  /** Clients whose creation was answered, oldest first. */
  clients: Known[];
  /** The newest revision any writer was answered. */
  newest: number;
  /** Writers rest until then, so that only the relay can announce what a crash left; storm's clock. */
  quietUntil: number;
  seen: Seen[];
  acks: Map<string, Ack>;
  /** Answers that repeat an earlier one (Idempotency-Key), by the revision they name. */
  replays: Map<number, Ack>;
  /** Request ids of writes that were refused. */
  refused: Set<string>;
  /** Writes whose outcome only the log knows. */
  unknown: number;
  /** Request id → when its commit was seen, before its answer left the bridge. */
  commits: Map<string, number>;
  /** Request ids whose Worker was killed between commit and announcement. */
  killed: Set<string>;
};

/** Signs a company up. A Worker that is hashing refuses the next sign-up for a moment. */
export async function signUpCompany(caller: Caller, name: string): Promise<Company> {
  const email = `${name}-${crypto.randomUUID()}@example.com`;
  const body = {
    company: { name, currency: 'EUR', timeZone: 'Europe/Vienna' },
    user: { name: 'Owner', email, password: PASSWORD },
  };
  for (;;) {
    const reply = await caller.ask({ method: 'POST', path: '/auth/signup', body });
    if (reply.status === 503) {
      await pause(500);
      continue;
    }
    if (reply.status !== 201) throw new Error(`sign-up answered ${reply.status}: ${reply.text}`);
    const { accessToken, company } = JSON.parse(reply.text) as { accessToken: string; company: { id: string } };
    return {
      name,
      uuid: parseId('comp', company.id) ?? '',
      email,
      token: accessToken,
      clients: [],
      newest: 0,
      quietUntil: 0,
      seen: [],
      acks: new Map(),
      replays: new Map(),
      refused: new Set(),
      unknown: 0,
      commits: new Map(),
      killed: new Set(),
    };
  }
}

/** Signs the owner in again, before the token ends. A Worker that is hashing or was killed is asked again. */
export async function renewToken(caller: Caller, company: Company): Promise<void> {
  const body = { email: company.email, password: PASSWORD };
  for (;;) {
    try {
      const reply = await caller.ask({ method: 'POST', path: '/auth/login', body });
      if (reply.status === 200) {
        company.token = (JSON.parse(reply.text) as { accessToken: string }).accessToken;
        return;
      }
      if (reply.status !== 503) throw new Error(`login answered ${reply.status}: ${reply.text}`);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
    await pause(500);
  }
}

const RENEWAL = 240_000;

/** New tokens every four minutes; those of before stay good for the requests that carry them. */
export async function renew(caller: Caller, companies: readonly Company[], ended: () => boolean): Promise<void> {
  for (let due = performance.now() + RENEWAL; !ended(); await pause(200)) {
    if (performance.now() < due) continue;
    for (const company of companies) await renewToken(caller, company);
    due = performance.now() + RENEWAL;
  }
}
