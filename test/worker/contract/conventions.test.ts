import { beforeAll, describe, expect, inject, test } from 'vitest';
import { Api, type Reply } from '../../support/api.ts';
import { newCompany, openCompany } from '../../support/company.ts';
import { fixtures, unique } from '../../support/fixtures.ts';
import { repeated } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { bodyOf, fire, guarded, make, otherBody, pathTo, takesId } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';
import { inOneMinute } from '../../support/until.ts';
import type { RunningWorker } from '../../support/worker.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

const keyed = (key: string): { headers: Record<string, string> } => ({ headers: { 'Idempotency-Key': key } });
const head = async (): Promise<number> => Number((await salon.api.get('/events?limit=1')).json.head);

const AT_ONCE = inject('thorough') ? 20 : 5;

describe.each(repeated.map((route) => [route.name, route] as const))('Idempotency-Key at %s', (_, route) => {
  test('many at once: one effect, one answer', async () => {
    const id = takesId(route) ? await make(salon.api, route.topic) : null;
    const { states } = route.fixture;
    if (route.spec.path.endsWith('/restore') && states === undefined) await salon.api.delete(`/${route.topic}/${id}`);
    if (id !== null) await states?.[route.name]?.(salon.api, id);
    const shot = {
      method: 'POST',
      path: id === null ? route.spec.path : pathTo(route, id),
      body: await bodyOf(route, salon),
      id,
    };
    const key = `many-${unique()}`;
    const before = await head();
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, () => fire(salon.api, shot, { 'Idempotency-Key': key })),
    );
    // One request's doing, however many revisions it takes: a merge changes two clients.
    const written = (await salon.api.get(`/audit?after=${before}`)).json.data as { requestId: string }[];
    expect(written.length).toBe((await head()) - before);
    expect(new Set(written.map(({ requestId }) => requestId)).size).toBe(1);
    for (const reply of replies) {
      expect([reply.status, reply.text]).toEqual([route.spec.success.status, replies[0]?.text]);
      expect(reply.headers.get('location')).toBe(replies[0]?.headers.get('location') ?? null);
    }
    const first = replies.filter((reply) => reply.headers.get('idempotency-replayed') !== 'true');
    expect(first.length).toBe(1);
    // Quoted or bare, and after the object has changed: the answer of then.
    await salon.api.patch(`/${route.topic}/${replies[0]?.json.id}`, fixtures[route.topic]?.patch?.(unique()));
    const later = await fire(salon.api, shot, { 'Idempotency-Key': `"${key}"` });
    expect([later.text, later.headers.get('idempotency-replayed')]).toEqual([replies[0]?.text, 'true']);
    const other = await otherBody(route, salon, shot.body);
    expectProblem(
      await fire(salon.api, { ...shot, body: other }, { 'Idempotency-Key': key }),
      'idempotency_key_reused',
    );
  });
});

test('another body under the same key is refused; the same spelled otherwise is not', async () => {
  const key = `reused-${unique()}`;
  const first = await salon.api.post('/clients', { firstName: 'A', lastName: 'B' }, keyed(key));
  const spelled = await salon.api.ask('POST', '/clients', {
    raw: '{ "lastName":"B",\n"firstName":"\\u0041" }',
    headers: { ...keyed(key).headers, 'Content-Type': 'application/json' },
  });
  expect([spelled.status, spelled.json.id]).toEqual([201, first.json.id]);
  expectProblem(await salon.api.post('/clients', { firstName: 'B' }, keyed(key)), 'idempotency_key_reused');
  const other = await salon.api.post(`/clients/${first.json.id}/restore`, undefined, keyed(key));
  expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([200, null]);
});

test('a key is 1 to 255 visible ASCII characters', async () => {
  for (const key of ['a b', 'ä', 'x'.repeat(256), '""', '"a b"']) {
    const [fault] = expectProblem(
      await salon.api.post('/clients', { firstName: 'A' }, keyed(key)),
      'invalid_idempotency_key',
    );
    expect(fault?.parameter).toBe('Idempotency-Key');
  }
  expect((await salon.api.post('/clients', { firstName: 'A' }, keyed('x'.repeat(255)))).status).toBe(201);
});

test('what was refused is not kept: the key may be used again', async () => {
  const key = `kept-${unique()}`;
  const taken = `x-${unique()}`;
  expectProblem(await salon.api.post('/clients', { firstName: 7 }, keyed(key)), 'invalid_body');
  await salon.api.post('/clients', { externalId: taken });
  expectProblem(await salon.api.post('/clients', { externalId: taken }, keyed(key)), 'external_id_taken');
  const reply = await salon.api.post('/clients', { firstName: 'A' }, keyed(key));
  expect([reply.status, reply.headers.get('idempotency-replayed')]).toEqual([201, null]);
});

test('what a request waited for the database is told, unless ENABLE_DB_METRICS says no', async () => {
  const fresh = { headers: { 'Cache-Control': 'no-cache' } };
  const timing = async (api: Api) => (await api.get('/clients', fresh)).headers.get('server-timing');
  expect(await timing(salon.api)).toMatch(/^total;dur=\d+.*, db;dur=\d+;desc="1"$/);
  const { url } = await world.another({ ENABLE_DB_METRICS: 'false' });
  expect(await timing(salon.api.at(url))).toMatch(/^total;dur=\d+(?!.*db;)/);
});

