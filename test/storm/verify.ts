import type pg from 'pg';
import type { Company } from './company.ts';
import type { Outage } from './instance.ts';
import { digest, type Ledger, type Seen } from './ledger.ts';
import { Oracle } from './oracle.ts';
import { replay } from './replay.ts';

/** How long changes stayed unseen by readers who demanded nothing, ms; the worst of each kind. */
export type Unseen = {
  /** Announced, and no kill or wipe in between; from the commit. */
  calm: number;
  /** All announced ones; from the commit, and from the write's answer, which is what the bound counts from. */
  announced: number;
  announcedFromAnswer: number;
  /** Those whose Worker was killed or whose Redis trip failed; from the commit, without the Worker's own restarts. */
  crashed: number;
  /** The same by the wall clock. */
  crashedWithRestarts: number;
};

export type Terms = {
  cursorSecret: string;
  /** CACHE_MAX_STALENESS_MS. */
  staleness: number;
  outages: readonly Outage[];
  wipes: readonly number[];
  /** The revision the company had before the storm. */
  base: number;
};

/** What a machine that does too much at once adds to the staleness bound, ms. */
export const SLACK = 1500;
/** The promise for what was not announced, ms. */
export const PROMISE = 10_000;
/** How long after it a machine that does too much at once may see it, ms. */
export const GRACE = 3000;

/** Replays one company's log and holds every observation against it. */
export async function verify(
  client: pg.Client,
  company: Company,
  ledger: Ledger,
  terms: Terms,
  unseen: Unseen,
): Promise<void> {
  const oracle = new Oracle(company.uuid, terms.cursorSecret);
  const seen = company.seen.toSorted((a, b) => a.revision - b.revision);
  /** Reads of what a query shows at present, by query: those that may prove late once it changes. */
  const open = new Map<string, Seen[]>();
  const wrong: Seen[] = [];
  const killed = new Set(company.killed);
  let next = 0;
  let unattributed = 0;
  await replay(client, company.uuid, ({ revision, requestId, ...change }) => {
    const id = requestId ?? '';
    if (revision > terms.base && !attribute(company, ledger, revision, id)) unattributed += 1;
    killed.delete(id);
    for (const query of oracle.apply({ revision, requestId, ...change })) {
      for (const read of open.get(query) ?? []) late(read, revision, id, company, ledger, terms, unseen);
      open.delete(query);
    }
    const bodies = new Map<string, string>();
    for (let read = seen[next]; read !== undefined && read.revision <= revision; read = seen[++next]) {
      if (!check(read, revision, oracle, bodies, ledger)) wrong.push(read);
      if (read.min === null && !['WRITE', 'EVENT', 'STALE', 'BYPASS'].includes(read.outcome)) push(open, read);
    }
  });
  for (const read of seen.slice(next)) wrong.push(read);
  await explain(client, company, ledger, terms, wrong);
  settle(company, ledger, unattributed, killed);
}

/** Whether the answer is what the log says. */
function check(read: Seen, at: number, oracle: Oracle, bodies: Map<string, string>, ledger: Ledger): boolean {
  let expected = bodies.get(read.query);
  if (expected === undefined) {
    const body = oracle.body(read.query);
    expected = body === null ? 'no such object' : digest(body);
    bodies.set(read.query, expected);
  }
  ledger.count('compared');
  return read.revision === at && read.hash === expected;
}

/** Books the wrong answers, and finds for the first of them when, if ever, what they showed was true. */
async function explain(
  client: pg.Client,
  company: Company,
  ledger: Ledger,
  terms: Terms,
  wrong: Seen[],
): Promise<void> {
  const looked = wrong.slice(0, 20);
  const spans = new Map<Seen, number[]>();
  if (looked.length > 0) {
    const oracle = new Oracle(company.uuid, terms.cursorSecret);
    await replay(client, company.uuid, (change) => {
      const changed = oracle.apply(change);
      for (const read of looked) {
        const body = changed.includes(read.query) ? oracle.body(read.query) : null;
        if (body !== null && digest(body) === read.hash) spans.set(read, [...(spans.get(read) ?? []), change.revision]);
      }
    });
  }
  for (const read of wrong) {
    const since = spans.get(read);
    const state = since === undefined ? 'a state that never was' : `the state that came with revision ${since.join()}`;
    ledger.fault('bodies', `${company.name}: ${describe(read)} showed ${state}`);
  }
}

