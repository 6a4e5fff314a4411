import { randomUUID } from 'node:crypto';
import { SCOPES } from '../src/account/permissions.ts';
import { BASE, everyRoute } from '../src/app.ts';
import { addKey } from '../test/support/accounts.ts';
import type { Api } from '../test/support/api.ts';
import { uuidOf } from '../test/support/people.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { Client } from './client.ts';
import { fillCompanies, LARGE, OTHER } from './queries-rows.ts';
import { quantile, round } from './statistics.ts';
import { table } from './table.ts';

/** Of each question in a round. */
const EACH = 4;
/** The last page that pages reach. */
const DEEP = 500;
const LIMITS = { dashboard: 80, analytics: 50, search: 25 };

type Question = { kind: 'list' | 'deep' | 'search' | 'analytics' | 'dashboard'; name: string; path: string };

const dayFrom = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const lists = everyRoute().filter(
  ({ method, path, list }) => method === 'get' && list !== undefined && !path.includes(':'),
);

/** Every list by every sort, its first page and a deep one; searches; every report over a quarter and a year. */
export function questions(): Question[] {
  const paged = lists.flatMap(({ path, list }) =>
    [...(list?.sorts ?? [])].flatMap((sort): Question[] => [
      { kind: 'list', name: `${path} by ${sort}`, path: `${path}?sort=-${sort}` },
      { kind: 'deep', name: `${path} by ${sort}, page ${DEEP}`, path: `${path}?sort=-${sort}&page=${DEEP}` },
    ]),
  );
  const words = ['huber', 'anna mul', 'smiht jonh', 'gmail', '0664'];
  const searches = lists
    .filter(({ list }) => list?.search === true)
    .flatMap(({ path }) =>
      (path === '/clients' ? words : ['branch', 'servce']).map(
        (word): Question => ({
          kind: 'search',
          name: `${path} “${word}”`,
          path: `${path}?search=${encodeURIComponent(word)}`,
        }),
      ),
    );
  const groups: Record<string, string[]> = {
    appointments: ['day', 'staff', 'service', 'status', 'branch'],
    revenue: ['day', 'month', 'staff', 'service', 'branch', 'tax'],
    clients: [''],
  };
  const reports = [90, 365].flatMap((days) =>
    Object.entries(groups).flatMap(([report, by]) =>
      by.map((each): Question => {
        const query = `from=${dayFrom(-days)}&to=${dayFrom(0)}${each === '' ? '' : `&groupBy=${each}`}`;
        return {
          kind: 'analytics',
          name: `${report}${each === '' ? '' : ` by ${each}`}, ${days} days`,
          path: `/analytics/${report}?${query}`,
        };
      }),
    ),
  );
  return [...paged, ...searches, ...reports, { kind: 'dashboard', name: 'dashboard', path: '/analytics/dashboard' }];
}

/** Each question as its caller feels it, computed anew: Postgres, Worker and both bridges. */
export async function queries({ rounds, size, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const worker = await bench.start({ LOG_LEVEL: 'warn' });
  const large = await bench.company(worker, 0);
  const usual = await bench.company(worker, 0);
  const uuids = [large, usual].map(({ companyId }) => uuidOf('comp', companyId));
  const others = Array.from({ length: Math.max(0, size - 2) }, () => randomUUID());
  const began = performance.now();
  await fillCompanies(String(bench.vars.DATABASE_MIGRATION_URL), [...uuids, ...others], progress);
  const filledSeconds = round((performance.now() - began) / 1000, 0);
  const asked = questions();
  const client = new Client(worker.url);
  const times = new Map<string, number[]>();
  // Keys, because tokens end before it is over.
  const keys = { large: (await addKey(large.api, [...SCOPES])).api, usual: (await addKey(usual.api, [...SCOPES])).api };
  const ask = async ({ token }: Api, { path }: Question): Promise<number> => {
    const headers = { Authorization: `Bearer ${token}`, 'Cache-Control': 'no-cache' };
    const { status, text, ms } = await client.ask({ path: `${BASE}${path}`, headers });
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
    return ms;
  };
  // Round 0 warms up.
  for (let number = 0; number <= rounds; number += 1) {
    for (const question of asked) {
      for (const [name, api] of Object.entries(keys)) {
        for (let n = 0; n < EACH; n += 1) {
          const ms = await ask(api, question);
          if (number === 0) break;
          const key = `${name} ${question.name}`;
          times.set(key, [...(times.get(key) ?? []), ms]);
        }
      }
    }
    progress(`round ${number} of ${rounds}`);
  }
  client.close();
  await worker.stop();
  return summary(asked, times, { companies: size, filledSeconds });
}

const at = (times: Map<string, number[]>, key: string, share: number): number =>
  round(quantile(times.get(key) ?? [], share), 1);

function summary(
  asked: readonly Question[],
  times: Map<string, number[]>,
  { companies, filledSeconds }: { companies: number; filledSeconds: number },
): BenchResult {
  const rows: (string | number)[][] = [['ms', 'large p50', 'p95', 'usual p50', 'p95']];
  const figures: Record<string, unknown> = {
    ...{ companies, filledSeconds, limitAnalyticsMs: LIMITS.analytics, limitDashboardMs: LIMITS.dashboard },
    ...{ limitSearchMs: LIMITS.search, visits: LARGE.visits + (companies - 1) * OTHER.visits },
  };
  for (const { name } of asked) {
    const row = ['large', 'usual'].flatMap((company) =>
      [0.5, 0.95].map((share) => at(times, `${company} ${name}`, share)),
    );
    rows.push([name, ...row]);
    figures[name] = { largeP50Ms: row[0], largeP95Ms: row[1], usualP50Ms: row[2], usualP95Ms: row[3] };
  }
  for (const kind of ['list', 'deep', 'search', 'analytics', 'dashboard'] as const) {
    for (const company of ['large', 'usual']) {
      const all = asked
        .filter((question) => question.kind === kind)
        .flatMap(({ name }) => times.get(`${company} ${name}`) ?? []);
      const row = [0.5, 0.95].map((share) => round(quantile(all, share), 1));
      rows.push([`${kind}, ${company}, all`, ...row]);
      figures[`${kind} ${company}`] = { p50Ms: row[0], p95Ms: row[1] };
    }
  }
  return { lines: table(rows), figures };
}
