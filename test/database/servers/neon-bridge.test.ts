import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { openStage, type Stage } from '../support.ts';

// The stand-in for the hosted SQL over HTTP is as strict as that: what it refuses, the product is tested against.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.sql('create table public.notes (id uuid primary key, text text)');
  await stage.sql('grant all on public.notes to cp_app');
});
afterAll(() => stage.close());
afterEach(() => {
  stage.neon.setMostBytes(null);
  stage.neon.setTripDelay(0);
});

type Query = { query: string; params?: unknown[]; arrayMode?: boolean };
type Answer = { status: number; headers: Headers; json: Record<string, unknown> };

async function ask(body: unknown, headers: Record<string, string> = {}, url: string = ''): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${stage.neon.port}/sql`, {
    method: 'POST',
    headers: {
      'Neon-Connection-String': url === '' ? (stage.vars.DATABASE_URL ?? '') : url,
      'Neon-Raw-Text-Output': 'true',
      'Neon-Array-Mode': 'true',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, json: await response.json() };
}

const batch = (queries: Query[], headers: Record<string, string> = {}): Promise<Answer> => ask({ queries }, headers);
const insert = (id: string): Query => ({ query: 'insert into notes values ($1, $2)', params: [id, 'x'] });
const big = (bytes: number): Query => ({
  query: `select repeat('a', $1::int) from generate_series(1, 10)`,
  params: [String(Math.ceil(bytes / 10))],
});
const stored = async (id: string): Promise<number> =>
  (await stage.sql('select 1 from notes where id = $1', [id])).length;
const changed = (change: (url: URL) => void): string => {
  const url = new URL(stage.vars.DATABASE_URL ?? '');
  change(url);
  return url.href;
};

describe('an answer', () => {
  test('above 10 MiB is 507, and what its batch did is undone', async () => {
    const id = randomUUID();
    const { status, json } = await batch([insert(id), big(11 * 1024 * 1024), big(1024)]);
    expect([status, json.message]).toEqual([507, 'response is too large (max is 10485760 bytes)']);
    expect([json.code, json.severity, json.detail]).toEqual(['', '', null]);
    expect(await stored(id)).toBe(0);
    expect((await batch([insert(id), big(9 * 1024 * 1024)])).status).toBe(200);
    expect(await stored(id)).toBe(1);
  });

  test('is counted over the statements of its batch, and the limit can be lowered', async () => {
    stage.neon.setMostBytes(100_000);
    expect((await batch([big(60_000)])).status).toBe(200);
    expect((await batch([big(60_000), big(60_000)])).status).toBe(507);
    stage.neon.forgetLargest();
    await batch([big(60_000)]);
    expect(stage.neon.counts().largestAnswer).toBeGreaterThan(60_000);
    expect(stage.neon.counts().largestAnswer).toBeLessThan(61_000);
  });

  test('has rows as each query asks, else as the request does', async () => {
    const query = (arrayMode?: boolean): Query => ({
      query: 'select 1 as n',
      ...(arrayMode !== undefined && { arrayMode }),
    });
    const { json } = await batch([query(), query(false), query(true)], { 'Neon-Array-Mode': 'yes' });
    const results = json.results as { rows: unknown[]; rowAsArray: boolean }[];
    expect(results.map(({ rows, rowAsArray }) => [rows[0], rowAsArray])).toEqual([
      [{ n: '1' }, false],
      [{ n: '1' }, false],
      [['1'], true],
    ]);
  });

  test('to a batch says how its transaction was opened', async () => {
    const sent = { 'Neon-Batch-Isolation-Level': 'RepeatableRead', 'Neon-Batch-Read-Only': 'true' };
    const { headers } = await batch([{ query: 'select 1' }], sent);
    expect(headers.get('neon-batch-isolation-level')).toBe('RepeatableRead');
    expect(headers.get('neon-batch-read-only')).toBe('true');
    expect(headers.get('neon-batch-deferrable')).toBe(null);
    const single = await ask({ query: 'select 1' }, sent);
    expect(single.headers.get('neon-batch-isolation-level')).toBe(null);
  });
});

test('a request above 10 MiB is 413 and runs nothing', async () => {
  const id = randomUUID();
  const { status, json } = await ask({ queries: [insert(id), { query: `select '${'a'.repeat(10 * 1024 * 1024)}'` }] });
  expect([status, json.message, json.code]).toEqual([413, 'request is too large (max is 10485760 bytes)', '']);
  expect(await stored(id)).toBe(0);
});

test('isolation levels are spelled exactly, and read-only is on or absent', async () => {
  for (const level of ['repeatableread', 'REPEATABLE READ', 'Repeatableread', ''])
    expect(await batch([{ query: 'select 1' }], { 'Neon-Batch-Isolation-Level': level })).toMatchObject({
      status: 400,
      json: { message: 'invalid isolation level', code: '' },
    });
  const shown = (headers: Record<string, string>): Promise<Answer> =>
    batch([{ query: 'set default_transaction_read_only = on' }, { query: 'show transaction_read_only' }], headers);
  const { json } = await shown({ 'Neon-Batch-Read-Only': 'TRUE' });
  expect((json.results as { rows: unknown[] }[])[1]?.rows).toEqual([['off']]);
});

describe('a refusal', () => {
  test('at connect is 500 with its state in the text, of an unknown database 400', async () => {
    const role = `r_${randomUUID().slice(0, 8)}`;
    await stage.sql(`create role ${role} login password 'p' connection limit 0`);
    try {
      const own = changed((url) => {
        url.username = role;
        url.password = 'p';
      });
      const full = await ask({ query: 'select 1' }, {}, own);
      expect([full.status, full.json.code]).toEqual([500, '53300']);
    } finally {
      await stage.sql(`drop role ${role}`);
    }
    const unknown = await ask(
      { query: 'select 1' },
      {},
      changed((url) => {
        url.pathname = '/nowhere';
      }),
    );
    expect([unknown.status, unknown.json.code]).toEqual([400, '3D000']);
  });

  test('of a password is the proxy’s own: 400 without a state', async () => {
    const { status, json } = await ask(
      { query: 'select 1' },
      {},
      changed((url) => {
        url.password = 'wrong';
      }),
    );
    expect([status, json.message, json.code]).toEqual([400, "password authentication failed for user 'cp_app'", '']);
  });

  test('by a lost connection is 400 without a state', async () => {
    const killed = batch([{ query: 'select pg_sleep(20)' }]);
    await until('the query to run', async () => {
      const [row] = await stage.sql<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and query like 'select pg_sleep(20)%' and usename = 'cp_app'`,
      );
      if (row === undefined) return false;
      await stage.sql('select pg_terminate_backend($1)', [row.pid]);
      return true;
    });
    expect(await killed).toMatchObject({ status: 400, json: { code: '57P01', severity: 'FATAL' } });
  });
});

