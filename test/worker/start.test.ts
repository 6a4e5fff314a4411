import { expect, inject, test } from 'vitest';
import { startWorker } from '../support/worker.ts';
import { openStack } from '../support/world.ts';

/** In front of the bundle: notes each error that is made while it is read. */
const FRONT = `
const made = [];
const noting = (name) => {
  globalThis[name] = new Proxy(globalThis[name], {
    construct(target, values, as) {
      made.push(String(values[0]));
      return Reflect.construct(target, values, as);
    },
  });
};
['Error', 'TypeError', 'RangeError', 'SyntaxError'].forEach(noting);
const all = await import('./index.js');
const whileRead = [...made];
export const { CompanyRoom, Dispatcher, Jobs, Monitor, RedisWatch } = all;
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === '/made') return Response.json({ whileRead, made });
    return all.default.fetch(request, env, context);
  },
};
`;

// The first error with a stack has V8 read the whole bundle once more for the lines of its functions: 26 ms of a start.
test('no error is made before the first request', async () => {
  const stack = await openStack();
  const worker = await startWorker({ bundle: inject('bundle'), vars: stack.vars, front: FRONT });
  try {
    await fetch(`${worker.url}/api/v1/clients`);
    const answer = (await (await fetch(`${worker.url}/made`)).json()) as { whileRead: string[]; made: string[] };
    expect(answer.whileRead).toEqual([]);
    // One is noticed when it is made.
    expect(answer.made).not.toEqual([]);
  } finally {
    await worker.stop();
    await stack.close();
  }
});
