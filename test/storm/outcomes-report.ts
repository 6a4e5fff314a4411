import { CRIMES, type Crime, type Tally } from './judge.ts';
import type { Outcomes } from './outcomes.ts';

const EXAMPLES = 5;
const ms = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`;
const told = ({ stored, denied, unknown }: Tally): string =>
  [
    `told as stored ${stored.told} (stored ${stored.stored})`,
    `as not done ${denied.told} (stored ${denied.stored})`,
    `as not known ${unknown.told} (stored ${unknown.stored})`,
  ].join(', ');

/** Whether as many backends ended as were asked for, and nothing was found broken. */
export function upheld({ plan, shots, verdict }: Outcomes): boolean {
  const done = shots.before + shots.flushing >= plan.terminations && shots.purges >= plan.purges;
  return done && verdict.crimes.size === 0;
}

export function outcomesSummary(found: Outcomes): string {
  const { shots, verdict, seconds } = found;
  const lines = [
    '',
    `Outcomes (seed ${found.plan.seed}): 18 writers and 2 importers of 11 companies, 2 Workers, ${seconds.toFixed(0)} s`,
    `  backends ended in a COMMIT: before it was durable ${shots.before}, while it was flushed ${shots.flushing}; cancelled there ${shots.cancelled}; all of cp_app ${shots.purges} times (${shots.purged} backends)`,
    `  writes   ${told(verdict.writes)}`,
    `  imports  ${told(verdict.files)}; repeated with their key until told ${verdict.repeated} writes and imports`,
    `  seen by others ${ms(verdict.unseen.median)} after the change (median), ${ms(verdict.unseen.most)} at most`,
  ];
  for (const [crime, text] of Object.entries(CRIMES) as [Crime, string][]) {
    const cases = verdict.crimes.get(crime) ?? [];
    lines.push(
      `  ${cases.length === 0 ? 'ok  ' : 'FAIL'} ${text}${cases.length === 0 ? '' : `: ${cases.length} times`}`,
    );
    for (const example of cases.slice(0, EXAMPLES)) lines.push(`         ${example}`);
  }
  lines.push(upheld(found) ? 'PASSED' : 'FAILED');
  return lines.join('\n');
}
