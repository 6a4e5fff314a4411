import { expect, inject, test } from 'vitest';
import { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { listen } from '../../support/listener.ts';
import { until } from '../../support/until.ts';
import { startWorker } from '../../support/worker.ts';
import { openStack } from '../../support/world.ts';

// Where objects are put. The local runtime knows one place alone, so what it is asked is written down on the way to it.

/** In front of the bundle: each namespace notes with which options its objects are asked for. */
const FRONT = `
import worker, * as all from './index.js';
const asked = {};
const noting = (name, objects) => ({
  idFromName: (of) => objects.idFromName(of),
  get: (id, options) => {
    (asked[name] ??= {})[JSON.stringify(options ?? null)] = true;
    return objects.get(id, options);
  },
});
const known = new WeakMap();
const noted = (env) => {
  if (!known.has(env)) {
    const isNamespace = ([, bound]) => typeof bound?.idFromName === 'function';
    const namespaces = Object.entries(env).filter(isNamespace).map(([name, bound]) => [name, noting(name, bound)]);
    known.set(env, { ...env, ...Object.fromEntries(namespaces) });
  }
  return known.get(env);
};
export class CompanyRoom extends all.CompanyRoom {
  constructor(state, env) { super(state, noted(env)); }
}
export const { Dispatcher, Jobs, Monitor, RedisWatch } = all;
export default {
  ...worker,
  fetch: (request, env, context) =>
    new URL(request.url).pathname === '/asked' ? Response.json(asked) : worker.fetch(request, noted(env), context),
};
`;

test.each([
  ['weur', '{"locationHint":"weur"}'],
  ['', '{}'],
])('every object is asked for near ROOM_LOCATION_HINT=%s', async (hint, options) => {
  const stack = await openStack();
  const vars = { ...stack.vars, ROOM_LOCATION_HINT: hint };
  const worker = await startWorker({ bundle: inject('bundle'), vars, front: FRONT });
  try {
    const place = { ...stack, api: new Api(worker.url), vars };
    const { api } = await openCompany(place);
    const listener = await listen(api);
    await api.post('/clients', { firstName: 'Kept near' });
    await api.ask('POST', '/imports?resource=clients', {
      ...{ raw: '{"externalId":"1"}', headers: { 'Content-Type': 'application/x-ndjson' } },
    });
    const asked = await until('all kinds to be asked for', async () => {
      const answer = (await (await fetch(`${worker.url}/asked`)).json()) as Record<string, object>;
      return ['JOBS', 'MONITOR', 'ROOMS', 'WATCH'].every((name) => name in answer) && answer;
    });
    for (const how of Object.values(asked)) expect(Object.keys(how)).toEqual([options]);
    await listener.close();
  } finally {
    await worker.stop();
    await stack.close();
  }
});
