import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { ended, imported, send } from '../../support/imports.ts';
import { wellAgain } from '../../support/outage.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Nobody who was erased comes back: from any route, tier or replay, in any isolate, whatever is cut afterwards.

const STALENESS = 400;
const world = await ownWorld({ CACHE_MAX_STALENESS_MS: String(STALENESS) });
const salon = await openCompany(world);
const there = await world.another();
const { api } = await addKey(salon.api, ['clients:read', 'events:read', 'audit:read', 'export', 'import']);
/** A key and a session, each here and in another isolate. */
const callers = [salon.api, api, salon.api.at(there.url), api.at(there.url)];
afterEach(() => wellAgain(world, salon.api));

/** Somebody whose every field is recognised, however it is written. */
function somebody() {
  const mark = `zq${randomUUID().slice(0, 8)}`;
  return {
    mark,
    body: {
      ...{ firstName: `A${mark}`, lastName: `B${mark}`, email: `${mark}@example.com`, notes: `n ${mark}` },
      ...{ externalId: `x-${mark}`, tags: [`t-${mark}`], customFields: { [mark]: mark } },
    },
  };
}

const pathsTo = (id: unknown, mark: string): string[] => [
  ...['', '?fields=name,email', '?include=duplicates,stats'].map((query) => `/clients/${id}${query}`),
  ...[
    '',
    '?sort=-lastName',
    '?fields=lastName',
    `?tag=t-${mark}`,
    `?externalId=x-${mark}`,
    '?count=none&limit=100',
  ].map((query) => `/clients${query}`),
  ...[`?search=${mark}`, `?search=${mark}&sort=name`, '?status=ACTIVE,ARCHIVED'].map((query) => `/clients${query}`),
  ...[
    '/clients/export',
    '/clients/export?format=csv',
    '/events?limit=500',
    '/audit?limit=500',
    `/audit?entityId=${id}`,
  ],
];

const CUTS = {
  Postgres: () => world.neon.setFault('refuse'),
  'Redis too': () => world.upstash.setFault('refuse'),
  both: () => {
    world.neon.setFault('refuse');
    world.upstash.setFault('refuse');
  },
  'Postgres is back': () => world.neon.setFault(null),
};

test.each<(keyof typeof CUTS)[]>([
  ['Postgres', 'Redis too'],
  ['both', 'Postgres is back'],
])('erased, then cut: %s, then %s: no byte of the person from any route, in any isolate', async (first, second) => {
  const { mark, body } = somebody();
  const key = { headers: { 'Idempotency-Key': randomUUID() } };
  const { id } = (await salon.api.post('/clients', body, key)).json;
  // A file whose only unknown column is the person's name, and one that lacks its header row but for one name.
  const jobs = [
    await imported(salon.api, `externalId,firstName,${body.lastName}\n1,2,3`),
    await imported(
      salon.api,
      `${body.email},externalId,customFields.${body.lastName.toUpperCase()}\n1,2,${'x'.repeat(3000)}`,
    ),
  ];
  const paths = [...pathsTo(id, mark), ...jobs.map((job) => `/imports/${job.id}`)];
  for (const api of callers) {
    let shown = 0;
    for (const path of [...paths, ...paths]) shown += Number((await api.get(path)).text.includes(mark));
    expect(shown).toBeGreaterThan(paths.length);
  }
  const erased = await salon.api.post(`/clients/${id}/erase`);
  expect(erased.status, erased.text).toBe(200);
  const since = Date.now();
  CUTS[first]();
  // What an isolate may know ends with its staleness; asking is what takes the time until then.
  const answers = async (): Promise<string[]> => {
    const named: string[] = [];
    for (const [n, api] of callers.entries()) {
      for (const path of paths) {
        const started = Date.now();
        const reply = await api.get(path);
        if (started - since > STALENESS && reply.text.toLowerCase().includes(mark))
          named.push(`caller ${n}, ${path}: ${reply.status} ${reply.headers.get('x-cache')}`);
      }
      const replay: Reply = await api.post('/clients', body, key);
      if (replay.text.includes(mark)) named.push(`caller ${n}, replay: ${replay.status}`);
    }
    return named;
  };
  while (Date.now() - since <= 2 * STALENESS) expect(await answers()).toEqual([]);
  CUTS[second]();
  expect(await answers()).toEqual([]);
  expect(await answers()).toEqual([]);
});

test('an erasure of which Redis cannot be told is refused, and nothing has changed', async () => {
  const { body } = somebody();
  const { id } = (await salon.api.post('/clients', body)).json;
  world.upstash.setFault('refuse');
  const refused = await salon.api.post(`/clients/${id}/erase`);
  expectProblem(refused, 'busy');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await salon.api.get(`/clients/${id}`, { headers: { 'Cache-Control': 'no-cache' } })).json.lastName).toBe(
    body.lastName,
  );
  world.upstash.setFault(null);
  await until('it is done', async () => (await salon.api.post(`/clients/${id}/erase`)).status === 200, 8000);
});

test('who is erased while a file with them waits is not made anew by it, and others are', async () => {
  const gone = somebody();
  const shared = somebody();
  const { id } = (await salon.api.post('/clients', gone.body)).json;
  // Somebody else with the same address, who stays.
  const other = { externalId: `y-${gone.mark}`, firstName: 'Other', email: gone.body.email };
  await salon.api.post('/clients', other);
  const gate = Promise.withResolvers<void>();
  world.neon.setHooks({
    onRequest: (request) =>
      request.statements.some(({ query }) => query.includes('app.import_chunk')) ? gate.promise : undefined,
  });
  const file = [
    { externalId: shared.body.externalId, firstName: 'New' },
    { externalId: gone.body.externalId, firstName: gone.body.firstName },
    { externalId: 1 },
    { externalId: other.externalId, email: gone.body.email, notes: 'still here' },
    { externalId: `z-${gone.mark}`, firstName: 'Unknown', phone: '+4366012345' },
  ];
  const sent = await send(salon.api, file.map((row) => JSON.stringify(row)).join('\n'), {
    type: 'application/x-ndjson',
  });
  expect(sent.status, sent.text).toBe(202);
  const erased = await salon.api.post(`/clients/${id}/erase`);
  expect(erased.status, erased.text).toBe(200);
  world.neon.setHooks({ onRequest: null });
  gate.resolve();
  const job = await ended(salon.api, sent.json.id);
  expect([job.created, job.updated, job.failed]).toEqual([2, 1, 2]);
  expect(job.rows.map(({ row, errors }) => [row, errors[0]?.code])).toEqual([
    [2, 'erased'],
    [3, 'invalid_type'],
  ]);
  expect(await world.sql('select 1 from clients where external_id = $1', [gone.body.externalId])).toEqual([]);
  // The hashes end with the job.
  expect(await world.sql('select 1 from erased_marks')).toEqual([]);
  // Sent again by somebody who knows, the row makes a new client.
  const again = await imported(salon.api, JSON.stringify(file[1]), { type: 'application/x-ndjson' });
  expect(again.created).toBe(1);
});
