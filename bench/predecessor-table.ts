import type { BenchResult } from './benchmark.ts';
import type { KindName } from './kinds.ts';
import { type Measured, medians, ratios } from './measured.ts';
import { table } from './table.ts';

export type StepName = KindName | 'paced';
export type PeerSide = 'ours' | 'peer';
export type PeerRound = Measured & { side: PeerSide; step: StepName; round: number };

const WORDS: Readonly<Record<StepName, string>> = {
  cached: 'a cached list',
  uncached: 'the same computed anew',
  writes: 'changes of a client',
  mixed: '19 lists, then a change',
  paced: 'the same at 200/s',
};

/** Medians of the rounds by step, and ours ÷ the peer's of the same round. */
export function predecessorLines(taken: readonly PeerRound[], steps: readonly StepName[], rounds: number): BenchResult {
  const figures = steps.map((step) => {
    const of = (side: PeerSide): PeerRound[] => taken.filter((each) => each.step === step && each.side === side);
    const [ours, peer] = [of('ours'), of('peer')];
    return { step, ...ratios(ours, peer), ours: medians(ours), peer: medians(peer) };
  });
  const head = [`medians of ${rounds}`, '', 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms', 'ratio', 'of CPU'];
  const rows = figures.flatMap(({ step, ratio, cpuOverReference, ours, peer }) => [
    [WORDS[step], 'ours', ...Object.values(ours), ratio, cpuOverReference],
    ['', 'peer', ...Object.values(peer), '', ''],
  ]);
  return {
    lines: table([head, ...rows]),
    figures: { ...Object.fromEntries(figures.map(({ step, ...each }) => [step, each])), rounds: taken },
  };
}
