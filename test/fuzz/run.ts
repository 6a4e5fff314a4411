import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `node test/fuzz/run.ts [options]
Requests made from the OpenAPI document, right and wrong, at the real Worker. No answer may be a 500 or other than
documented, and whatever was stored must be readable afterwards. A failure names its seed and the shortest requests.
  --requests N  how many, 20000
  --seed N      of the requests, random`;

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { requests: text, seed: text, help: { type: 'boolean' } } });
if (values.help === true) console.log(HELP);
else {
  const env = {
    ...process.env,
    FUZZ_REQUESTS: values.requests ?? '20000',
    FUZZ_SEED: values.seed ?? String(randomInt(2 ** 31)),
  };
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
  const run = spawn(process.execPath, [vitest, 'run', '--project', 'long', 'test/worker/contract/fuzz.long.test.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env,
    stdio: 'inherit',
  });
  const [code] = await once(run, 'exit');
  process.exitCode = Number(code ?? 1);
}
