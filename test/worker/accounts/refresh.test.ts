import { describe, expect, test } from 'vitest';
import { addMember, signInOwner } from '../../support/accounts.ts';
import { PASSWORD, type Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

const refresh = (refreshToken: unknown): Promise<Reply> => world.api.post('/auth/refresh', { refreshToken });
const tokenOf = (reply: Reply): string => String(reply.json.refreshToken);
const fresh = () => signInOwner(world, salon);
/** Lets time pass for the families of one user, in the database. */
const age = (seconds: number) =>
  world.sql(`update refresh_tokens set used_at = used_at - make_interval(secs => $1)`, [seconds], 'cp_owner');

describe('happy', () => {
  test('a refresh answers what a log-in does, with a new pair that works', async () => {
    const session = await fresh();
    const login = await world.api.post('/auth/login', { email: salon.email, password: PASSWORD });
    const reply = await refresh(session.refreshToken);
    expect(reply.status, reply.text).toBe(200);
    expect(Object.keys(reply.json).sort()).toEqual(Object.keys(login.json).sort());
    expect(reply.json).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 600,
      user: { id: salon.userId },
      company: { id: salon.companyId },
    });
    expect(tokenOf(reply)).not.toBe(session.refreshToken);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.revision).toBeGreaterThan(0);
    expect((await world.api.as(String(reply.json.accessToken)).get('/company')).status).toBe(200);
    // The pair before stays valid as long as it lives: it is the same session.
    expect((await session.api.get('/company')).status).toBe(200);
    expect((await refresh(tokenOf(reply))).status).toBe(200);
  });

  test('a refresh names the present role', async () => {
    const member = await addMember(world, salon, 'ADMIN');
    await world.sql(`update users set role = 'STAFF' where id = $1`, [member.uuid], 'cp_owner');
    const reply = await refresh(member.refreshToken);
    expect(reply.json.user).toMatchObject({ role: 'STAFF' });
    expect((await world.api.as(String(reply.json.accessToken)).get('/users')).status).toBe(403);
  });
});

describe('reuse', () => {
  test('the previous token within ten seconds is refused, and the family lives', async () => {
    const session = await fresh();
    const next = await refresh(session.refreshToken);
    expectProblem(await refresh(session.refreshToken), 'invalid_refresh_token');
    // A machine that is busy takes seconds of the ten.
    await age(4);
    expectProblem(await refresh(session.refreshToken), 'invalid_refresh_token');
    expect((await refresh(tokenOf(next))).status).toBe(200);
  });

  test('the previous token after ten seconds ends the family: its writes and, asked afresh, its reads', async () => {
    const session = await fresh();
    const next = await refresh(session.refreshToken);
    await age(11);
    expectProblem(await refresh(session.refreshToken), 'invalid_refresh_token');
    expectProblem(await refresh(tokenOf(next)), 'invalid_refresh_token');
    const thief = world.api.as(String(next.json.accessToken));
    expectProblem(await thief.post('/clients', { firstName: 'x' }), 'session_revoked');
    expectProblem(await thief.get('/clients'), 'session_revoked');
    expectProblem(await session.api.get('/clients'), 'session_revoked');
  });

  test('an older token ends the family even within ten seconds', async () => {
    const session = await fresh();
    const second = await refresh(session.refreshToken);
    const third = await refresh(tokenOf(second));
    expectProblem(await refresh(session.refreshToken), 'invalid_refresh_token');
    expectProblem(await refresh(tokenOf(third)), 'invalid_refresh_token');
    expectProblem(
      await world.api.as(String(third.json.accessToken)).post('/clients', { firstName: 'x' }),
      'session_revoked',
    );
  });

  test('reuse ends one session and no other of the user', async () => {
    const [stolen, other] = [await fresh(), await fresh()];
    await refresh(tokenOf(await refresh(stolen.refreshToken)));
    await refresh(stolen.refreshToken);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  test('ten refreshes at once with one token: one wins, the family lives', async () => {
    for (let round = 0; round < 3; round += 1) {
      const session = await fresh();
      const replies = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refreshToken)));
      const won = replies.filter((reply) => reply.status === 200);
      expect(won.length).toBe(1);
      for (const reply of replies) if (reply !== won[0]) expectProblem(reply, 'invalid_refresh_token');
      expect((await refresh(tokenOf(won[0] as Reply))).status).toBe(200);
    }
  });

  test('a thief and an owner who race with an old token: the family ends whoever is first', async () => {
    const session = await fresh();
    const second = await refresh(session.refreshToken);
    const third = await refresh(tokenOf(second));
    await Promise.all([refresh(session.refreshToken), refresh(tokenOf(third)), refresh(session.refreshToken)]);
    const rows = await world.sql<{ alive: number }>(
      `select count(*)::int alive from sessions s join refresh_tokens r on r.session_id = s.id
       where r.hash = sha256(convert_to($1, 'UTF8')) and s.revoked_at is null`,
      [session.refreshToken],
    );
    expect(rows).toEqual([{ alive: 0 }]);
  });
});

