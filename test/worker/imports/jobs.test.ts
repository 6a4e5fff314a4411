import { beforeEach, describe, expect, test } from 'vitest';
import type { Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { ended, imported, type Job, send } from '../../support/imports.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// How many rows a job takes, what they cost, and its end before they are done.

let salon: Tenant;
const world = await sharedWorld();
beforeEach(async () => {
  salon = await openCompany(world);
});

describe('a limit of rows', () => {
  test('100,001 are refused before anything is kept', async () => {
    const reply = await send(salon.api, `externalId\n${'x\n'.repeat(100_001)}`);
    expectProblem(reply, 'payload_too_large');
    expect(reply.json.detail).toContain('100000 rows');
    expect((await salon.api.get('/imports')).json.data).toEqual([]);
  });

  test('each thousand costs a unit more', async () => {
    const left = (reply: Reply): number => Number(/r=(\d+)/.exec(reply.headers.get('ratelimit') ?? '')?.[1]);
    const before = left(await salon.api.get('/company'));
    const reply = await send(salon.api, `externalId\n${',\n'.repeat(2500)}`, { query: '&dryRun=true' });
    expect(before - left(reply)).toBe(5 + 2);
  });
});

describe('a job that is cancelled', () => {
  test('ends; what was taken stays, the rest is not taken', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `c${i}`).join('\n');
    const { json } = await send(salon.api, `externalId\n${rows}`);
    const cancelled = await salon.api.post(`/imports/${json.id}/cancel`);
    expect(cancelled.status, cancelled.text).toBe(200);
    const job = cancelled.json as Job;
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'cancelled' } });
    const stored = (await world.sql('select count(*)::int as n from clients where company_id = $1', [
      uuidOf('comp', salon.companyId),
    ])) as { n: number }[];
    expect(stored[0]?.n).toBe(job.created);
    expect(job.created).toBeLessThan(5000);
    expect(await ended(salon.api, json.id)).toEqual(job);
    // Once more: as it is.
    expect((await salon.api.post(`/imports/${json.id}/cancel`)).json).toEqual(job);
  });

  test('had ended: as it is; nobody’s or another company’s: none', async () => {
    const job = await imported(salon.api, 'externalId\nx\n');
    expect((await salon.api.post(`/imports/${job.id}/cancel`)).json).toEqual(job);
    const other = await openCompany(world);
    for (const id of [job.id, 'imp_x', 'imp_01h455vb4pex5vsknk084sn02q'])
      expectProblem(await other.api.post(`/imports/${id}/cancel`), 'not_found');
  });
});
