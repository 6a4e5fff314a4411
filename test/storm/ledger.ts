import { hash } from 'node:crypto';
import type { Reply } from './caller.ts';

/** The rules a storm can find broken; each is a line of the summary. */
export const RULES = {
  gapless: 'revisions without gap or duplicate (SQL, during and after)',
  order: 'no revision seen before its predecessor (/events)',
  bodies: 'every answer equals the one rebuilt from the log at its revision',
  minimum: 'Min-Revision never answered with less',
  writes: 'answered writes are in the log once, refused ones left no trace',
  announced: 'announced changes: everyone sees them within the staleness bound',
  crashed: 'unannounced changes (killed, lost): everyone sees them within 10 s',
  end: 'at rest, cached answers equal uncached ones',
  answers: 'no unexpected status, no hung request',
} as const;
export type Rule = keyof typeof RULES;

/** One answer of a tenant's document, kept until the log is replayed: what it showed and when it was asked for. */
export type Seen = {
  query: string;
  revision: number;
  hash: string;
  startedAt: number;
  instance: 'A' | 'B';
  outcome: string;
  /** What the caller demanded; null when nothing, so that staleness is allowed and measured. */
  min: number | null;
};

/** A write that was answered with success. `changed` is null where only the log can say whether anything changed. */
export type Ack = {
  revision: number;
  changed: boolean | null;
  answeredAt: number;
  /** Redis took the announcement in time, as far as the answer tells. */
  announced: boolean;
  met: boolean;
};

export const digest = (text: string): string => hash('sha1', text, 'base64');

const MOST_EXAMPLES = 5;

/** Everything a storm observed: about 200 bytes per read. */
export class Ledger {
  readonly faults = new Map<Rule, { count: number; examples: string[] }>();
  readonly tallies = new Map<string, number>();

  fault(rule: Rule, example: string): void {
    const found = this.faults.get(rule) ?? { count: 0, examples: [] };
    this.faults.set(rule, found);
    found.count += 1;
    if (found.examples.length < MOST_EXAMPLES) found.examples.push(example);
  }

  count(name: string, by = 1): void {
    this.tallies.set(name, (this.tallies.get(name) ?? 0) + by);
  }

  tally(name: string): number {
    return this.tallies.get(name) ?? 0;
  }

  /** Tallies whose name starts so, without that start. */
  group(prefix: string): Record<string, number> {
    const named = [...this.tallies].filter(([name]) => name.startsWith(prefix)).sort();
    return Object.fromEntries(named.map(([name, count]) => [name.slice(prefix.length), count]));
  }
}

/** What an answer shows, for the replay. `shown` is the hash of the body, for an answer that has none (304). */
export function seenIn(
  reply: Reply,
  query: string,
  instance: 'A' | 'B',
  outcome: string,
  min: number | null,
  shown: string = digest(reply.text),
): Seen {
  return { query, revision: reply.revision, hash: shown, startedAt: reply.startedAt, instance, outcome, min };
}
