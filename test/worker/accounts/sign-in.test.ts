import { expect, test } from 'vitest';
import { formatId, newUuid } from '../../../src/core/id.ts';
import { signIn } from '../../support/accounts.ts';
import { Api, type Json, type Reply, signUp } from '../../support/api.ts';
import { newCompany } from '../../support/company.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const world = await sharedWorld();
const salon = await signUp(world.api);
const closed = new Api((await world.another({ SIGNUP: 'closed' })).url);

/** One sign-in; an isolate that is hashing is asked again. */
const attempt = (api: Api, email: string, password: string, headers: Record<string, string> = {}): Promise<Reply> =>
  until('the isolate is free', async () => {
    const reply = await api.as(null).post('/auth/login', { email, password }, { headers });
    return reply.status !== 503 && reply;
  });

const signUpBody = (email: string): unknown => ({
  company: { name: 'Salon', currency: 'EUR', timeZone: 'Europe/Vienna' },
  user: { name: 'Owner', email, password: 'correct horse battery' },
});

test('whoever signed up signs in, whatever the case of the address', async () => {
  const { api } = await signIn(world.api, salon.email.toUpperCase(), salon.password);
  const me = await api.get('/auth/me');
  expect(me.json).toMatchObject({ user: { id: salon.userId, role: 'OWNER' }, company: { id: salon.companyId } });
  expect(me.text).not.toMatch(/password|hash|scrypt/i);
});

test('a wrong password and an unknown account are one answer', async () => {
  const wrong = await attempt(world.api, salon.email, 'wrong horse battery');
  const unknown = await attempt(world.api, 'nobody@example.com', 'wrong horse battery');
  const odd = await attempt(world.api, 'no address at all', salon.password);
  for (const reply of [wrong, unknown, odd]) {
    expectProblem(reply, 'invalid_credentials');
    expect(gist(reply)).toEqual({ ...gist(wrong), text: gist(reply).text });
    expect({ ...reply.json, requestId: '' }).toEqual({ ...wrong.json, requestId: '' });
  }
});

test('ten failures close an account for a while, hashing nothing more; the right password too', async () => {
  const { url } = await world.another({ LOGIN_LIMIT: '3' });
  const api = new Api(url);
  const tenant = await newCompany(world);
  const from = { 'CF-Connecting-IP': '192.0.2.7' };
  for (let i = 0; i < 3; i += 1) {
    expectProblem(await attempt(api, tenant.email, 'wrong horse battery', from), 'invalid_credentials');
  }
  for (const [email, password] of [
    [tenant.email, 'wrong'],
    [tenant.email.toUpperCase(), tenant.password],
  ] as const) {
    const before = world.neon.counts().requests;
    const reply = await attempt(api, email, password, from);
    expectProblem(reply, 'rate_limited');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(reply.headers.get('retry-after'))).toBeLessThanOrEqual(900);
    expect(world.neon.counts().requests).toBe(before);
  }
  const other = await newCompany(world);
  expect((await attempt(api, other.email, other.password, from)).status).toBe(200);
});

test('an address is closed after ten times as many failures', async () => {
  const { url } = await world.another({ LOGIN_LIMIT: '1' });
  const api = new Api(url);
  const from = { 'CF-Connecting-IP': '2001:db8:1:2:3::1' };
  for (let i = 0; i < 10; i += 1) {
    expectProblem(await attempt(api, `nobody-${i}@example.com`, 'wrong', from), 'invalid_credentials');
  }
  const neighbour = { 'CF-Connecting-IP': '2001:db8:1:2:ffff::9' };
  expectProblem(await attempt(api, 'nobody-x@example.com', 'wrong', neighbour), 'rate_limited');
  const stranger = { 'CF-Connecting-IP': '2001:db8:1:3::1' };
  expectProblem(await attempt(api, 'nobody-y@example.com', 'wrong', stranger), 'invalid_credentials');
});

