import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Json, Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import type { RunningWorker } from '../../support/worker.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');

const data = (reply: Reply): Json[] => {
  expect(reply.status, reply.text).toBe(200);
  return reply.json.data as Json[];
};
/** A caller of another role in the same company. */
const as = (tenant: Tenant, role: string): Promise<Tenant['api']> => addUser(world, tenant, role);

describe('audit', () => {
  test('tells who changed what, with both states as the API shows them', async () => {
    const made = await salon.api.post('/clients', { firstName: 'A' });
    const patched = await salon.api.patch(`/clients/${made.json.id}`, { firstName: 'B' });
    await salon.api.delete(`/clients/${made.json.id}`);
    const reply = await salon.api.get(`/audit?entityId=${made.json.id}`);
    const entries = data(reply);
    expect(entries.map(({ action }) => action)).toEqual(['client.created', 'client.updated', 'client.archived']);
    const { duplicates: _, ...created } = made.json;
    expect(entries[0]).toEqual({
      revision: made.revision,
      at: expect.stringMatching(/Z$/),
      actor: { type: 'USER', id: salon.userId },
      requestId: made.headers.get('request-id'),
      entityId: made.json.id,
      action: 'client.created',
      before: null,
      after: created,
    });
    expect(entries[1]).toMatchObject({
      before: created,
      after: patched.json,
      requestId: patched.headers.get('request-id'),
    });
    expect(reply.json).toMatchObject({ head: reply.revision, epoch: expect.any(String) });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('etag')).toBeNull();
  });

  test('walks by position and finds nothing for what is no id', async () => {
    const all = data(await salon.api.get('/audit?limit=500'));
    const walked: Json[] = [];
    for (let after = 0; ; ) {
      const page = data(await salon.api.get(`/audit?after=${after}&limit=2`));
      if (page.length === 0) break;
      walked.push(...page);
      after = Number(page.at(-1)?.revision);
    }
    expect(walked).toEqual(all);
    expect(all.map(({ action }) => action).slice(0, 2)).toEqual(['company.created', 'user.created']);
    for (const id of ['nonsense', 'clnt_zzz', 'clnt_00000000000000000000000000', '%00']) {
      expect(data(await salon.api.get(`/audit?entityId=${id}`))).toEqual([]);
    }
    const refused = await salon.api.get('/audit?entity=x&limit=0');
    expect([refused.status, (refused.json.errors as Json[]).length]).toEqual([400, 2]);
  });

  test("shows SQL as such, and nothing of another company's", async () => {
    const { json } = await other.api.post('/clients', { firstName: 'Theirs' });
    expect(data(await salon.api.get(`/audit?entityId=${json.id}`))).toEqual([]);
    await world.sql(`update clients set notes = 'by hand' where first_name = 'Theirs'`, [], 'cp_owner');
    const entries = data(await other.api.get(`/audit?entityId=${json.id}`));
    expect(entries[1]).toMatchObject({ actor: { type: 'SQL' }, requestId: null, after: { notes: 'by hand' } });
  });

  test('is for owners and administrators', async () => {
    const tenant = await openCompany(world);
    for (const [role, status] of [
      ['READONLY', 403],
      ['STAFF', 403],
      ['MANAGER', 403],
      ['ADMIN', 200],
    ] as const) {
      expect((await (await as(tenant, role)).get('/audit')).status, role).toBe(status);
    }
    expect((await tenant.api.as(null).get('/audit')).status).toBe(401);
  });
});

describe('events', () => {
  test('show each role what it may read; who may not sees gaps', async () => {
    const tenant = await openCompany(world);
    await tenant.api.post('/branches', { name: 'B', timeZone: 'UTC' });
    const staff = await as(tenant, 'STAFF');
    const seen = data(await staff.get('/events'));
    expect(seen.map(({ type, revision }) => [type, revision])).toEqual([
      ['company.created', 1],
      ['branch.created', 3],
    ]);
    expect((await staff.get('/events')).json.head).toBe(4);
    // Revision 2 is a user's: a page of it alone would look like the end.
    expect(data(await staff.get('/events?after=1&limit=1')).map(({ revision }) => revision)).toEqual([3]);
    expect(data(await staff.get('/events?after=3&limit=1'))).toEqual([]);
  });

  test.each(['/events', '/audit'])('%s: another epoch answers 409, past the head is empty', async (path) => {
    const { json } = await salon.api.get(path);
    expect((await salon.api.get(`${path}?epoch=${json.epoch}&after=1`)).status).toBe(200);
    const changed = await salon.api.get(`${path}?epoch=${randomUUID()}&after=1`);
    expect([changed.status, changed.json.code, changed.json.epoch]).toEqual([409, 'epoch_changed', json.epoch]);
    const ahead = await salon.api.get(`${path}?after=999999`);
    expect([ahead.status, ahead.json.data]).toEqual([200, []]);
  });
});

