import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { grantableScopes } from '../../../src/account/permissions.ts';
import { addKey, addMember, type Member, patiently } from '../../support/accounts.ts';
import { type Api, PASSWORD } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { settled, until } from '../../support/until.ts';

const NEXT = 'the next password of mine';

const world = await ownWorld({ LOGIN_LIMIT: '1000' });
const salon = await openCompany(world);

const login = (email: string, password: string) => patiently(() => world.api.post('/auth/login', { email, password }));
const reset = (token: unknown, newPassword = NEXT) =>
  patiently(() => world.api.post('/auth/password/reset', { token, newPassword }));
const forgot = (email: string, api = world.api) => api.post('/auth/password/forgot', { email });
const endLink = (token: string) =>
  world.sql(
    `update one_time_tokens set expires_at = clock_timestamp() where hash = sha256(convert_to($1, 'UTF8'))`,
    [token],
    'cp_owner',
  );

describe('the mailer', () => {
  type Delivery = { headers: IncomingHttpHeaders; body: string };
  const secret = randomBytes(32);
  async function mailer(status: number, headers: Record<string, string> = {}) {
    const got: Delivery[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        got.push({ headers: request.headers, body });
        response.writeHead(status, headers).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail`;
    const worker = await world.another({ MAILER_URL: url, MAILER_SECRET: `whsec_${secret.toString('base64')}` });
    return { got, url, worker, api: world.api.at(worker.url), stop: () => new Promise((done) => server.close(done)) };
  }

  test('gets one signed POST with a token that works; the console gets nothing', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const { got, worker, api, stop } = await mailer(204);
    expect((await forgot('nobody@example.com', api)).status).toBe(202);
    expect((await forgot(member.email, api)).status).toBe(202);
    const { headers, body } = await until('the mail arrives', () => got[0]);
    const id = String(headers['webhook-id']);
    const at = String(headers['webhook-timestamp']);
    const signature = createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(30);
    const { type, data } = JSON.parse(body) as { type: string; data: Record<string, string> };
    expect([type, data.email, data.name]).toEqual(['password.recovery', member.email, 'STAFF']);
    expect(Date.parse(String(data.expiresAt)) - Date.now()).toBeGreaterThan(3_500_000);
    await settled(() => `${got.length} ${worker.logs.length}`);
    expect(got).toHaveLength(1);
    expect(worker.logs.join('\n')).not.toContain(String(data.token));
    expect((await reset(data.token)).status).toBe(200);
    await stop();
  });

  test.each([
    [500, {}],
    [302, { Location: 'http://127.0.0.1:1/elsewhere' }],
  ])('that answers %i: still 202, one attempt, a log line without the token', async (status, headers) => {
    const member = await addMember(world, salon, 'STAFF');
    const { got, worker, api, stop } = await mailer(status, headers as Record<string, string>);
    expect((await forgot(member.email, api)).status).toBe(202);
    await until('the failure is logged', () => worker.logs.some((line) => line.includes('mail_not_sent')));
    expect(got).toHaveLength(1);
    const { data } = JSON.parse(got[0]?.body ?? '{}') as { data: { token: string } };
    expect(worker.logs.join('\n')).not.toContain(data.token);
    expect(worker.logs.join('\n')).not.toContain(member.email);
    await stop();
  });

  test('absent, and a database elsewhere: nothing is printed', async () => {
    const url = new URL(String(world.vars.DATABASE_URL));
    url.hostname = 'localhost';
    const worker = await world.another({ DATABASE_URL: url.href });
    expect((await forgot(salon.email, world.api.at(worker.url))).status).toBe(202);
    await until('the lack is logged', () => worker.logs.some((line) => line.includes('MAILER_URL')));
    expect(worker.logs.join('\n')).not.toMatch(/cpl_|@/);
  });

  test('the database down: still 202', async () => {
    const worker = await world.another();
    world.neon.setFault('refuse');
    try {
      expect((await forgot(salon.email, world.api.at(worker.url))).status).toBe(202);
    } finally {
      world.neon.setFault(null);
    }
  });
});

describe('invitations', () => {
  const invite = async (by: Api, id: string) => {
    const reply = await by.post(`/users/${id}/invite`);
    expect(reply.status, reply.text).toBe(200);
    return reply;
  };
  const newcomer = async (role = 'STAFF'): Promise<{ id: string; email: string }> => {
    const email = `${randomBytes(8).toString('hex')}@example.com`;
    const made = await salon.api.post('/users', { name: 'New', email, role });
    return { id: String(made.json.id), email };
  };

  test('the token of the answer sets the first password, once, for 72 hours', async () => {
    const { id, email } = await newcomer();
    const reply = await invite(salon.api, id);
    expect(Object.keys(reply.json).sort()).toEqual(['expiresAt', 'token']);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const hours = (Date.parse(String(reply.json.expiresAt)) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(71.9);
    expect(hours).toBeLessThan(72.1);
    expect((await reset(reply.json.token)).json).toMatchObject({ id });
    expect((await login(email, NEXT)).status).toBe(200);
    expectProblem(await reset(reply.json.token), 'invalid_link');
    expect(world.worker.logs.join('\n')).not.toContain(String(reply.json.token));
    expect((await salon.api.get('/events?limit=500')).text).not.toContain(String(reply.json.token));
  });

  test('takes no revision; the latest one counts; an Idempotency-Key is ignored', async () => {
    const { id } = await newcomer();
    const ask = { headers: { 'Idempotency-Key': 'i' } };
    const head = (await salon.api.get('/events')).json.head;
    const first = await salon.api.post(`/users/${id}/invite`, undefined, ask);
    const second = await salon.api.post(`/users/${id}/invite`, undefined, ask);
    expect(second.json.token).not.toBe(first.json.token);
    expect(second.revision).toBe(head);
    expectProblem(await reset(first.json.token), 'invalid_link');
    expect((await reset(second.json.token)).status).toBe(200);
  });

  test('over, archived: 410 and 409', async () => {
    const { id } = await newcomer();
    const reply = await invite(salon.api, id);
    await endLink(String(reply.json.token));
    expectProblem(await reset(reply.json.token), 'invalid_link');
    await salon.api.delete(`/users/${id}`);
    expectProblem(await salon.api.post(`/users/${id}/invite`), 'conflict');
  });

  test('nobody takes over who stands above them', async () => {
    const admin: Member = await addMember(world, salon, 'ADMIN');
    expectProblem(await admin.api.post(`/users/${salon.userId}/invite`), 'forbidden');
    await invite(admin.api, (await newcomer('ADMIN')).id);
    const key = await addKey(salon.api, [...grantableScopes('MANAGER'), 'users:write']);
    await invite(key.api, (await newcomer('MANAGER')).id);
    expectProblem(await key.api.post(`/users/${(await newcomer('ADMIN')).id}/invite`), 'forbidden');
    expect((await login(salon.email, PASSWORD)).status).toBe(200);
  });
});