const describe = ({ query, instance, outcome, revision, min }: Seen): string =>
  `${query} through ${instance} (${outcome}, Min-Revision ${min}) at revision ${revision}`;

/** A read that shows what was before `revision`: how long after its commit was it asked? */
function late(
  read: Seen,
  revision: number,
  requestId: string,
  company: Company,
  ledger: Ledger,
  terms: Terms,
  unseen: Unseen,
): void {
  const committed = company.commits.get(requestId);
  if (committed === undefined || read.startedAt <= committed) return;
  const wall = read.startedAt - committed;
  const ack = company.acks.get(requestId);
  const example = `${company.name}: revision ${revision} not in ${describe(read)}, ${Math.round(wall)} ms after its commit`;
  if (ack?.announced === true) {
    const sinceAnswer = read.startedAt - ack.answeredAt;
    unseen.announced = Math.max(unseen.announced, wall);
    unseen.announcedFromAnswer = Math.max(unseen.announcedFromAnswer, sinceAnswer);
    if (calm(committed, read.startedAt, terms)) unseen.calm = Math.max(unseen.calm, wall);
    if (sinceAnswer > terms.staleness + SLACK) ledger.fault('announced', example);
    return;
  }
  const net = wall - overlap(committed, read.startedAt, terms.outages);
  unseen.crashedWithRestarts = Math.max(unseen.crashedWithRestarts, wall);
  unseen.crashed = Math.max(unseen.crashed, net);
  if (net > PROMISE + GRACE) ledger.fault('crashed', `${example} (${Math.round(net)} ms without restarts)`);
}

function calm(from: number, until: number, { outages, wipes }: Terms): boolean {
  return overlap(from, until, outages) === 0 && !wipes.some((at) => at >= from && at <= until);
}

function overlap(from: number, until: number, outages: readonly Outage[]): number {
  return outages.reduce((sum, out) => sum + Math.max(0, Math.min(until, out.until) - Math.max(from, out.from)), 0);
}

/** Whether an answer stands for this revision. */
function attribute(company: Company, ledger: Ledger, revision: number, requestId: string): boolean {
  if (company.refused.has(requestId)) ledger.fault('writes', `${company.name}: ${revision} is of a refused write`);
  const ack = company.acks.get(requestId) ?? company.replays.get(revision);
  if (ack === undefined) return false;
  if (ack.met) ledger.fault('writes', `${company.name}: ${revision} is of a write that has a revision already`);
  if (ack.revision !== revision || ack.changed === false)
    ledger.fault('writes', `${company.name}: ${revision} is of a write that was answered ${ack.revision}`);
  ack.met = true;
  return true;
}

function settle(company: Company, ledger: Ledger, unattributed: number, killed: ReadonlySet<string>): void {
  for (const [id, ack] of [...company.acks, ...company.replays])
    if (ack.changed === true && !ack.met)
      ledger.fault('writes', `${company.name}: ${id} was answered ${ack.revision}, which is not in the log`);
  if (unattributed > company.unknown)
    ledger.fault('writes', `${company.name}: ${unattributed} revisions of ${company.unknown} writes without an answer`);
  for (const requestId of killed) ledger.fault('writes', `${company.name}: ${requestId} was committed and is lost`);
  ledger.count('write.recovered', unattributed);
}

function push(open: Map<string, Seen[]>, read: Seen): void {
  const reads = open.get(read.query);
  if (reads === undefined) open.set(read.query, [read]);
  else reads.push(read);
}