describe('a caller who leaves', () => {
  /** Sends a batch and hangs up once Postgres sleeps in it. */
  async function leave(queries: Query[]): Promise<void> {
    const { port } = stage.neon;
    const call = request({
      host: '127.0.0.1',
      port,
      path: '/sql',
      method: 'POST',
      headers: { 'Neon-Connection-String': stage.vars.DATABASE_URL ?? '' },
    });
    call.on('error', () => undefined);
    call.end(JSON.stringify({ queries }));
    await until('Postgres to sleep', async () => (await sleeping()) > 0);
    call.destroy();
  }
  const sleeping = async (): Promise<number> =>
    (await stage.sql(`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`))
      .length;

  test('has the query cancelled and everything rolled back', async () => {
    const id = randomUUID();
    await leave([insert(id), { query: 'select pg_sleep(60)' }]);
    await until('the query to end', async () => (await sleeping()) === 0);
    await stage.neon.closeIdle(new URL(stage.adminUrl).pathname.slice(1));
    expect(await stored(id)).toBe(0);
  });

  test('takes nothing from the next one', async () => {
    await leave([{ query: 'select pg_sleep(60)' }]);
    const others = await Promise.all(Array.from({ length: 8 }, () => batch([{ query: 'select pg_sleep(0.05)' }])));
    expect(others.map(({ status }) => status)).toEqual(Array(8).fill(200));
  });
});

test('the trips of the hosted proxy can be charged: 2n + 2, inside the transaction', async () => {
  await batch([{ query: 'select 1' }]);
  stage.neon.setTripDelay(20);
  const began = performance.now();
  const { json } = await batch([
    { query: 'select now()' },
    { query: 'select clock_timestamp()' },
    { query: 'select 1' },
  ]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(8 * 20 - 10);
  const [first, second] = json.results as { rows: string[][] }[];
  const inside = Date.parse(second?.rows[0]?.[0] ?? '') - Date.parse(first?.rows[0]?.[0] ?? '');
  expect(inside).toBeGreaterThanOrEqual(4 * 20 - 10);
});