describe('refused', () => {
  test.each([
    ['unknown', `cpr_${'A'.repeat(43)}`],
    ['malformed', 'x'],
    ['empty', ''],
    ['of another kind', `cpl_${'A'.repeat(43)}`],
  ])('%s → 401', async (_name, token) => {
    expectProblem(await refresh(token), 'invalid_refresh_token');
  });

  test('an access token is no refresh token, nor the other way round', async () => {
    const session = await fresh();
    expectProblem(await refresh(session.api.token), 'invalid_refresh_token');
    expectProblem(await world.api.as(session.refreshToken).get('/company'), 'unauthenticated');
  });

  test('an expired session → 401', async () => {
    const session = await fresh();
    await world.sql(
      `update sessions set expires_at = clock_timestamp() - interval '1 second' where id in
        (select session_id from refresh_tokens where hash = sha256(convert_to($1, 'UTF8')))`,
      [session.refreshToken],
      'cp_owner',
    );
    expectProblem(await refresh(session.refreshToken), 'invalid_refresh_token');
  });

  test('an archived user → 401, and restored they sign in anew', async () => {
    const member = await addMember(world, salon, 'STAFF');
    await salon.api.delete(`/users/${member.id}`);
    expectProblem(await refresh(member.refreshToken), 'invalid_refresh_token');
    await salon.api.post(`/users/${member.id}/restore`);
    expectProblem(await refresh(member.refreshToken), 'invalid_refresh_token');
  });

  test('faults of the body', async () => {
    expectProblem(await world.api.post('/auth/refresh', {}), 'invalid_body');
    expectProblem(await world.api.post('/auth/refresh', { refreshToken: 1 }), 'invalid_body');
    expectProblem(await world.api.post('/auth/refresh'), 'empty_body');
  });

  test('only hashes are stored', async () => {
    const session = await fresh();
    const rows = await world.sql<{ found: number }>(
      `select count(*)::int found from refresh_tokens where hash = convert_to($1, 'UTF8') or encode(hash, 'escape') like '%cpr_%'`,
      [session.refreshToken],
    );
    expect(rows).toEqual([{ found: 0 }]);
    expect(world.worker.logs.join('\n')).not.toContain(session.refreshToken);
  });

  test('unknown tokens are counted by address; known ones are not', async () => {
    const strict = await world.another({ LOGIN_LIMIT: '1' });
    const from = (address: string, token: string) =>
      world.api
        .at(strict.url)
        .post('/auth/refresh', { refreshToken: token }, { headers: { 'CF-Connecting-IP': address } });
    const session = await fresh();
    for (let i = 0; i < 10; i += 1) expectProblem(await from('192.0.2.1', 'x'), 'invalid_refresh_token');
    const refused = await from('192.0.2.1', 'x');
    expectProblem(refused, 'rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('192.0.2.2', session.refreshToken)).status).toBe(200);
    for (let i = 0; i < 12; i += 1)
      expectProblem(await from('192.0.2.2', session.refreshToken), 'invalid_refresh_token');
  });
});
