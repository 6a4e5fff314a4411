import type { Bench } from './stack.ts';

/** What a benchmark gets from the command line. */
export type BenchOptions = {
  rounds: number;
  /** Companies, of a benchmark that has many. */
  size: number;
  /** The stack, started when first asked for and shared by the benchmarks of one run. */
  stack(): Promise<Bench>;
  /** Says how far it is; not part of the result. */
  progress(line: string): void;
};

/** What it gives back: lines to read, and figures whose names carry their unit. */
export type BenchResult = { lines: readonly string[]; figures: Record<string, unknown> };

export type Benchmark = (options: BenchOptions) => Promise<BenchResult>;
