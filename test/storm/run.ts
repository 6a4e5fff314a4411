import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../../local/migrate.ts';
import { startStack } from '../../local/stack.ts';
import { bundleWorker } from '../support/bundle.ts';
import type { Plan } from './pace.ts';
import { json, passed, summary } from './report.ts';
import { FULL, storm } from './storm.ts';

const HELP = `node test/storm/run.ts [options]
Concurrency on the real stack: writers, readers, kills between commit and announcement, wipes of Redis.
Every answer is compared with the one rebuilt from the log. The last lines are a summary and one line of JSON.
  --writes N   writes that succeed, ${FULL.writes}; a third as many fail besides
  --reads N    reads that are answered, ${FULL.reads}
  --kills N    kills of the Worker, ${FULL.kills}
  --wipes N    wipes of Redis, ${FULL.wipes}
  --seed N     of the actors' choices, ${FULL.seed}
  --bundle F   a bundle made elsewhere, instead of one of src/`;

/** The plan of the command line. Throws a RangeError for anything that is no whole number. */
function readPlan(values: Record<string, string | boolean | undefined>): Plan {
  const plan = { ...FULL };
  for (const name of ['writes', 'reads', 'kills', 'wipes', 'seed'] as const) {
    const text = values[name];
    if (text === undefined) continue;
    if (!/^[0-9]{1,9}$/.test(String(text))) throw new RangeError(`--${name} must be a whole number`);
    plan[name] = Number(text);
  }
  return plan;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      writes: text,
      reads: text,
      kills: text,
      wipes: text,
      seed: text,
      bundle: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return console.log(HELP);
  const plan = readPlan(values);
  // Postgres runs as another user when we are root, so the folder must be one it may enter.
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-storm-'));
  await chmod(dir, 0o755);
  const say = (line: string): void => console.log(line);
  say('starting the stack …');
  const [stack, bundle] = await Promise.all([
    startStack({ dir: join(dir, 'data'), durable: false, fresh: true }),
    values.bundle === undefined ? bundleWorker(join(dir, 'bundle')) : resolve(values.bundle),
  ]);
  try {
    await migrate(stack.vars.DATABASE_MIGRATION_URL ?? '', { log: () => undefined });
    const { neon, vars, adminUrl } = stack;
    const outcome = await storm({ neon, vars, adminUrl, bundle, dir: join(dir, 'workers') }, plan, say);
    say(summary(outcome));
    say(json(outcome));
    if (!passed(outcome)) process.exitCode = 1;
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

// Leaving by `exit` lets the stack end Postgres; the Workers end themselves when their channel closes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
