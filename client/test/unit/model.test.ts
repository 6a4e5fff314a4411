import fc from 'fast-check';
import { test } from 'vitest';
import { run, step } from '../support/model-run.ts';

test.each([
  ['that follows lists', true],
  ['that does not', false],
])("a list is the server's in the end, at a room %s", async (_name, takesQueries) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(3), (steps, lag) => run(steps, takesQueries, lag)),
    { numRuns: 120 },
  );
});
