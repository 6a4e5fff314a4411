import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { freePort } from '../local/ports.ts';
import { type Debugger, openDebugger } from '../test/support/debugger.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { KINDS, type KindName } from './kinds.ts';
import { startLoadGenerator } from './load.ts';
import { companies } from './rooms.ts';
import { round } from './statistics.ts';
import { table } from './table.ts';

const COMPANIES = 4;
const SECONDS = 5;
/** What takes less of a request than this is summed up, µs. */
const LEAST_US = 0.3;

type Frame = { functionName: string; url: string; lineNumber: number; columnNumber: number };
type Profile = {
  nodes: { id: number; callFrame: Frame; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
};

/**
 * Where a cached read from memory (or PROFILE_KIND) spends its time: V8's samples of the production bundle under load, by place in our
 * source. Work of the runtime itself (HTTP, garbage, what it does for a call of ours) is told as such, and beside the
 * function of ours that called for it.
 */
export async function profile({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const inspectorPort = await freePort();
  const worker = await bench.start({ LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' }, { inspectorPort });
  const kind = process.env.PROFILE_KIND ?? 'cached';
  if (!Object.hasOwn(KINDS, kind)) throw new Error(`PROFILE_KIND is one of ${Object.keys(KINDS).join(', ')}`);
  const rooms = await companies(bench, worker, COMPANIES);
  const generator = startLoadGenerator();
  const isolate = await openDebugger(inspectorPort);
  const load = async (): Promise<number> => {
    const requests = rooms.flatMap(KINDS[kind as KindName]);
    const order = { url: worker.url, headers: {}, connections: 8, seconds: SECONDS, requests };
    return (await generator.run(order)).requests;
  };
  try {
    // Fills the cache and lets V8 compile what is hot.
    await load();
    const spent = new Map<string, number>();
    let requests = 0;
    const nameOf = await placesOf(bench.bundle);
    for (let number = 1; number <= rounds; number++) {
      const taken = await sampled(isolate, load);
      requests += taken.requests;
      add(spent, taken.profile, nameOf);
      progress(`round ${number} of ${rounds}`);
    }
    return summary(spent, requests);
  } finally {
    isolate.close();
    await generator.stop();
    await worker.stop();
  }
}

async function sampled(
  isolate: Debugger,
  load: () => Promise<number>,
): Promise<{ profile: Profile; requests: number }> {
  await isolate.ask('Profiler.enable');
  await isolate.ask('Profiler.setSamplingInterval', { interval: 100 });
  await isolate.ask('Profiler.start');
  const requests = await load();
  const { profile: found } = await isolate.ask<{ profile: Profile }>('Profiler.stop');
  return { profile: found, requests };
}

/** Names a frame of the bundle by its place in the source: `src/http/send.ts:40 send`. */
async function placesOf(bundle: string): Promise<(frame: Frame) => string | null> {
  const map = new SourceMap(JSON.parse(await readFile(`${bundle}.map`, 'utf8')));
  return ({ url, lineNumber, columnNumber, functionName }) => {
    if (!url.endsWith('index.js')) return null;
    const entry = map.findEntry(lineNumber, columnNumber);
    if (!('originalSource' in entry)) return null;
    const source =
      entry.originalSource
        .split('node_modules/')
        .at(-1)
        ?.replace(/^(\.\.\/)*/, '') ?? '';
    const file = source.replace(/^.*?(?=src\/)/, source.startsWith('src/') || source.includes('/src/') ? '' : source);
    return `${file}:${entry.originalLine + 1} ${functionName}`;
  };
}

/** Adds the µs of each place. What the runtime does is told with the place of ours that it does it for. */
function add(
  spent: Map<string, number>,
  { nodes, samples, timeDeltas }: Profile,
  nameOf: (frame: Frame) => string | null,
): void {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const names = new Map<number, string>();
  const name = (id: number): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const frame = byId.get(id)?.callFrame;
    // V8 has its own kinds of time in brackets: (idle), (program), (garbage collector).
    const own = frame?.functionName || 'anonymous';
    let found = (frame && nameOf(frame)) ?? (own.startsWith('(') ? own : `(${own})`);
    for (let at = parents.get(id); found.startsWith('(') && at !== undefined; at = parents.get(at)) {
      const above = byId.get(at)?.callFrame;
      const caller = above && nameOf(above);
      if (caller) found = `${caller} → ${frame?.functionName || 'runtime'}`;
    }
    names.set(id, found);
    return found;
  };
  for (const [index, id] of samples.entries()) {
    spent.set(name(id), (spent.get(name(id)) ?? 0) + (timeDeltas[index] ?? 0));
  }
}

function summary(spent: ReadonlyMap<string, number>, requests: number): BenchResult {
  const rows = [...spent]
    .filter(([name]) => name !== '(idle)')
    .map(([name, us]) => ({ name, us: round(us / requests, 2) }))
    .sort((a, b) => b.us - a.us);
  const shown = rows.filter(({ us }) => us >= LEAST_US);
  const rest = rows.slice(shown.length).reduce((sum, { us }) => sum + us, 0);
  const total = rows.reduce((sum, { us }) => sum + us, 0);
  return {
    lines: [
      ...table([
        ['where', 'µs a request'],
        ...shown.map(({ name, us }) => [name, us]),
        [`${rows.length - shown.length} others`, round(rest, 2)],
        ['all', round(total, 2)],
      ]),
    ],
    figures: {
      requests,
      usPerRequest: round(total, 2),
      places: Object.fromEntries(shown.map(({ name, us }) => [name, us])),
    },
  };
}