test('CORS: every origin by default, preflight for every route, what scripts may read', async () => {
  const Origin = 'https://shop.example';
  for (const reply of [
    await salon.api.get('/clients', { headers: { Origin } }),
    await salon.api.as(null).get('/clients', { headers: { Origin } }),
    await salon.api.get('/nothing', { headers: { Origin } }),
  ]) {
    expect(reply.headers.get('access-control-allow-origin')).toBe('*');
    expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
    const exposed = (reply.headers.get('access-control-expose-headers') ?? '').split(', ');
    expect(exposed).toEqual(
      expect.arrayContaining(
        'Revision ETag Link Location Request-Id RateLimit RateLimit-Policy X-Cache Cache-Status Server-Timing Idempotency-Replayed Retry-After'.split(
          ' ',
        ),
      ),
    );
  }
  expect((await salon.api.get('/clients')).headers.get('access-control-allow-origin')).toBeNull();
  for (const { spec, method } of guarded) {
    const reply = await world.api.ask('OPTIONS', spec.path.replace(':id', 'x'), {
      headers: { Origin, 'Access-Control-Request-Method': method },
    });
    expect([reply.status, reply.text]).toEqual([204, '']);
    expect((reply.headers.get('access-control-allow-methods') ?? '').split(', ')).toContain(method);
    const allowed = (reply.headers.get('access-control-allow-headers') ?? '').split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining([
        'Authorization',
        'Content-Type',
        'Idempotency-Key',
        'If-Match',
        'If-None-Match',
        'Min-Revision',
      ]),
    );
    expect(reply.headers.get('allow')).toContain('OPTIONS');
  }
});

test('CORS_ORIGINS names the origins that may', async () => {
  const worker = await world.another({ CORS_ORIGINS: 'https://a.example, https://b.example' });
  const api = salon.api.at(worker.url);
  for (const [origin, allowed] of [
    ['https://b.example', 'https://b.example'],
    ['https://evil.example', null],
    ['https://a.example.evil.example', null],
    ['null', null],
  ] as const) {
    const reply = await api.get('/clients', { headers: { Origin: origin } });
    expect([origin, reply.headers.get('access-control-allow-origin')]).toEqual([origin, allowed]);
    if (allowed !== null) expect(reply.headers.get('vary')).toContain('Origin');
  }
});

describe('with 12 requests a minute', () => {
  const settings = { RATE_LIMIT_PER_MINUTE: '12', CACHE_MAX_STALENESS_MS: '0' };
  let a: RunningWorker;
  let b: RunningWorker;
  beforeAll(async () => {
    a = await world.another(settings);
    b = await world.another(settings);
  });

  test('the thirteenth is 429: after 401, before 400, 403, 404 and 422', () =>
    inOneMinute(async () => {
      const worker = a;
      const tenant = await newCompany({ ...world, api: new Api(worker.url) });
      const other = await newCompany({ ...world, api: new Api(worker.url) });
      const left: number[] = [];
      for (let i = 0; i < 12; i += 1) {
        const reply = await (i % 3 === 0
          ? tenant.api.get('/clients')
          : i % 3 === 1
            ? tenant.api.get('/clients?x=1')
            : tenant.api.post('/clients', { x: 1 }));
        expect(reply.status).not.toBe(429);
        expect(reply.headers.get('ratelimit-policy')).toBe('"company";q=12;w=60');
        left.push(Number(/r=(\d+)/.exec(reply.headers.get('ratelimit') ?? '')?.[1]));
      }
      expect(left).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
      const over: [string, () => Promise<Reply>][] = [
        ['hit', () => tenant.api.get('/clients')],
        ['parameter', () => tenant.api.get('/clients?x=1')],
        ['body', () => tenant.api.post('/clients', { x: 1 })],
        ['json', () => tenant.api.ask('POST', '/clients', { raw: '{' })],
        ['absent', () => tenant.api.get('/clients/x')],
        ['write', () => tenant.api.post('/clients', { firstName: 'A' })],
        ['event', () => tenant.api.get('/events')],
      ];
      for (const [name, ask] of over) {
        const reply = await ask();
        expect(reply.status, name).toBe(429);
        expectProblem(reply, 'rate_limited');
        expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(reply.headers.get('ratelimit')).toMatch(/;r=0;t=\d+$/);
      }
      expect((await tenant.api.as('garbage').get('/clients')).status).toBe(401);
      expect((await tenant.api.ask('PUT', '/clients')).status).toBe(405);
      expect((await tenant.api.get('/health/live')).status).toBe(200);
      const written = 'select 1 from clients where company_id = $1';
      expect(await world.sql(written, [uuidOf('comp', tenant.companyId)])).toEqual([]);
      expect((await other.api.get('/clients')).status).toBe(200);
    }));

  test('two isolates share the limit of a company', () =>
    inOneMinute(async () => {
      const tenant = await newCompany({ ...world, api: new Api(a.url) });
      let allowed = 0;
      for (let i = 0; i < 20; i += 1) {
        const reply = await tenant.api.at((i % 2 === 0 ? a : b).url).get('/clients');
        if (reply.status !== 429) allowed += 1;
      }
      expect(allowed).toBeLessThanOrEqual(14);
      expect(allowed).toBeGreaterThanOrEqual(12);
    }));
});
