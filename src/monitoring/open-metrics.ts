import { timingSafeEqual } from 'node:crypto';
import { at, LONGEST, outcomesOf, within } from '../core/counts.ts';
import { sha256 } from '../core/hash.ts';
import type { Sight } from '../data/monitor.ts';
import { type Authenticator, authenticated } from '../http/authenticate.ts';
import type { AppContext } from '../http/context.ts';
import { send } from '../http/send.ts';
import { admitted } from '../resources/admitted.ts';
import { refuseParameters } from '../resources/read-body.ts';
import { askMonitor } from './ask-monitor.ts';

type Sample = { labels?: Record<string, string>; value: number };
type Family = { name: string; type: 'counter' | 'gauge'; unit?: 'seconds'; help: string; samples: readonly Sample[] };

const seconds = (ms: number): number => ms / 1000;
const one = (value: number): readonly Sample[] => [{ value }];

function familiesOf({ counts, rooms, sockets }: Sight, withDatabase: boolean): Family[] {
  const by = (label: string, names: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(names).map(([name, value]) => ({ labels: { [label]: name }, value }));
  const errors = { client: at(counts, 'clientErrors'), server: at(counts, 'serverErrors') };
  const database: Family[] = [
    ['database_queries', 'Calls of Postgres, each one transaction.', at(counts, 'queries')] as const,
    ['database_query_seconds', 'What was waited for them.', seconds(at(counts, 'queryMs'))] as const,
    ['database_slow_queries', 'Those of at least DB_SLOW_QUERY_THRESHOLD.', at(counts, 'slowQueries')] as const,
  ].map(([name, help, value]) => ({ ...unitOf(name), name, type: 'counter', help, samples: one(value) }));
  return [
    { name: 'request_errors', type: 'counter', help: 'Answers of 4xx and 5xx.', samples: by('fault', errors) },
    {
      ...{ name: 'cache_answers', type: 'counter', help: 'Answers of cached routes.' },
      samples: by('outcome', outcomesOf(counts)),
    },
    ...(withDatabase ? database : []),
    { name: 'redis_trips', type: 'counter', help: 'Round trips to Redis.', samples: one(at(counts, 'redisTrips')) },
    {
      ...{ name: 'redis_trip_seconds', type: 'counter', unit: 'seconds', help: 'What was waited for them.' },
      samples: one(seconds(at(counts, 'redisMs'))),
    },
    { name: 'connections', type: 'gauge', help: 'WebSockets that are open.', samples: one(sockets) },
    { name: 'rooms', type: 'gauge', help: 'Companies with somebody who listens.', samples: one(rooms) },
  ];
}

const unitOf = (name: string) => (name.endsWith('_seconds') ? ({ unit: 'seconds' } as const) : {});

const PREFIX = 'clientsplus_';

function linesOf({ name, type, unit, help, samples }: Family, created: string): string[] {
  const full = PREFIX + name;
  const lines = [`# TYPE ${full} ${type}`];
  if (unit !== undefined) lines.push(`# UNIT ${full} ${unit}`);
  lines.push(`# HELP ${full} ${help}`);
  for (const { labels = {}, value } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    const at = pairs.length === 0 ? '' : `{${pairs.join()}}`;
    lines.push(`${full}${type === 'counter' ? '_total' : ''}${at} ${value}`);
    if (type === 'counter') lines.push(`${full}_created${at} ${created}`);
  }
  return lines;
}

/** Times of requests, by bounds that double. */
function histogram({ counts }: Sight, created: string): string[] {
  const full = `${PREFIX}request_duration_seconds`;
  const lines = [`# TYPE ${full} histogram`, `# UNIT ${full} seconds`, `# HELP ${full} Time to an answer.`];
  for (let ms = 1; ms <= LONGEST; ms *= 2) lines.push(`${full}_bucket{le="${seconds(ms)}"} ${within(counts, ms)}`);
  const count = at(counts, 'requests');
  lines.push(`${full}_bucket{le="+Inf"} ${count}`, `${full}_count ${count}`);
  return [...lines, `${full}_sum ${seconds(at(counts, 'ms'))}`, `${full}_created ${created}`];
}

/** Everything since the monitor began to count, as OpenMetrics 1.0 writes it. */
function openMetrics(sight: Sight, withDatabase: boolean): string {
  const created = String(seconds(sight.from));
  const families = familiesOf(sight, withDatabase).flatMap((family) => linesOf(family, created));
  return [...histogram(sight, created), ...families, '# EOF', ''].join('\n');
}

/** GET /metrics: for a collector with the deployment's token, and as `/health/history` for who has `admin`. */
export function metricsPage(identify: Authenticator): (c: AppContext) => Response | Promise<Response> {
  const known = authenticated(identify, false, async (c) => {
    await admitted(c, { permission: 'admin', weight: 1 }, () => refuseParameters(c));
    return show(c);
  });
  return (c) => {
    c.env.state.route = '/metrics';
    return isCollector(c) ? show(c) : known(c);
  };
}

function isCollector(c: AppContext): boolean {
  const { metricsToken } = c.env.deps.settings;
  const given = /^bearer +(.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  if (metricsToken === null || given === undefined) return false;
  return timingSafeEqual(sha256(given.trim()), sha256(metricsToken));
}

async function show(c: AppContext): Promise<Response> {
  const { deps } = c.env;
  const slots = deps.tally.take();
  const sight = await askMonitor(c, (monitor) => monitor.totals(slots));
  const type = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const headers = { 'Cache-Control': 'no-store', Vary: 'Authorization' };
  return send(c, { status: 200, body: openMetrics(sight, deps.settings.databaseMetrics), type, headers });
}
