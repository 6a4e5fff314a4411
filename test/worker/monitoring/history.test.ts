import { expect, test } from 'vitest';
import { addKey } from '../../support/accounts.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

const TOKEN = 'a token of this test, and of no deployment';
const world = await ownWorld({ EDGE_CACHE: 'off', METRICS_TOKEN: TOKEN });
const salon = await openCompany(world);

type Point = { at: string; value: number | null };
const pointsOf = ({ points }: Json): Point[] => points as Point[];

test('a history is of whole steps, with gaps where nothing is known', async () => {
  await salon.api.get('/clients');
  await salon.api.get('/health/performance');
  const to = new Date().toISOString();
  const from = new Date(Date.parse(to) - 3_600_000).toISOString();
  const reply = await salon.api.get(`/health/history?metric=totalRequests&from=${from}&to=${to}&step=5m`);
  expect(reply.status, reply.text).toBe(200);
  const points = pointsOf(reply.json);
  expect(reply.json.stepSeconds).toBe(300);
  points.forEach(({ at }, index) => {
    expect(Date.parse(at)).toBe(Date.parse(String(reply.json.from)) + index * 300_000);
  });
  // This world is younger than an hour.
  expect(points[0]?.value).toBeNull();
  const known = points.reduce((sum, { value }) => sum + (value ?? 0), 0);
  expect(known).toBeGreaterThanOrEqual(2);
  const usual = await salon.api.get('/health/history?metric=cacheHitRate');
  expect(pointsOf(usual.json).length).toBeGreaterThanOrEqual(60);
  expect(usual.json.stepSeconds).toBe(60);
  const year = await salon.api.get(
    `/health/history?metric=errorRate&from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z`,
  );
  expect(year.json.stepSeconds).toBe(86_400 * 1);
});

test('too many points, ends in the wrong order and other figures are refused; others than administrators too', async () => {
  const ask = (query: string) => salon.api.get(`/health/history?${query}`);
  const week = 'from=2026-11-01T00:00:00Z&to=2026-11-08T00:00:00Z';
  for (const query of [
    ...['metric=memory', 'metric=errorRate&step=7m', `metric=errorRate&step=1m&${week}`],
    ...['metric=errorRate&from=2026-11-08T00:00:00Z&to=2026-11-01T00:00:00Z', 'metric=errorRate&from=yesterday', ''],
    'metric=errorRate&from=9999-12-31T00:00:00Z&to=9999-12-31T23:00:00Z',
  ])
    expectProblem(await ask(query), 'invalid_parameter');
  const key = await addKey(salon.api, ['analytics:read']);
  expectProblem(await key.api.get('/health/history?metric=errorRate'), 'forbidden');
});

type Family = { type: string; samples: Map<string, number> };

/** What OpenMetrics 1.0 says of such a text, as far as it is used here. @throws Error naming the line */
function parsed(text: string): Map<string, Family> {
  const lines = text.split('\n');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  const families = new Map<string, Family>();
  let name = '';
  for (const line of lines.slice(0, -2)) {
    const [, kind, of = '', rest = ''] = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (kind === 'TYPE') {
      if (families.has(of)) throw new Error(`twice: ${line}`);
      families.set(of, { type: rest, samples: new Map() });
      name = of;
    } else if (kind !== undefined) {
      if (of !== name || (kind === 'UNIT' && !of.endsWith(`_${rest}`))) throw new Error(`misplaced: ${line}`);
    } else {
      const [, sample = '', labels = '', value] = /^([a-z_]+)(\{[a-z]+="[^"\\]*"\})? (\S+)$/.exec(line) ?? [];
      const suffix = sample.slice(name.length);
      const family = families.get(name);
      const suffixes: Record<string, string[]> = {
        counter: ['_total', '_created'],
        gauge: [''],
        histogram: ['_bucket', '_count', '_sum', '_created'],
      };
      if (
        !sample.startsWith(name) ||
        suffixes[family?.type ?? '']?.includes(suffix) !== true ||
        Number.isNaN(Number(value))
      )
        throw new Error(`no sample of ${name}: ${line}`);
      family?.samples.set(suffix + labels, Number(value));
    }
  }
  return families;
}

const collect = (token: string | null, path = '/metrics'): Promise<Response> =>
  fetch(`${world.worker.url}${path}`, token === null ? {} : { headers: { Authorization: `Bearer ${token}` } });

test('a collector with the token reads OpenMetrics, which only grows', async () => {
  const first = await collect(TOKEN);
  expect(first.status).toBe(200);
  expect(first.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  const before = parsed(await first.text());
  await salon.api.get('/clients?limit=7');
  const after = parsed(await (await collect(TOKEN, '/api/v1/metrics')).text());
  const requests = (of: Map<string, Family>): number =>
    of.get('clientsplus_request_duration_seconds')?.samples.get('_count') ?? 0;
  // The read, and the look before it.
  expect(requests(after) - requests(before)).toBe(2);
  const buckets = [...(after.get('clientsplus_request_duration_seconds')?.samples ?? [])].filter(([name]) =>
    name.startsWith('_bucket'),
  );
  expect(buckets.map(([, value]) => value)).toEqual(buckets.map(([, value]) => value).toSorted((a, b) => a - b));
  expect(buckets.at(-1)).toEqual(['_bucket{le="+Inf"}', requests(after)]);
  expect(after.get('clientsplus_cache_answers')?.samples.get('_total{outcome="miss"}')).toBeGreaterThan(0);
});

test('without the token nothing is told but to who sees all figures; where none was set, to nobody else', async () => {
  for (const token of [null, '', 'another token of the same length as it, 1', TOKEN.slice(1)])
    expect((await collect(token)).status).toBe(401);
  const other = await world.another({ METRICS_TOKEN: '' });
  const asked = (token: string): Promise<Response> =>
    fetch(`${other.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  for (const token of ['', TOKEN]) expect((await asked(token)).status).toBe(401);
  const answer = await asked(salon.api.token ?? '');
  expect(answer.status).toBe(200);
  expect(parsed(await answer.text()).has('clientsplus_request_duration_seconds')).toBe(true);
  const reader = await addKey(salon.api, ['clients:read']);
  expect((await asked(reader.secret)).status).toBe(403);
});

test('who listens is counted while they do', async () => {
  const ticket = (await salon.api.post('/realtime/tickets')).json as { url: string; ticket: string };
  const socket = new WebSocket(ticket.url, ['clientsplus.v1', `ticket.${ticket.ticket}`]);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const connections = async () => {
    const { json } = await salon.api.get('/health/performance');
    return (json.metrics as Record<string, number>).activeConnections;
  };
  await until('it is counted', async () => (await connections()) === 1);
  socket.close(1000);
  await until('it is not any more', async () => (await connections()) === 0);
});
