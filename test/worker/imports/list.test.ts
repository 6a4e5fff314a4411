import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { addUser } from '../../support/accounts.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { imported } from '../../support/imports.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

/** The jobs of the salon, the newest first. */
const ids: string[] = [];
const world = await sharedWorld();
const salon = await openCompany(world);
for (const [file, dryRun] of [
  ['externalId\na', false],
  ['externalId\nb\n,no id', true],
  ['externalId\n', false],
  ['externalId\nc', false],
] as const)
  ids.unshift((await imported(salon.api, file, { dryRun })).id);
await world.sql(`update imports set status = 'FAILED' where id = $1`, [uuidOf('imp', String(ids[0]))], 'cp_owner');

const shown = (reply: Reply): string[] => {
  expect(reply.status, reply.text).toBe(200);
  return (reply.json.data as Json[]).map(({ id }) => String(id));
};

test('shows each job as its own route does, but for the report, the newest first', async () => {
  const list = await salon.api.get('/imports');
  expect(shown(list)).toEqual(ids);
  expect(list.json.pagination).toEqual({
    page: 1,
    limit: 20,
    total: 4,
    totalPages: 1,
    hasNextPage: false,
    nextCursor: null,
  });
  for (const job of list.json.data as Json[]) {
    const { rows, ...rest } = (await salon.api.get(`/imports/${job.id}`)).json;
    expect(job).toEqual(rest);
    expect(rows).toHaveLength(Number(job.failed));
  }
});

test('filters, sorts and narrows as other lists do', async () => {
  const [failed, empty, dry, first] = ids;
  expect(shown(await salon.api.get('/imports?status=FAILED'))).toEqual([failed]);
  expect(shown(await salon.api.get('/imports?status=COMPLETED,RUNNING'))).toEqual([empty, dry, first]);
  expect(shown(await salon.api.get('/imports?dryRun=true'))).toEqual([dry]);
  expect(shown(await salon.api.get('/imports?resource=clients&limit=1'))).toEqual([failed]);
  expect(shown(await salon.api.get('/imports?resource=staff'))).toEqual([]);
  expect(shown(await salon.api.get('/imports?sort=finishedAt'))).toEqual([...ids].reverse());
  const { createdAt } = (await salon.api.get(`/imports/${dry}`)).json;
  expect(shown(await salon.api.get(`/imports?createdAfter=${createdAt}`))).toEqual([failed, empty]);
  expect(shown(await salon.api.get(`/imports?createdBefore=${createdAt}`))).toEqual([first]);
  const [narrow] = (await salon.api.get('/imports?fields=status,total')).json.data as Json[];
  expect(Object.keys(narrow ?? {}).sort()).toEqual(['id', 'status', 'total']);
  expect((await salon.api.get(`/imports/${dry}?fields=failed`)).json).toEqual({ id: dry, failed: 1 });
});

test('walks by cursor, bound to its query', async () => {
  const first = await salon.api.get('/imports?limit=3&count=none');
  const { nextCursor } = first.json.pagination as { nextCursor: string };
  const second = await salon.api.get(`/imports?limit=3&cursor=${nextCursor}`);
  expect([...shown(first), ...shown(second)]).toEqual(ids);
  expect(second.json.pagination).toMatchObject({ hasNextPage: false, nextCursor: null });
  expectProblem(await salon.api.get(`/imports?cursor=${nextCursor}&status=FAILED`), 'cursor_mismatch');
  expectProblem(await salon.api.get(`/clients?cursor=${nextCursor}`), 'invalid_cursor');
  const other = await openCompany(world);
  expectProblem(await other.api.get(`/imports?cursor=${nextCursor}`), 'invalid_cursor');
});