test('sign-up: an address signs up once, whatever its case; nothing of the second try stays', async () => {
  const before = await world.sql('select count(*)::int n from companies');
  const again = await until('the isolate is free', async () => {
    const reply = await world.api.post('/auth/signup', signUpBody(salon.email.toUpperCase()));
    return reply.status !== 503 && reply;
  });
  const [fault] = expectProblem(again, 'email_taken');
  expect(fault?.pointer).toBe('/user/email');
  expect(await world.sql('select count(*)::int n from companies')).toEqual(before);
});

test('sign-up is limited by address', async () => {
  const { url } = await world.another({ SIGNUP_LIMIT: '2' });
  const api = new Api(url);
  const headers = { 'CF-Connecting-IP': '192.0.2.99' };
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const reply = await until('the isolate is free', async () => {
      const each = await api.post('/auth/signup', signUpBody(`${crypto.randomUUID()}@example.com`), { headers });
      return each.status !== 503 && each;
    });
    statuses.push(reply.status);
  }
  expect(statuses).toEqual([201, 201, 429]);
  expect(
    (await api.post('/auth/signup', signUpBody('x@example.com'), { headers: { 'CF-Connecting-IP': '192.0.2.98' } }))
      .status,
  ).toBe(201);
});

test('a closed sign-up is 403, and signing in goes on', async () => {
  expectProblem(await closed.post('/auth/signup', signUpBody('new@example.com')), 'signup_closed');
  expect((await attempt(closed, salon.email, salon.password)).status).toBe(200);
});

test('a closed sign-up is 403 before the body is judged', async () => {
  expectProblem(await closed.post('/auth/signup', { company: 1 }), 'signup_closed');
});

test('the keys that verify our tokens are published, without their private parts', async () => {
  const reply = await world.api.get('/.well-known/jwks.json');
  const { keys } = reply.json as { keys: Record<string, string>[] };
  const kid = JSON.parse(Buffer.from(String(salon.api.token).split('.')[0] ?? '', 'base64url').toString()).kid;
  expect(keys.map((key) => key.kid)).toContain(kid);
  for (const key of keys) expect([key.kty, key.crv, key.d]).toEqual(['EC', 'P-256', undefined]);
});

// A setting that is wrong must not end in an uncaught error of the answer itself.
test('wrong settings are answered as our fault and named in the log, one line each, without their values', async () => {
  const worker = await world.another({ RATE_LIMIT_PER_MINUTE: 'plenty', SIGNUP: 'maybe' });
  const answer = await fetch(`${worker.url}/api/v1/health/live`);
  expect(answer.status).toBe(500);
  await fetch(`${worker.url}/api/v1/health/live`).then((again) => again.arrayBuffer());
  const log = await until('a log', () => worker.logs.length > 0 && worker.logs.join('\n'));
  // Once, not once a request.
  expect(log.split('SIGNUP')).toHaveLength(2);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(log).toContain('RATE_LIMIT_PER_MINUTE');
  expect(log).toContain('SIGNUP');
  expect(log).not.toMatch(/plenty|maybe/);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});

test('log lines name what the API names, and of a path that leads nowhere only words of ours', async () => {
  const absent = formatId('clnt', newUuid());
  const before = world.worker.logs.length;
  const logs = () => world.worker.logs.slice(before);
  const stored = await salon.api.post('/clients', { firstName: 'Jane' });
  await salon.api.get(`/clients/${absent}`);
  await salon.api.get('/clients/by-name/Jane?search=Jane');
  await until('the lines', () => logs().some((line) => line.includes('by-') || line.includes('/*/*')));
  const lines = logs()
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Json);
  const own = { company: salon.companyId, actor: salon.userId };
  expect(lines).toContainEqual(expect.objectContaining({ ...own, status: 201, entity: stored.json.id }));
  expect(lines).toContainEqual(expect.objectContaining({ ...own, route: '/clients/:id', status: 404, entity: absent }));
  expect(lines).toContainEqual(expect.objectContaining({ status: 404, path: '/api/v1/clients/*/*' }));
  expect(JSON.stringify(lines)).not.toMatch(/Jane|[0-9a-f]{8}-[0-9a-f]{4}-7/);
});
