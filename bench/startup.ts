import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startPlain } from './bare.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { bundleWithMetafile, wrangler } from './bundle.ts';
import { median, round } from './statistics.ts';
import { table } from './table.ts';
import { canReadCpu, threadsCpuMs } from './workerd.ts';

const LIMIT_BYTES = 248 * 1024;
const LIMIT_MS = 40;
/** Starts of each in a round, in turn: single ones differ by a third, the median of twenty differences by a twentieth. */
const STARTS = 4;

type Round = { round: number; clientsPlusCpuMs: number; emptyCpuMs: number; differenceMs: number };

/**
 * Size of the bundle and CPU of an isolate's start. `startupCpuMs` is the CPU time of a workerd that loads our bundle
 * minus that of one that loads an empty Worker, in turn: CPU time does not grow when others use the machine.
 * `wrangler check startup` works offline too, but samples wall time every 2 ms, so on a busy machine it tells of the
 * neighbours; its figure is given beside (`profiledActiveMs`) and stands in where /proc is missing.
 */
export async function startup({ rounds, progress }: BenchOptions): Promise<BenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-startup-'));
  try {
    const { path, metafile } = await bundleWithMetafile(join(dir, 'bundle'));
    const bytes = await readFile(path);
    const inputs = biggestInputs(JSON.parse(await readFile(metafile, 'utf8')) as Metafile);
    const empty = join(dir, 'empty.js');
    await writeFile(empty, 'export default { fetch: () => new Response() };\n');
    const measured: Round[] = [];
    const profiled: number[] = [];
    for (let number = 0; number <= rounds; number++) {
      for (let start = 0; start < (number === 0 ? 1 : STARTS); start++) {
        const ours = await startCpu(path);
        const bare = await startCpu(empty);
        // Round 0 fills the file cache and is thrown away.
        if (number === 0 || ours === null || bare === null) continue;
        const [clientsPlusCpuMs, emptyCpuMs] = [round(ours, 1), round(bare, 1)];
        measured.push({ round: number, clientsPlusCpuMs, emptyCpuMs, differenceMs: round(ours - bare, 1) });
      }
      if (number > 0) profiled.push(await profile(join(dir, `${number}.cpuprofile`)));
      progress(`round ${number} of ${rounds}`);
    }
    const profiledActiveMs = round(median(profiled), 1);
    const startupCpuMs = canReadCpu ? round(median(measured.map((each) => each.differenceMs)), 1) : profiledActiveMs;
    const bundleGzipBytes = gzipSync(bytes, { level: 9 }).byteLength;
    return {
      lines: [
        ...table([
          ['', 'measured', 'limit'],
          ['bundle, gzipped', `${kib(bundleGzipBytes)} KiB`, `${kib(LIMIT_BYTES)} KiB`],
          ['start-up CPU', `${startupCpuMs} ms`, `${LIMIT_MS} ms`],
          ['the same by `wrangler check startup`', `${profiledActiveMs} ms`, ''],
        ]),
        '',
        ...table([['biggest inputs', 'KiB'], ...inputs.map(({ name, bytes: size }) => [name, kib(size)])]),
      ],
      figures: {
        ...{ bundleGzipBytes, bundleGzipLimitBytes: LIMIT_BYTES, bundleBytes: bytes.byteLength },
        ...{ startupCpuMs, startupCpuLimitMs: LIMIT_MS, profiledActiveMs },
        ...(canReadCpu ? {} : { cpuAbsentBecause: `no /proc on ${process.platform}` }),
        biggestInputsBytes: Object.fromEntries(inputs.map(({ name, bytes: size }) => [name, size])),
        rounds: measured,
        profiledActiveMsOfRounds: profiled,
      },
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const kib = (bytes: number): number => round(bytes / 1024, 1);

/** CPU time of a workerd from its birth until it serves this Worker, ms; null where /proc is missing. */
async function startCpu(bundle: string): Promise<number | null> {
  const worker = await startPlain(bundle);
  try {
    return worker.pid === null ? null : await threadsCpuMs(worker.pid);
  } finally {
    await worker.stop();
  }
}

type Profile = {
  nodes: { id: number; callFrame: { functionName: string } }[];
  samples: number[];
  timeDeltas: number[];
};

/** `wrangler check startup`: the time of its profile that is not idle, ms. */
async function profile(file: string): Promise<number> {
  await wrangler('check', 'startup', '--outfile', file);
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8')) as Profile;
  const idle = new Set(nodes.filter((node) => node.callFrame.functionName === '(idle)').map((node) => node.id));
  let active = 0;
  for (const [index, id] of samples.entries()) if (!idle.has(id)) active += timeDeltas[index] ?? 0;
  return round(active / 1000, 1);
}

type Metafile = { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> };

/** The ten packages, or folders of ours, that give most bytes to the bundle (before gzip). */
function biggestInputs(metafile: Metafile): { name: string; bytes: number }[] {
  const sizes = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = sourceOf(path);
      sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
    }
  }
  const all = [...sizes].map(([name, bytes]) => ({ name, bytes }));
  return all.sort((a, b) => b.bytes - a.bytes).slice(0, 10);
}

/** `node_modules/zod/v4/core/api.js` → `zod/v4`; `src/data/log.ts` → `src/data` */
function sourceOf(path: string): string {
  const parts = path.split('node_modules/').at(-1)?.split('/') ?? [path];
  return parts.slice(0, parts[0]?.startsWith('@') ? 3 : 2).join('/');
}
