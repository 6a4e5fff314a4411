import type { LoadGenerator, LoadOrder, LoadReport } from './load.ts';
import { median, round } from './statistics.ts';
import { cpuMs } from './workerd.ts';

/** `cpuUsPerRequest` of the server's process; null where /proc does not tell. */
export type Measured = LoadReport & { cpuUsPerRequest: number | null };

/** Loads a server, and tells its CPU beside. @throws Error when an answer was a refusal */
export async function measured(
  generator: LoadGenerator,
  { name, url, pid }: { name: string; url: string; pid: number | null },
  order: Omit<LoadOrder, 'url' | 'headers'> & Partial<Pick<LoadOrder, 'headers'>>,
): Promise<Measured> {
  const before = pid === null ? 0 : await cpuMs(pid);
  const report = await generator.run({ url, headers: {}, ...order });
  if (report.bad > 0) throw new Error(`${name}: ${report.bad} of ${report.requests} answers were no 2xx`);
  const cpuUsPerRequest = pid === null ? null : (((await cpuMs(pid)) - before) * 1000) / report.requests;
  return { ...report, cpuUsPerRequest };
}

/** Medians of some rounds. */
export const medians = (rounds: readonly Measured[]) => ({
  requestsPerSecond: round(median(rounds.map(rate)), 0),
  cpuUsPerRequest: round(median(rounds.map(cpu)), 0),
  p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
});

/** Of each round of ours and the reference's beside it, because the machine's pace drifts: requests/s ÷, and CPU of a request ÷. */
export const ratios = (ours: readonly Measured[], reference: readonly Measured[]) => {
  const paired = (of: (each: Measured) => number): number =>
    round(median(ours.map((each, at) => of(each) / of(reference[at] as Measured))));
  return { ratio: paired(rate), cpuOverReference: paired(cpu) };
};

const rate = ({ requests, seconds }: Measured): number => requests / seconds;
const cpu = ({ cpuUsPerRequest }: Measured): number => cpuUsPerRequest ?? Number.NaN;
