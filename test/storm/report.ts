import { RULES, type Rule } from './ledger.ts';
import type { Outcome } from './storm.ts';

const ms = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`;
const n = (value: number): string => value.toLocaleString('en');
const list = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${n(count)}`)
    .join(', ');

/** Whether everything that was asked for happened and nothing was found broken. */
export function passed({ plan, ledger }: Outcome): boolean {
  const done =
    ledger.tally('write.ok') >= plan.writes &&
    ledger.tally('reads') >= plan.reads &&
    ledger.tally('kills') >= plan.kills &&
    ledger.tally('wipes') >= plan.wipes;
  return done && ledger.faults.size === 0;
}

/** A storm's outcome as a person reads it. */
export function summary(outcome: Outcome): string {
  const { plan, ledger, unseen, outages } = outcome;
  const refused = ledger.tally('write.refused');
  const all = ledger.tally('write.ok') + refused;
  const reads = ledger.tally('reads');
  const hits = ledger.tally('read.HIT') + ledger.tally('read.304');
  const lines = [
    '',
    `Storm (seed ${plan.seed}): ${plan.writersPerCompany} writers × 2 companies, ${plan.readers} readers, 2 Workers, ${outcome.seconds.toFixed(0)} s + ${outcome.checkSeconds.toFixed(0)} s replay`,
    `  transactions ${n(all)}: ${n(ledger.tally('write.ok'))} succeeded, ${n(refused)} failed on purpose (${((100 * refused) / all).toFixed(1)} %); ${list(ledger.group('write.status.'))}`,
    `  revisions    ${outcome.heads.map(n).join(' + ')}; broken connections ${n(ledger.tally('write.broken'))}, of them found committed ${n(ledger.tally('write.recovered'))}, repeated and replayed ${n(ledger.tally('write.replayed'))}; 503 ${list(ledger.group('write.503.')) || 0}`,
    `  reads        ${n(reads)}: ${list(ledger.group('read.'))}; hits and 304 ${((100 * hits) / reads).toFixed(1)} %`,
    `  tiers        ${list(ledger.group('tier.'))}`,
    `  compared     ${n(ledger.tally('compared'))} answers byte for byte with the log's own; ${n(ledger.tally('events'))} events followed; ${n(ledger.tally('audits'))} looks at the log; at rest ${n(ledger.tally('end.compared'))} (${list({ HIT: ledger.tally('end.HIT'), MISS: ledger.tally('end.MISS') })})`,
    `  kills        ${n(ledger.tally('kills'))} between commit and announcement (${list(ledger.group('kills.'))}); down ${ms(outages.totalMs)} in all, ${ms(outages.longestMs)} at most`,
    `  wipes        ${n(ledger.tally('wipes'))} of Redis; announcements that Redis did not take in time ${n(ledger.tally('write.unannounced'))}; this process kept others waiting ${ms(outcome.loopDelay.p99)} (p99), ${ms(outcome.loopDelay.max)} at most`,
    `  unseen       calm ${ms(unseen.calm)} at most after the commit; announced at any time ${ms(unseen.announced)} (${ms(unseen.announcedFromAnswer)} after the write's answer)`,
    `               not announced (killed): ${ms(unseen.crashed)} at most (${ms(unseen.crashedWithRestarts)} with the Worker's restarts)`,
  ];
  for (const [rule, text] of Object.entries(RULES) as [Rule, string][]) {
    const fault = ledger.faults.get(rule);
    lines.push(
      `  ${fault === undefined ? 'ok  ' : 'FAIL'} ${text}${fault === undefined ? '' : `: ${n(fault.count)} times`}`,
    );
    for (const example of fault?.examples ?? []) lines.push(`         ${example}`);
  }
  lines.push(passed(outcome) ? 'PASSED' : 'FAILED');
  return lines.join('\n');
}

/** The same as one line of JSON. */
export function json(outcome: Outcome): string {
  const { plan, ledger, unseen, outages } = outcome;
  const round = (object: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, Math.round(value)]));
  return JSON.stringify({
    passed: passed(outcome),
    plan,
    seconds: Math.round(outcome.seconds),
    writes: ledger.tally('write.ok'),
    failedWrites: ledger.tally('write.refused'),
    reads: ledger.tally('reads'),
    compared: ledger.tally('compared'),
    kills: ledger.tally('kills'),
    wipes: ledger.tally('wipes'),
    revisions: outcome.heads,
    outcomes: ledger.group('read.'),
    unseenMs: round(unseen),
    unannounced: ledger.tally('write.unannounced'),
    loopDelayMs: round(outcome.loopDelay),
    downtimeMs: round({ longest: outages.longestMs, total: outages.totalMs }),
    faults: Object.fromEntries([...ledger.faults].map(([rule, { count }]) => [rule, count])),
  });
}
