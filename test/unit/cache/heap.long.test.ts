import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// An isolate has 128 MB for everything. A process of its own, because what is weighed is its heap.

test('all that an isolate remembers weighs at most 48 MiB together, however it is filled', async () => {
  const script = join(import.meta.dirname, '../../../bench/heap.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--no-warnings', script]);
  console.log(stdout);
  const all = Number(/all together.* (\d+\.\d) MiB/.exec(stdout)?.[1]);
  expect(all).toBeGreaterThan(30);
  expect(all).toBeLessThanOrEqual(48);
});