test('refuses what it does not know, names all faults, and asks for the permission', async () => {
  const faults = expectProblem(await salon.api.get('/imports?status=GONE&dryRun=1&limit=0'), 'invalid_parameter');
  expect(faults.map(({ parameter }) => parameter).sort()).toEqual(['dryRun', 'limit', 'status']);
  for (const query of ['search=x', 'updatedAfter=2026-01-01T00:00:00Z', 'fields=id&include=rows'])
    expect((await salon.api.get(`/imports?${query}`)).status, query).toBe(400);
  expectProblem(await salon.api.get('/imports?fields=rows'), 'invalid_parameter');
  expectProblem(await (await addUser(world, salon, 'STAFF')).get('/imports'), 'forbidden');
  expectProblem(await salon.api.as(null).get('/imports'), 'unauthenticated');
  expect(shown(await (await addUser(world, salon, 'MANAGER')).get('/imports?limit=1'))).toEqual([ids[0]]);
  expectProblem(await salon.api.get('/imports', { headers: { 'Min-Revision': '999999' } }), 'revision_ahead', [
    'revision',
  ]);
  const other = await openCompany(world);
  expect(shown(await other.api.get('/imports'))).toEqual([]);
});

test('shows progress, which takes no revision: nobody keeps the list, and a job has an ETag of its own', async () => {
  const read = (path: string, etag = '"none"') => salon.api.get(path, { headers: { 'If-None-Match': etag } });
  const job = `/imports/${ids[0]}`;
  const [list, before] = [await read('/imports?limit=1', '*'), await read(job)];
  expect(list.status).toBe(200);
  expect(['etag', 'x-cache', 'cache-control'].map((name) => list.headers.get(name))).toEqual([null, null, 'no-store']);
  const etag = String(before.headers.get('etag'));
  expect(before.headers.get('x-cache')).toBe('BYPASS');
  expect((await read(job, etag)).status).toBe(304);
  await world.sql('update imports set unchanged = 7 where id = $1', [uuidOf('imp', String(ids[0]))], 'cp_owner');
  const [later, after] = [await read('/imports?limit=1'), await read(job, etag)];
  expect([after.status, after.revision, later.revision]).toEqual([200, before.revision, list.revision]);
  expect([after.json, (later.json.data as Json[])[0]]).toEqual(
    Array(2).fill(expect.objectContaining({ unchanged: 7 })),
  );
});

test('a job and its report are kept for 30 days after it ended; one whose rows are lost ends first', async () => {
  const tenant = await openCompany(world);
  const old: string[] = [];
  for (let n = 0; n < 5; n += 1) old.push((await imported(tenant.api, 'externalId\n,none', { dryRun: true })).id);
  const set = (at: number, change: string): Promise<unknown> =>
    world.sql(`update imports set ${change} where id = $1`, [uuidOf('imp', String(old[at]))], 'cp_owner');
  const ago = (days: number): string => `clock_timestamp() - interval '${days} days'`;
  await set(0, `created_at = ${ago(99)}, finished_at = ${ago(29)}`);
  await set(1, `created_at = ${ago(31)}, finished_at = ${ago(31)}`);
  await set(2, `created_at = ${ago(31)}, finished_at = null, status = 'RUNNING'`);
  await set(3, `created_at = ${ago(29)}, finished_at = null, status = 'QUEUED'`);
  // More than one piece takes.
  await world.sql(
    `insert into imports (company_id, id, resource, dry_run, created_by, finished_at)
      select company_id, gen_random_uuid(), 'clients', true, 'SYSTEM', ${ago(40)} from imports, generate_series(1, 120) where id = $1`,
    [uuidOf('imp', String(old[4]))],
    'cp_owner',
  );
  const before = shown(await tenant.api.get('/imports?limit=100&sort=createdAt'));
  expect(before).toHaveLength(100);
  // Retention runs at most once an hour; a Worker of another environment knows of no run.
  const worker = await world.another({ ENVIRONMENT: `e_${randomUUID().slice(0, 8)}` });
  await until('retention to have run', async () => {
    await worker.sweep();
    return worker.logs.some((line) => line.includes('retention'));
  });
  expect(shown(await tenant.api.get('/imports?limit=100&sort=createdAt'))).toEqual([old[0], old[2], old[3], old[4]]);
  for (const lost of [old[2], old[3]])
    expect((await tenant.api.get(`/imports/${lost}`)).json).toMatchObject({
      status: 'FAILED',
      error: { code: 'internal_error' },
    });
  expectProblem(await tenant.api.get(`/imports/${old[1]}`), 'not_found');
  await expect(world.sql('select app.trim_imports(10)', [], 'cp_app')).rejects.toThrow('permission denied');
});
