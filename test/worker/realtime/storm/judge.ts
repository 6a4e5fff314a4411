import type { Api } from '../../../support/api.ts';
import type { Counts, StormSocket } from './socket.ts';

/** What was wrong in all, each of which must be 0. */
export type Verdict = Omit<Counts, 'opened' | 'recovered' | 'deliveries'> & { lost: number; foreign: number };

/** A change as Postgres has it. */
export type Logged = { revision: number; topic: string };

/** What sockets of one company were told, each text of each revision with how often. */
export class Told {
  readonly #texts = new Map<number, Map<string, number>>();

  note = (revision: number, text: string): void => {
    const known = this.#texts.get(revision) ?? new Map<string, number>();
    this.#texts.set(revision, known);
    known.set(text, (known.get(text) ?? 0) + 1);
  };

  /** Deliveries that are not, letter by letter, what `GET /events` says of their revision. */
  async foreign(witness: Api, from: number): Promise<number> {
    const left = new Map([...this.#texts].map(([revision, texts]) => [revision, new Map(texts)]));
    for (let after = from; ; ) {
      const reply = await witness.get(`/events?after=${after}&limit=500`);
      if (reply.status !== 200) throw new Error(`GET /events answered ${reply.status}: ${reply.text}`);
      const { data } = reply.json as { data: { revision: number }[] };
      for (const event of data) left.get(event.revision)?.delete(JSON.stringify(event));
      const last = data.at(-1)?.revision;
      if (last === undefined) break;
      after = last;
    }
    let foreign = 0;
    for (const texts of left.values()) for (const times of texts.values()) foreign += times;
    return foreign;
  }
}

/** Holds what each socket got against the log. */
export function judge(sockets: readonly StormSocket[], log: readonly Logged[], foreign: number): Verdict {
  const verdict: Verdict = {
    ...{ lost: 0, duplicated: 0, reordered: 0, foreign, beyondRole: 0, brokenChain: 0, resets: 0 },
  };
  for (const { counts, view, start, has } of sockets.map((socket) => ({
    ...{ counts: socket.counts, view: socket.view, start: socket.start ?? 0 },
    has: (revision: number) => socket.has(revision),
  }))) {
    for (const { revision, topic } of log)
      if (revision > start && view.gets.has(topic) && !has(revision)) verdict.lost += 1;
    for (const name of ['duplicated', 'reordered', 'beyondRole', 'brokenChain', 'resets'] as const)
      verdict[name] += counts[name];
  }
  return verdict;
}
