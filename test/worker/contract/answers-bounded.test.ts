import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Api, received } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { leastBelow } from '../../support/until.ts';

// No answer is much larger than its question, and nobody whom nobody knows sends much.

const world = await sharedWorld();
const salon = await openCompany(world);

const KB = 1024;
const unknown = (keys: number, name = 'k'): Record<string, number> =>
  Object.fromEntries(Array.from({ length: keys }, (_, i) => [`${name}${i}`, 1]));

describe('a body of callers nobody knows', () => {
  const anonymous = ['signup', 'login', 'refresh', 'password/forgot', 'password/reset'].map((verb) => `/auth/${verb}`);

  test.each(anonymous)('%s takes 16 KB, declared or not', async (path) => {
    const headers = { 'Content-Type': 'application/json' };
    const text = JSON.stringify({ padding: 'x'.repeat(17 * KB) });
    const api = world.api.as(null);
    expectProblem(await api.ask('POST', path, { raw: text, headers }), 'payload_too_large');
    const chunked = await fetch(`${api.url}/api/v1${path}`, {
      method: 'POST',
      headers,
      body: new Blob([text]).stream(),
      duplex: 'half',
    } as RequestInit);
    expectProblem(await received('POST', path, chunked), 'payload_too_large');
    const just = await api.ask('POST', path, { raw: JSON.stringify(unknown(1200)), headers });
    expectProblem(just, 'invalid_body', ['errorsOmitted']);
    expect(just.text.length).toBeLessThan(16 * KB);
  });
});

describe('faults', () => {
  test('the first fifty in full, and how many more', async () => {
    const reply = await salon.api.post('/clients', unknown(80_000));
    const faults = expectProblem(reply, 'invalid_body', ['errorsOmitted']);
    expect(faults).toHaveLength(50);
    expect(faults[0]).toEqual({ pointer: '/k0', code: 'unknown_field', detail: 'This field does not exist here.' });
    // And that nothing names the client.
    expect(reply.json.errorsOmitted).toBeGreaterThanOrEqual(79_950);
    expect(reply.text.length).toBeLessThan(16 * KB);
  });

  test('at most 64 KB of them', async () => {
    const reply = await salon.api.post('/clients', unknown(40, 'x'.repeat(20 * KB)));
    const faults = expectProblem(reply, 'invalid_body', ['errorsOmitted']);
    expect(faults.length + Number(reply.json.errorsOmitted)).toBeGreaterThanOrEqual(40);
    expect(reply.text.length).toBeLessThan(66 * KB);
  });

  test('of query parameters alike', async () => {
    const query = Array.from({ length: 300 }, (_, i) => `p${i}=1`).join('&');
    const reply = await salon.api.get(`/clients?${query}`);
    expect([reply.status, reply.json.code]).toEqual([400, 'unknown_parameter']);
    expect(reply.text.length).toBeLessThan(32 * KB);
  });

  test('of a partial bulk: a verdict for each item, and all together bounded', async () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ firstName: `n${i}`, ...unknown(180) }));
    const reply = await salon.api.post('/clients/bulk', { mode: 'partial', items });
    expect(reply.status).toBe(200);
    expect(Buffer.byteLength(reply.text)).toBeLessThan(65 * KB);
    type Problem = { code: string; title?: string; errors?: unknown[]; errorsOmitted: number };
    const data = reply.json.data as { index: number; problem: Problem }[];
    expect(data.map(({ index }) => index)).toEqual(items.map((_, i) => i));
    for (const { problem } of data) expect((problem.errors?.length ?? 0) + problem.errorsOmitted).toBe(180);
    expect(data[0]?.problem.errors).toHaveLength(50);
    // Small faults are all there of as many items as there is room for.
    const small = await salon.api.post('/clients/bulk', {
      mode: 'partial',
      items: Array.from({ length: 500 }, (_, i) => (i < 150 ? { firstName: 7 } : { firstName: `x${i}` })),
    });
    for (const { problem } of (small.json.data as typeof data).slice(0, 150)) expect(problem.errors).toHaveLength(1);
    const many = await salon.api.post('/clients/bulk', { mode: 'partial', items: Array(500).fill({ firstName: 7 }) });
    expect(Buffer.byteLength(many.text)).toBeLessThan(65 * KB);
    const told = (many.json.data as typeof data).map(({ problem }) => problem);
    expect(told.slice(0, 50).every(({ title, errors }) => title !== undefined && errors?.length === 1)).toBe(true);
    expect(told.at(-1)).toEqual({ status: 422, code: 'invalid_body', errorsOmitted: 1 });
  });

  test('of a bulk of many: others are served while it is checked', async () => {
    const items = Array.from({ length: 500 }, () => unknown(200));
    /** The longest that somebody waited meanwhile, in shares of how long it took. */
    const share = async (): Promise<number> => {
      let done = false;
      const began = performance.now();
      const bulk = salon.api.post('/clients/bulk', { mode: 'atomic', items }).finally(() => {
        done = true;
      });
      let longest = 0;
      while (!done) {
        const asked = performance.now();
        // Not of health, which makes who asks in a loop wait.
        await world.api.as(null).get('/nothing');
        longest = Math.max(longest, performance.now() - asked);
      }
      expectProblem(await bulk, 'invalid_body', ['errorsOmitted']);
      return longest / (performance.now() - began);
    };
    expect(await leastBelow(0.5, share)).toBeLessThan(0.5);
  });

  test('of an atomic bulk', async () => {
    const items = Array.from({ length: 500 }, () => ({ firstName: 'x', ...unknown(180) }));
    const reply = await salon.api.post('/clients/bulk', { mode: 'atomic', items });
    expect(expectProblem(reply, 'invalid_body', ['errorsOmitted'])).toHaveLength(50);
    expect(reply.json.errorsOmitted).toBe(500 * 180 - 50);
    const taken = await salon.api.post('/clients', { externalId: 'taken', firstName: 'x' });
    expect(taken.status).toBe(201);
    const twice = Array.from({ length: 120 }, () => ({ externalId: 'taken', firstName: 'x' }));
    const clash = await salon.api.post('/clients/bulk', { mode: 'atomic', items: twice });
    expect(expectProblem(clash, 'external_id_taken', ['errorsOmitted'])).toHaveLength(50);
    expect(clash.json.errorsOmitted).toBe(70);
  });

  test('an object of too many members within a body is refused without looking at each', async () => {
    const customFields = Object.fromEntries(Array.from({ length: 80_000 }, (_, i) => [`k${i}`, {}]));
    const reply = await salon.api.post('/clients', { firstName: 'x', customFields });
    // Looking at each took seconds; one fault shows that nobody did: each is of a type that none may be of.
    expect(expectProblem(reply, 'invalid_body')).toMatchObject([{ pointer: '/customFields', code: 'too_big' }]);
  });

  test('an array of too many items within a body is one fault, not one per item', async () => {
    const reply = await salon.api.post('/clients', { firstName: 'x', tags: Array(250_000).fill('') });
    expect(expectProblem(reply, 'invalid_body')).toMatchObject([{ pointer: '/tags', code: 'too_big' }]);
  });
});

