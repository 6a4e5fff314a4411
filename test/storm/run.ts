import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../../local/migrate.ts';
import { startStack } from '../../local/stack.ts';
import { bundleWorker } from '../support/bundle.ts';
import { FULL_OUTCOMES, type OutcomesPlan, outcomes } from './outcomes.ts';
import { outcomesSummary, upheld } from './outcomes-report.ts';
import type { Plan } from './pace.ts';
import { json, passed, summary } from './report.ts';
import { FULL, type Ground, storm } from './storm.ts';

const HELP = `node test/storm/run.ts [options]
Concurrency on the real stack: writers, readers, kills between commit and announcement, wipes of Redis.
Every answer is compared with the one rebuilt from the log. Then, on a stack of its own that flushes its commits: backends
ended in the middle of their COMMIT, and what callers are told. Each part ends with a summary.
  --writes N   writes that succeed, ${FULL.writes}; a third as many fail besides
  --reads N    reads that are answered, ${FULL.reads}
  --kills N    kills of the Worker, ${FULL.kills}
  --wipes N    wipes of Redis, ${FULL.wipes}
  --terminations N  backends ended in a COMMIT, ${FULL_OUTCOMES.terminations}
  --purges N   times that all backends of cp_app are ended, ${FULL_OUTCOMES.purges}
  --only P     one part: storm or outcomes
  --seed N     of the actors' choices, ${FULL.seed}
  --bundle F   a bundle made elsewhere, instead of one of src/`;

type Values = Record<string, string | boolean | undefined>;

/** The plan of the command line. Throws a RangeError for anything that is no whole number. */
function readPlan<P extends Record<string, number>>(full: P, names: readonly (keyof P & string)[], values: Values): P {
  const plan = { ...full };
  for (const name of names) {
    const text = values[name];
    if (text === undefined) continue;
    if (!/^[0-9]{1,9}$/.test(String(text))) throw new RangeError(`--${name} must be a whole number`);
    Object.assign(plan, { [name]: Number(text) });
  }
  return plan;
}

/** Runs one part on a stack of its own in `dir`. */
async function onStack<T>(
  dir: string,
  durable: boolean,
  part: (ground: Omit<Ground, 'bundle'>) => Promise<T>,
): Promise<T> {
  const stack = await startStack({ dir: join(dir, 'data'), durable, fresh: true });
  try {
    await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
    const { neon, vars, adminUrl } = stack;
    return await part({ neon, vars, adminUrl, dir: join(dir, 'workers') });
  } finally {
    await stack.stop();
  }
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      writes: text,
      reads: text,
      kills: text,
      wipes: text,
      terminations: text,
      purges: text,
      seed: text,
      bundle: text,
      only: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return console.log(HELP);
  const plan: Plan = readPlan(FULL, ['writes', 'reads', 'kills', 'wipes', 'seed'], values);
  const fates: OutcomesPlan = readPlan(FULL_OUTCOMES, ['terminations', 'purges', 'seed'], values);
  // Postgres runs as another user when we are root, so the folder must be one it may enter.
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-storm-'));
  await chmod(dir, 0o755);
  const say = (line: string): void => console.log(line);
  try {
    const bundle = values.bundle === undefined ? await bundleWorker(join(dir, 'bundle')) : resolve(values.bundle);
    const folder = async (name: string): Promise<string> => {
      await mkdir(join(dir, name), { mode: 0o755 });
      return join(dir, name);
    };
    if (values.only !== 'outcomes') {
      const found = await onStack(await folder('storm'), false, (ground) => storm({ ...ground, bundle }, plan, say));
      say(summary(found));
      say(json(found));
      if (!passed(found)) process.exitCode = 1;
    }
    if (values.only !== 'storm') {
      const found = await onStack(await folder('outcomes'), true, (ground) =>
        outcomes({ ...ground, bundle }, fates, say),
      );
      say(outcomesSummary(found));
      if (!upheld(found)) process.exitCode = 1;
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

// Leaving by `exit` lets the stack end Postgres; the Workers end themselves when their channel closes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
