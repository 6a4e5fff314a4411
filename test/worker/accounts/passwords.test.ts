import { describe, expect, test } from 'vitest';
import { addKey, addMember, MEMBER_PASSWORD, patiently, signIn } from '../../support/accounts.ts';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { settled, until } from '../../support/until.ts';

const NEXT = 'the next password of mine';

const world = await sharedWorld();
const salon = await openCompany(world);

const login = (email: string, password: string) => patiently(() => world.api.post('/auth/login', { email, password }));
const change = (api: Api, currentPassword: string, newPassword: string) =>
  patiently(() => api.post('/auth/password', { currentPassword, newPassword }));
const reset = (token: unknown, newPassword = NEXT) =>
  patiently(() => world.api.post('/auth/password/reset', { token, newPassword }));
const forgot = (email: string, api = world.api) => api.post('/auth/password/forgot', { email });
const printed = (logs: string[], email: string) =>
  logs.filter((line) => line.includes(email)).map((line) => /cpl_[\w-]{43}/.exec(line)?.[0] ?? '');
/** Asks for a recovery and waits for the token on the console of development. */
async function recover(email: string, typed: string = email): Promise<string> {
  const before = printed(world.worker.logs, email).length;
  expect((await forgot(typed)).status).toBe(202);
  return until('the token is printed', () => printed(world.worker.logs, email)[before]);
}
const endLink = (token: string) =>
  world.sql(
    `update one_time_tokens set expires_at = clock_timestamp() where hash = sha256(convert_to($1, 'UTF8'))`,
    [token],
    'cp_owner',
  );

describe('change', () => {
  test('the new one works, the old one not; other sessions end, this one goes on', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const elsewhere = await signIn(world.api, member.email, MEMBER_PASSWORD);
    const reply = await change(member.api, MEMBER_PASSWORD, NEXT);
    expect([reply.status, reply.json.id]).toEqual([200, member.id]);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect((await login(member.email, NEXT)).status).toBe(200);
    expectProblem(await login(member.email, MEMBER_PASSWORD), 'invalid_credentials');
    expectProblem(await elsewhere.api.post('/clients', { firstName: 'x' }), 'session_revoked');
    expectProblem(await elsewhere.api.get('/clients'), 'session_revoked');
    expectProblem(
      await world.api.post('/auth/refresh', { refreshToken: elsewhere.refreshToken }),
      'invalid_refresh_token',
    );
    expect((await member.api.post('/clients', { firstName: 'x' })).status).toBe(201);
    expect((await world.api.post('/auth/refresh', { refreshToken: member.refreshToken })).status).toBe(200);
  });

  test('needs the present one, a session and a fit new one', async () => {
    const member = await addMember(world, salon, 'STAFF');
    expectProblem(await change(member.api, 'wrong password', NEXT), 'invalid_credentials');
    expectProblem(await change(member.api, MEMBER_PASSWORD, 'short'), 'invalid_body');
    expectProblem(await change(world.api, MEMBER_PASSWORD, NEXT), 'unauthenticated');
    expectProblem(await change((await addKey(salon.api, ['admin'])).api, MEMBER_PASSWORD, NEXT), 'forbidden');
    await member.api.post('/auth/logout');
    expectProblem(await change(member.api, MEMBER_PASSWORD, NEXT), 'session_revoked');
    expect((await login(member.email, MEMBER_PASSWORD)).status).toBe(200);
  });

  test('guessing is limited by account before anything is hashed', async () => {
    const strict = (await world.another({ LOGIN_LIMIT: '3' })).url;
    const member = await addMember(world, salon, 'STAFF');
    for (let i = 0; i < 3; i += 1)
      expectProblem(await change(member.api.at(strict), `guess number ${i}`, NEXT), 'invalid_credentials');
    const right = { currentPassword: MEMBER_PASSWORD, newPassword: NEXT };
    const refused = await Promise.all(
      Array.from({ length: 10 }, () => member.api.at(strict).post('/auth/password', right)),
    );
    // An isolate hashes for one at a time: had anything been hashed, the others would be `busy`.
    for (const reply of refused) expectProblem(reply, 'rate_limited');
  });
});

