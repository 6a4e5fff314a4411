import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  beginRead,
  beginWrite,
  makeCompany,
  openStage,
  outcome,
  pidOf,
  refusal,
  type Stage,
  undone,
  untilBlocked,
  write,
} from '../support.ts';

// Who may still write, asked inside the transaction: an ended session or a lowered role stops writes at once.

let stage: Stage;
let app: pg.Client;
let company: string;
let user: string;
let session: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
  ({ user, session } = await signIn(company));
});

async function signIn(companyId: string): Promise<{ user: string; session: string }> {
  const ids = { user: randomUUID(), session: randomUUID() };
  await stage.sql(
    `insert into users (company_id, id, name, email, role) values ($1, $2::uuid, 'Ann', $2::uuid || '@example.com', 'MANAGER')`,
    [companyId, ids.user],
  );
  await stage.sql(
    `insert into sessions (company_id, id, user_id, expires_at) values ($1, $2, $3, clock_timestamp() + interval '1 hour')`,
    [companyId, ids.session, ids.user],
  );
  return ids;
}

const begun = (credential: unknown): Promise<string> =>
  undone(app, async () => (await refusal(beginWrite(app, company, { credential }))) ?? 'begun');
const roles = ['OWNER', 'MANAGER'];
const ownCredential = () => ({ user, session, roles });

/** An API key and what its row says besides. */
async function makeKey(companyId: string, set = 'revoked_at = null'): Promise<{ key: string }> {
  const key = randomUUID();
  const insert = `insert into api_keys (company_id, id, name, scopes, created_by) values ($1, $2, 'Key', '{}', 'SYSTEM')`;
  await stage.sql(insert, [companyId, key]);
  await stage.sql(`update api_keys set ${set} where id = $1`, [key]);
  return { key };
}

const setSession = (set: string): Promise<unknown> => stage.sql(`update sessions set ${set} where id = $1`, [session]);
const setUser = (set: string): Promise<unknown> => stage.sql(`update users set ${set} where id = $1`, [user]);

/** Archives the user and leaves the session as it is, which a trigger would end: each must be enough. */
async function archive(): Promise<void> {
  await setUser(`status = 'ARCHIVED'`);
  await setSession('revoked_at = null');
}

type Case = {
  name: string;
  before?: () => Promise<unknown>;
  credential?: () => Promise<unknown>;
  answer: string;
};
const cases: Case[] = [
  { name: 'a living session whose role is allowed', answer: 'begun' },
  { name: 'the system itself', credential: async () => ({ system: true }), answer: 'begun' },
  { name: 'a revoked session', before: () => setSession('revoked_at = clock_timestamp()'), answer: 'CP401' },
  { name: 'an expired session', before: () => setSession('expires_at = clock_timestamp()'), answer: 'CP401' },
  {
    name: 'a session that just lives',
    before: () => setSession(`expires_at = clock_timestamp() + interval '9 s'`),
    answer: 'begun',
  },
  { name: 'an archived user', before: archive, answer: 'CP401' },
  { name: 'a role that was lowered', before: () => setUser(`role = 'STAFF'`), answer: 'CP403' },
  { name: 'a role that was raised', before: () => setUser(`role = 'OWNER'`), answer: 'begun' },
  { name: 'no allowed role', credential: async () => ({ user, session, roles: [] }), answer: 'CP403' },
  {
    name: 'a session nobody opened',
    credential: async () => ({ user, session: randomUUID(), roles }),
    answer: 'CP401',
  },
  {
    name: 'the session of a colleague',
    credential: async () => ({ user, session: (await signIn(company)).session, roles }),
    answer: 'CP401',
  },
  {
    name: 'a session of another company',
    credential: async () => ({ ...(await signIn(await makeCompany(stage))), roles }),
    answer: 'CP401',
  },
  { name: 'a session without its user', credential: async () => ({ session, roles }), answer: 'CP401' },
  { name: 'a session that is null', credential: async () => ({ user, session: null, roles }), answer: 'CP401' },
  { name: 'a living key', credential: () => makeKey(company), answer: 'begun' },
  {
    name: 'a key that just lives',
    credential: () => makeKey(company, `expires_at = clock_timestamp() + interval '9 s'`),
    answer: 'begun',
  },
  {
    name: 'a revoked key',
    credential: () => makeKey(company, 'revoked_at = clock_timestamp()'),
    answer: 'CP401',
  },
  {
    name: 'an expired key',
    credential: () => makeKey(company, 'expires_at = clock_timestamp()'),
    answer: 'CP401',
  },
  { name: 'a key of another company', credential: async () => makeKey(await makeCompany(stage)), answer: 'CP401' },
  { name: 'a key nobody made', credential: async () => ({ key: randomUUID() }), answer: 'CP401' },
  { name: 'a key that is null', credential: async () => ({ key: null }), answer: 'CP401' },
  { name: 'a kind nobody knows', credential: async () => ({ ticket: randomUUID(), roles }), answer: 'CP401' },
  { name: 'an empty credential', credential: async () => ({}), answer: 'CP401' },
  { name: 'no credential at all', credential: async () => null, answer: 'CP401' },
  { name: 'a credential that is no object', credential: async () => 'sessions', answer: 'CP401' },
];

test.each(cases)('$name: $answer', async ({ before, credential = async () => ownCredential(), answer }) => {
  await before?.();
  expect(await begun(await credential())).toBe(answer);
});

test('a session without allowed roles is refused', async () => {
  expect(await begun({ user, session })).toBe('CP403');
});

describe('a write that waited for the head asks again', () => {
  const whileWaiting = async (change: string): Promise<string | undefined> => {
    const first = await stage.login();
    const pid = await pidOf(app);
    let waiting: Promise<string> | undefined;
    await write(first, company, async () => {
      waiting = begun(ownCredential());
      await untilBlocked(stage, pid);
      if (change === 'role') await first.query(`update users set role = 'STAFF' where id = $1`, [user]);
      else await setSession('revoked_at = clock_timestamp()');
    });
    return waiting;
  };
  test('and finds the role lowered', async () => expect(await whileWaiting('role')).toBe('CP403'));
  test('and finds the session revoked', async () => expect(await whileWaiting('session')).toBe('CP401'));
});

describe('session_role, for readers', () => {
  const roleSeen = (of: { user: string; session: string } = { user, session }): Promise<unknown> =>
    undone(app, async () => {
      await beginRead(app, company);
      const { rows } = await app.query('select app.session_role($1, $2) as role', [of.session, of.user]);
      return rows[0]?.role;
    });

  test('is the present role of a living session', async () => {
    expect(await roleSeen()).toBe('MANAGER');
    await setUser(`role = 'READONLY'`);
    expect(await roleSeen()).toBe('READONLY');
  });

  test.each([
    ['a revoked session', () => setSession('revoked_at = clock_timestamp()')],
    ['an expired session', () => setSession('expires_at = clock_timestamp()')],
    ['an archived user', archive],
  ])('is null for %s', async (_, change) => {
    await change();
    expect(await roleSeen()).toBeNull();
  });

  test('is null for a colleague’s session and for one of another company', async () => {
    expect(await roleSeen({ user, session: (await signIn(company)).session })).toBeNull();
    expect(await roleSeen(await signIn(await makeCompany(stage)))).toBeNull();
  });

  test('needs a company', async () => {
    const fresh = await stage.login();
    expect(await outcome(fresh.query('select app.session_role($1, $2)', [session, user]))).toBe('42704');
  });
});
