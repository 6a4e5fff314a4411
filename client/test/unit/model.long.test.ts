import fc from 'fast-check';
import { test } from 'vitest';
import { run, step } from '../support/model-run.ts';

test("a list is the server's in the end, of ten thousand histories", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.boolean(), fc.nat(5), run), {
    numRuns: 10_000,
  });
});