describe('recovery', () => {
  test('the printed token sets a password once and ends all sessions', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const token = await recover(member.email, ` ${member.email.toUpperCase()}`);
    const reply = await reset(token);
    expect([reply.status, reply.json.id]).toEqual([200, member.id]);
    expect((await login(member.email, NEXT)).status).toBe(200);
    expectProblem(await member.api.post('/clients', { firstName: 'x' }), 'session_revoked');
    expectProblem(await member.api.get('/clients'), 'session_revoked');
    expectProblem(await reset(token), 'invalid_link');
  });

  test('known, unknown and senseless addresses are answered alike, and only the known one prints', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const replies = [await forgot(member.email), await forgot('nobody@example.com'), await forgot('senseless')];
    expect(new Set(replies.map((reply) => JSON.stringify(gist(reply)))).size).toBe(1);
    expect([replies[0]?.status, replies[0]?.text]).toEqual([202, '']);
    await until('the token is printed', () => printed(world.worker.logs, member.email)[0]);
    expect(world.worker.logs.join('\n')).not.toContain('nobody@example.com');
    expectProblem(await world.api.post('/auth/password/forgot', { email: 5 }), 'invalid_body');
    expectProblem(await world.api.post('/auth/password/forgot'), 'empty_body');
  });

  test('the token is in no answer, event or other log line', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const token = await recover(member.email);
    await reset(token);
    await settled(() => String(world.worker.logs.length));
    expect(world.worker.logs.filter((line) => line.includes(token))).toHaveLength(1);
    expect((await salon.api.get('/events?limit=500')).text).not.toContain(token);
  });

  test('over, spent at once by another, superseded by a change of password or address, archived: 410', async () => {
    const over = await addMember(world, salon, 'STAFF');
    const expired = await recover(over.email);
    await endLink(expired);
    expectProblem(await reset(expired), 'invalid_link');

    const changed = await addMember(world, salon, 'STAFF');
    const superseded = await recover(changed.email);
    await change(changed.api, MEMBER_PASSWORD, NEXT);
    expectProblem(await reset(superseded), 'invalid_link');

    const moved = await addMember(world, salon, 'STAFF');
    const misdirected = await recover(moved.email);
    await salon.api.patch(`/users/${moved.id}`, { email: `moved-${moved.email}` });
    expectProblem(await reset(misdirected), 'invalid_link');

    const gone = await addMember(world, salon, 'STAFF');
    const useless = await recover(gone.email);
    await salon.api.delete(`/users/${gone.id}`);
    expectProblem(await reset(useless), 'invalid_link');
    await salon.api.post(`/users/${gone.id}/restore`);
    expectProblem(await reset(useless), 'invalid_link');
  });

  test('unknown and malformed tokens: 410; a short password: 422, and the link still works', async () => {
    for (const token of ['', 'x', `cpl_${'A'.repeat(43)}`, `cpr_${'A'.repeat(43)}`])
      expectProblem(await reset(token), 'invalid_link');
    const member = await addMember(world, salon, 'STAFF');
    const token = await recover(member.email);
    expectProblem(await reset(token, 'short'), 'invalid_body');
    expect((await reset(token)).status).toBe(200);
  });

  test('two who spend one link at once in two places: one wins', async () => {
    const member = await addMember(world, salon, 'STAFF');
    const token = await recover(member.email);
    const elsewhere = world.api.at(String(world.elsewhere[0]));
    const replies = await Promise.all([
      reset(token, 'the first password'),
      patiently(() => elsewhere.post('/auth/password/reset', { token, newPassword: 'the second password' })),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 410]);
  });

  test('limited by account, whether or not it exists, and tokens by address', async () => {
    const strict = world.api.at((await world.another({ LOGIN_LIMIT: '2' })).url);
    for (const email of [salon.email, 'nobody-at-all@example.com']) {
      expect((await forgot(email, strict)).status).toBe(202);
      expect((await forgot(email, strict)).status).toBe(202);
      expectProblem(await forgot(email, strict), 'rate_limited');
    }
    const headers = { 'CF-Connecting-IP': '192.0.2.30' };
    const guess = () => strict.post('/auth/password/reset', { token: 'x', newPassword: NEXT }, { headers });
    for (let i = 0; i < 20; i += 1) expectProblem(await guess(), 'invalid_link');
    expectProblem(await guess(), 'rate_limited');
  });
});