test('over the rate limit nothing of a body is read', async () => {
  const { url } = await world.another({ RATE_LIMIT_PER_MINUTE: '5' });
  const caller = (await openCompany(world)).api.at(url);
  for (let i = 0; i < 8; i += 1) await caller.post('/clients', { firstName: 'x' });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = request(`${url}/api/v1/clients`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${caller.token}`, 'Content-Type': 'application/json' },
    });
    asked.on('response', (answer) => {
      resolve(answer.statusCode);
      asked.destroy();
    });
    asked.on('error', reject);
    // The rest of it never comes.
    asked.write('{"firstName": ');
  });
  expect(status).toBe(429);
});

describe('what a line of text may hold', () => {
  test.each([
    ['a line end', 'Ann\r\nBcc: all@example.com'],
    ['a line separator', 'Ann\u2028Bob'],
    ['a vertical tab', 'Ann\u000bBob'],
    ['an override of direction', 'Ann \u202egnp.exe'],
    ['an isolate', '\u2066Ann'],
    ['a mark of direction', 'Ann\u200f'],
  ])('no %s', async (_name, name) => {
    for (const [method, path, body] of [
      ['POST', '/clients', { firstName: name }],
      ['PATCH', `/users/${salon.userId}`, { name }],
      ['PATCH', '/company', { name }],
    ] as const) {
      const faults = expectProblem(await salon.api.ask(method, path, { body }), 'invalid_body');
      expect(faults).toMatchObject([{ code: 'invalid_text' }]);
    }
  });

  test('but any script, and notes of several lines', async () => {
    const body = { firstName: 'שלום\u0640', lastName: 'Ann‑Bob 👩‍👧', notes: 'one\r\ntwo\u202e' };
    expect((await salon.api.post('/clients', body)).json).toMatchObject(body);
  });

  test('a member named __proto__ is refused by its place, not left out', async () => {
    const send = (raw: string, method = 'POST', path = '/clients') =>
      salon.api.ask(method, path, { raw, headers: { 'Content-Type': 'application/json' } });
    const nested = await send('{"firstName":"x","customFields":{"__proto__":"a","size":1}}');
    expect(expectProblem(nested, 'invalid_body')).toEqual([
      { pointer: '/customFields/__proto__', code: 'invalid_key', detail: 'No field can have this name.' },
    ]);
    const top = await send('{"firstName":"x","__proto__":{"lastName":"y"}}');
    expect(expectProblem(top, 'invalid_body')).toMatchObject([{ pointer: '/__proto__' }]);
    const escaped = await send('{"firstName":"x","customFields":{"\\u005f_proto__":{}}}');
    expect(expectProblem(escaped, 'invalid_body')).toMatchObject([{ pointer: '/customFields/__proto__' }]);
    const many = await send(
      '{"mode":"partial","items":[{"firstName":"x","customFields":{"__proto__":1}}]}',
      'POST',
      '/clients/bulk',
    );
    expect(many.json).toMatchObject({
      data: [{ problem: { errors: [{ pointer: '/items/0/customFields/__proto__' }] } }],
    });
  });
});

test('a hundred that ask at once whether all is ready look once', async () => {
  const { url } = await world.another();
  const api = new Api(url);
  const [redis, postgres] = [world.upstash.counts(), world.neon.counts()];
  const replies = await Promise.all(Array.from({ length: 100 }, () => api.get('/health/ready')));
  for (const reply of replies) expect(reply.json.status).toBe('ready');
  expect(world.upstash.counts().requests - redis.requests).toBe(1);
  expect(world.neon.counts().requests - postgres.requests).toBe(1);
});
