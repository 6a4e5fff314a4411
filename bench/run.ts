import { parseArgs } from 'node:util';
import { errorText } from '../local/errors.ts';
import type { Benchmark } from './benchmark.ts';
import { machineSpeed } from './machine.ts';
import { type Bench, openBench } from './stack.ts';

/** Loaded only when named, so that one that breaks does not take the others along. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  availability: async () => (await import('./availability.ts')).availability,
  bystander: async () => (await import('./bystander.ts')).bystander,
  cached: async () => (await import('./cached.ts')).cached,
  herd: async () => (await import('./herd.ts')).herd,
  export: async () => (await import('./export.ts')).exporting,
  hitrate: async () => (await import('./hitrate.ts')).hitrate,
  'live-lists': async () => (await import('./live-lists.ts')).liveLists,
  predecessor: async () => (await import('./predecessor.ts')).predecessor,
  profile: async () => (await import('./profile.ts')).profile,
  queries: async () => (await import('./queries.ts')).queries,
  rooms: async () => (await import('./rooms.ts')).rooms,
  roundtrips: async () => (await import('./roundtrips.ts')).roundtrips,
  startup: async () => (await import('./startup.ts')).startup,
  uncached: async () => (await import('./trips.ts')).uncached,
  write: async () => (await import('./trips.ts')).write,
};

const names = Object.keys(benchmarks);

/** A mistake of the caller: one line, no stack. */
class Usage extends Error {}

function readArguments(args: string[]): { chosen: string[]; rounds: number; size: number } {
  let parsed: { values: { rounds: string; size: string }; positionals: string[] };
  try {
    parsed = parseArgs({
      args,
      options: { rounds: { type: 'string', default: '5' }, size: { type: 'string', default: '200' } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new Usage(errorText(error).split('\n')[0]);
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name));
  if (unknown !== undefined) throw new Usage(`There is no benchmark ${unknown}. There are: ${names.join(', ')}.`);
  if (!/^[1-9][0-9]{0,2}$/.test(values.rounds)) throw new Usage('--rounds takes a number from 1 to 999.');
  if (!/^(?:[2-9]|[1-9][0-9]{1,2})$/.test(values.size))
    throw new Usage('--size takes a number of companies from 2 to 999.');
  if (positionals.length === 0) throw new Usage(`Name what to run: npm run bench -- ${names.join(' ')} [--rounds 5]`);
  return { chosen: [...new Set(positionals)], rounds: Number(values.rounds), size: Number(values.size) };
}

async function main(): Promise<void> {
  const { chosen, rounds, size } = readArguments(process.argv.slice(2));
  let opened: Promise<Bench> | null = null;
  const machine = machineSpeed();
  const figures: Record<string, unknown> = {};
  console.log(machine.line);
  const interrupted = (): never => process.exit(130);
  process.once('SIGINT', interrupted);
  try {
    for (const name of chosen) {
      console.log(`\n${name}`);
      const run = await benchmarks[name]?.();
      const result = await run?.({
        rounds,
        size,
        stack() {
          opened ??= openBench();
          return opened;
        },
        progress: (line) => console.log(`  … ${line}`),
      });
      for (const line of result?.lines ?? []) console.log(`  ${line}`);
      figures[name] = { ...result?.figures, machineScryptMs: machine.scryptMs };
    }
  } finally {
    await (await (opened as Promise<Bench> | null))?.close();
  }
  console.log(`\n${JSON.stringify(figures)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Usage ? error.message : error);
  process.exitCode = 1;
});
