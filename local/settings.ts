import type { Env } from '../src/env.ts';
import { loadSettings } from '../src/settings.ts';
import { errorText, StackError } from './errors.ts';

/** What the stack decides itself: the addresses of its own databases. `--postgres` and `--redis` give it others. */
export const stackOwned = [
  'DATABASE_URL',
  'DATABASE_AUTH_URL',
  'DATABASE_JOBS_URL',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
];

/** Settings of the Worker that `npm run dev` takes from the environment or `.env`; docs/operations.md explains them. */
export const handedThrough = [
  'DATABASE_REPLICA_URL',
  'REDIS_DEADLINE_MS',
  'JWT_PRIVATE_KEY',
  'JWT_PUBLIC_KEYS',
  'CURSOR_SECRET',
  'SIGNUP',
  'RATE_LIMIT_PER_MINUTE',
  'LOGIN_LIMIT',
  'SIGNUP_LIMIT',
  'CACHE_MAX_STALENESS_MS',
  'EDGE_CACHE',
  'ROOM_LOCATION_HINT',
  'ROOM_MAX_CONNECTIONS',
  'ROOM_MESSAGES_PER_MINUTE',
  'ROOM_IDLE_TIMEOUT_MS',
  'ROOM_BATCH_MS',
  'DB_CONNECTION_LIMIT',
  'DB_ACQUIRE_TIMEOUT',
  'DB_SLOW_QUERY_THRESHOLD',
  'ENABLE_DB_METRICS',
  'METRICS_TOKEN',
  'CORS_ORIGINS',
  'MAILER_URL',
  'MAILER_SECRET',
  'WEBHOOK_KEYS',
  'WEBHOOK_TIMEOUT_MS',
  'WEBHOOK_FIRST_RETRY_MS',
  'WEBHOOKS_PER_COMPANY',
  'ROOMS_URL',
  'DNS_OVER_HTTPS_URL',
  'LOG_LEVEL',
  'ENVIRONMENT',
];

/** Those of `handedThrough` that the environment sets. */
export function settingsFrom(environment: NodeJS.ProcessEnv): Record<string, string> {
  const vars: Record<string, string> = {};
  for (const name of handedThrough) {
    const value = environment[name];
    if (value !== undefined && value !== '') vars[name] = value;
  }
  return vars;
}

/** Of a pool of connections, which nothing keeps that asks over HTTP (docs/operations.md). */
const poolOwned = ['DB_MIN_CONNECTIONS', 'DB_IDLE_TIMEOUT'];

/** A line for each reason why settings of the environment are not used. */
export function unusedSettings(environment: NodeJS.ProcessEnv): string[] {
  const reasons: [string[], string][] = [
    [stackOwned, 'npm run dev has its own databases; --postgres URL and --redis URL give it others'],
    [poolOwned, 'Postgres is asked over HTTP: there is no pool to keep'],
  ];
  return reasons.flatMap(([names, reason]) => {
    const set = names.filter((name) => (environment[name] ?? '') !== '');
    return set.length === 0 ? [] : [`not used: ${set.join(', ')} (${reason})`];
  });
}

/** Checks settings as the Worker will. Throws StackError with one line per mistake. */
export function checkSettings(vars: Readonly<Record<string, string>>): void {
  try {
    // The bindings are the platform's; only texts are looked at.
    loadSettings({ ...vars } as unknown as Env);
  } catch (error) {
    throw new StackError(errorText(error));
  }
}
