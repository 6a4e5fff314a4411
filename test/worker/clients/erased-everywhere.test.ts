import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { ended, imported, send } from '../../support/imports.ts';
import { listen } from '../../support/listener.ts';
import { wellAgain } from '../../support/outage.ts';
import { shareOf } from '../../support/paths.ts';
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
const callers = shareOf([salon.api, api, api.at(there.url), salon.api.at(there.url)], 0, 2);
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

const cuts: [keyof typeof CUTS, keyof typeof CUTS][] = [
  ['Postgres', 'Redis too'],
  ['both', 'Postgres is back'],
];
test.each(shareOf(cuts, 0, 2))(
  'erased, then cut: %s, then %s: no byte of the person from any route, in any isolate',
  async (first, second) => {
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
  },
);

test('nor from what hangs on them: visits, books, calendars, deliveries, sockets that come back', async () => {
  const place = await openSalon(salon.api);
  const { mark, body } = somebody();
  const post = async (path: string, sent: object = {}): Promise<Json> => {
    const reply = await salon.api.post(path, sent, { headers: { 'Idempotency-Key': randomUUID() } });
    expect(reply.status, reply.text).toBeLessThan(300);
    return reply.json;
  };
  const heard = await listen(salon.api);
  const list = {
    topics: ['clients', 'appointments', 'invoices'],
    lists: [{ id: 'all', path: '/clients?sort=-createdAt' }],
  };
  const { epoch, revision } = await heard.subscribe(list);
  const hook = await post('/webhooks', { url: 'https://hooks.example.com/', types: ['client.created'] });
  const client = await post('/clients', body);
  const { branchId, staffId, serviceId } = place;
  const startsAt = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000 + 2 * 86_400_000).toISOString();
  const visit = { branchId, staffId, clientId: client.id, services: [{ serviceId }], startsAt, notes: `n ${mark}` };
  const booked = await post('/appointments', visit);
  const price = { amount: 1000, currency: 'EUR' };
  const lines = [{ description: `Cut for ${body.firstName}`, unitPrice: price }];
  const invoice = await post('/invoices', { branchId, clientId: client.id, lines });
  await post(`/invoices/${invoice.id}/finalize`);
  const paid = await post('/payments', { invoiceId: invoice.id, amount: price, method: 'CARD', reference: body.email });
  const refund = { amount: { ...price, amount: 100 }, reason: `was ${mark}` };
  await post(`/payments/${paid.id}/refunds`, refund);
  const feed = String((await post(`/staff/${staffId}/calendar`)).url).replace(/^.*\/api\/v1/, '');
  const paths = [
    ...[`/appointments/${booked.id}`, '/appointments', `/appointments?clientId=${client.id}`, '/appointments/export'],
    ...[`/invoices/${invoice.id}`, '/invoices', `/invoices?clientId=${client.id}`, '/invoices/export'],
    ...[`/payments/${paid.id}`, '/payments', '/refunds', '/events?limit=500', '/audit?limit=500', feed],
  ];
  // Figures count them, and name nobody at any time.
  const span = `from=${startsAt.slice(0, 7)}-01&to=${new Date(Date.parse(startsAt) + 40 * 86_400_000).toISOString().slice(0, 10)}`;
  const figures = [
    ...['/analytics/dashboard', `/analytics/clients?${span}`],
    ...['day', 'staff', 'service', 'status', 'branch'].map((by) => `/analytics/appointments?${span}&groupBy=${by}`),
    ...['day', 'month', 'staff', 'service', 'branch', 'tax'].map((by) => `/analytics/revenue?${span}&groupBy=${by}`),
  ];
  const named = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const api of [salon.api, salon.api.at(there.url)]) {
      for (const path of [...paths, ...figures]) {
        const { status, text } = await api.get(path);
        if (text.toLowerCase().includes(mark)) found.push(path);
        if (status >= 400 && status !== 503) found.push(`${path}: ${status}`);
      }
    }
    return found;
  };
  expect(new Set(await named())).toEqual(new Set(paths));
  await until('the socket heard of it', () => JSON.stringify(heard.frames).includes(mark));
  await post(`/clients/${client.id}/erase`);
  expect(await named()).toEqual([]);
  // The room keeps what it has sent, for whoever comes back.
  await until('the socket heard of the end', () => JSON.stringify(heard.frames).includes('client.erased'));
  await heard.close();
  const back = await listen(salon.api);
  await back.subscribe({ ...list, resume: { epoch, revision } });
  await until('it has caught up', () => JSON.stringify(back.frames).includes('client.erased'));
  expect(JSON.stringify(back.frames)).not.toContain(mark);
  await back.close();
  // What was sent is not kept, only that it was.
  await until('it was tried', async () =>
    (await salon.api.get(`/webhooks/${hook.id}/deliveries`)).text.includes('client.created'),
  );
  expect((await salon.api.get(`/webhooks/${hook.id}/deliveries`)).text).not.toContain(mark);
  world.neon.setFault('refuse');
  expect(await named()).toEqual([]);
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
  await until('it is done', async () => (await salon.api.post(`/clients/${id}/erase`)).status === 200);
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