describe('retention', () => {
  const jobs = (worker: RunningWorker): number => worker.logs.filter((line) => line.includes('"retention"')).length;
  /** Runs the job now, whenever it ran last; again where Redis was too slow for it, as on a busy machine. */
  async function forget(): Promise<RunningWorker> {
    for (;;) {
      const worker = await world.another({ ENVIRONMENT: `e_${randomUUID().slice(0, 8)}` });
      await worker.sweep();
      if (jobs(worker) > 0) return worker;
    }
  }
  const aged = (revisions: number, days: number, tenant: Tenant): Promise<unknown> =>
    world.sql(
      `update changes set changed_at = clock_timestamp() - make_interval(days => $2) where revision <= $1
        and company_id = (select company_id from users where email = $3)`,
      [revisions, days, tenant.email],
    );

  test('the log is kept for ninety days; who asks for what came before is told to start anew', async () => {
    const tenant = await openCompany(world);
    const { json } = await tenant.api.post('/clients', { firstName: 'Old' });
    for (const notes of ['1', '2', '3']) await tenant.api.patch(`/clients/${json.id}`, { notes });
    await aged(4, 91, tenant);
    await aged(0, 89, other);
    await forget();
    for (const path of ['/events', '/audit']) {
      const kept = data(await tenant.api.get(path));
      expect(kept.map(({ revision }) => revision)).toEqual([5, 6]);
      const gone = await tenant.api.get(`${path}?after=3`);
      expect([gone.status, gone.json.code, gone.json.oldest, gone.json.head]).toEqual([410, 'window_exceeded', 5, 6]);
      expect(data(await tenant.api.get(`${path}?after=4`))).toHaveLength(2);
    }
    // The company goes on as ever.
    const patched = await tenant.api.patch(`/clients/${json.id}`, { notes: '4' });
    expect([patched.status, patched.revision]).toEqual([200, 7]);
    expect(data(await other.api.get('/events')).length).toBeGreaterThan(0);
  });

  test('nothing younger goes, and no role can ask for less', async () => {
    const tenant = await openCompany(world);
    await aged(2, 89, tenant);
    await forget();
    expect(data(await tenant.api.get('/events'))).toHaveLength(2);
    await expect(world.sql(`select app.trim_changes(interval '1 day', null, 10, 10)`, [], 'cp_jobs')).rejects.toThrow(
      '90 days',
    );
    await expect(world.sql(`select app.trim_changes(interval '91 days', null, 10, 10)`, [], 'cp_app')).rejects.toThrow(
      'permission denied',
    );
    await expect(world.sql('select app.trim_expired(10)', [], 'cp_app')).rejects.toThrow('permission denied');
  });

  test('what has ended is forgotten: keys, sessions with their tokens, one-time links', async () => {
    const tenant = await openCompany(world);
    const key = { 'Idempotency-Key': 'k' };
    const first = await tenant.api.post('/clients', { firstName: 'K' }, { headers: key });
    const [row] = await world.sql<{ company_id: string; id: string }>(
      'select company_id, id from users where email = $1',
      [tenant.email],
    );
    const of = [row?.company_id, row?.id];
    for (const [hash, at] of [
      ['\\x01', `clock_timestamp() - interval '1 minute'`],
      ['\\x02', `clock_timestamp() + interval '1 hour'`],
    ])
      await world.sql(
        `insert into one_time_tokens (company_id, user_id, hash, purpose, expires_at) values ($1, $2, '${hash}', 'RESET', ${at})`,
        of,
      );
    await as(tenant, 'OWNER');
    await world.sql(
      `update idempotency_keys set expires_at = clock_timestamp() - interval '1 minute' where company_id = $1`,
      [of[0]],
    );
    await world.sql(
      `update sessions set expires_at = clock_timestamp() - interval '25 hours' where company_id = $1
        and id = (select id from sessions where company_id = $1 order by created_at limit 1)`,
      [of[0]],
    );
    await forget();
    const left = async (table: string) =>
      (await world.sql<{ n: number }>(`select count(*)::int n from ${table} where company_id = $1`, [of[0]]))[0]?.n;
    expect([
      await left('idempotency_keys'),
      await left('sessions'),
      await left('refresh_tokens'),
      await left('one_time_tokens'),
    ]).toEqual([0, 1, 1, 1]);
    const { json } = await tenant.api.as(null).post('/auth/login', { email: tenant.email, password: tenant.password });
    const again = await tenant.api.as(String(json.accessToken)).post('/clients', { firstName: 'K' }, { headers: key });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(again.json.id).not.toBe(first.json.id);
  });

  test('long logs go in pieces, and the job runs at most once an hour', async () => {
    const tenant = await openCompany(world);
    for (let i = 0; i < 3; i += 1)
      await tenant.api.post('/clients/bulk', { mode: 'atomic', items: Array(480).fill({ firstName: 'x' }) });
    await aged(1442, 100, tenant);
    const worker = await forget();
    expect(data(await tenant.api.get('/events?limit=500'))).toEqual([]);
    await tenant.api.post('/clients', { firstName: 'late' });
    await aged(1443, 100, tenant);
    await worker.sweep();
    expect(data(await tenant.api.get('/events'))).toHaveLength(1);
    expect(jobs(worker)).toBe(1);
  });
});
