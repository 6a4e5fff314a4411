import { readSigningKeys } from './core/signing-keys.ts';

const LOCATIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
type Location = (typeof LOCATIONS)[number];

type Bindings = Readonly<Record<string, unknown>>;

/** Checked settings. Times in milliseconds unless the name says otherwise. */
export type Settings = {
  environment: string;
  databaseUrl: string;
  databaseAuthUrl: string;
  databaseJobsUrl: string;
  databaseReplicaUrl: string | null;
  redisUrl: string;
  redisToken: string;
  redisDeadline: number;
  jwtPrivateKey: string;
  jwtPublicKeys: string;
  cursorSecret: string;
  /** Where recovery mails are handed to, and the key that signs them (Standard Webhooks). */
  mailer: { url: string; secret: Uint8Array } | null;
  signup: 'open' | 'closed';
  rateLimitPerMinute: number;
  loginLimit: number;
  signupLimit: number;
  cacheMaxStaleness: number;
  /** Where Durable Objects are first put: near the database, which they talk to. Null: near whoever calls first. */
  locationHint: Location | null;
  /** Where sockets are opened; null: at the API's own address. */
  roomsUrl: string | null;
  edgeCache: boolean;
  databaseConcurrency: number;
  databaseAcquireTimeout: number;
  slowQueryThreshold: number;
  databaseMetrics: boolean;
  /** What opens /metrics to a collector; null: no collector has one. */
  metricsToken: string | null;
  corsOrigins: readonly string[];
  logLevel: 'info' | 'warn';
  /**
   * What encrypts the secrets of webhooks, the first, and what may have; how long a receiver may take and when it is tried again
   * first, ms; who tells the addresses of its name; and whether this very machine may be one.
   */
  webhooks: {
    keys: readonly string[];
    timeout: number;
    firstRetry: number;
    /** Active ones of a company. */
    most: number;
    resolver: string | null;
    loopback: boolean;
  };
  /** What a company's room allows; times in ms. */
  rooms: { connections: number; messagesPerMinute: number; idleMs: number; batchMs: number };
};

type Reader = { text: string; faults: string[] };

const checked = new WeakMap<object, Settings>();

/**
 * Reads and checks the settings once per isolate.
 * @throws Error one line per mistake, naming the setting and never its value
 */
export function loadSettings(env: Bindings): Settings {
  const known = checked.get(env);
  if (known !== undefined) return known;
  const faults: string[] = [];
  const settings = readSettings(env, faults);
  if (faults.length > 0) throw new Error(`Settings:\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
  checked.set(env, settings);
  return settings;
}

function readSettings(env: Bindings, faults: string[]): Settings {
  const at = (name: string): Reader => ({
    text: typeof env[name] === 'string' ? (env[name] as string).trim() : '',
    faults,
  });
  const required = (name: string): string => {
    const { text } = at(name);
    if (text === '') faults.push(`${name} is missing`);
    return text;
  };
  const url = (name: string, protocols: readonly string[]): string => {
    const text = required(name);
    if (text !== '' && !(URL.canParse(text) && protocols.includes(new URL(text).protocol))) {
      faults.push(`${name} must be a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    }
    return text;
  };
  const number = (name: string, fallback: number, low: number, high: number): number => {
    const { text } = at(name);
    if (text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    faults.push(`${name} must be a whole number from ${low} to ${high}`);
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, values: readonly T[]): T => {
    const { text } = at(name);
    if (text === '') return fallback;
    const value = values.find((v) => v === text);
    if (value === undefined) faults.push(`${name} must be ${values.join(' or ')}`);
    return value ?? fallback;
  };
  const random = (name: string): string => {
    const text = required(name);
    if (text !== '' && !isRandom(text)) faults.push(`${name} must be at least 32 random bytes in base64url`);
    return text;
  };
  /** What goes over it opens accounts: in the clear to this very machine only. */
  const web = (name: string): string => {
    const text = url(name, ['https:', 'http:']);
    const plain = URL.canParse(text) && new URL(text).protocol === 'http:';
    if (plain && !isThisMachine(text)) faults.push(`${name} must start with https://`);
    return text;
  };
  const database = (name: string): string => {
    const text = url(name, ['postgres:', 'postgresql:']);
    if (!URL.canParse(text) || isThisMachine(text)) return text;
    const mode = new URL(text).searchParams.get('sslmode') ?? 'require';
    if (!['require', 'verify-ca', 'verify-full'].includes(mode)) faults.push(`${name} must not turn TLS off (sslmode)`);
    return text;
  };
  const mailer = (): Settings['mailer'] => {
    if (at('MAILER_URL').text === '') return null;
    const address = web('MAILER_URL');
    const secret = Buffer.from(required('MAILER_SECRET').replace(/^whsec_/, ''), 'base64');
    if (at('MAILER_SECRET').text !== '' && secret.length < 24)
      faults.push('MAILER_SECRET must be whsec_ and at least 24 bytes in base64');
    return { url: address, secret };
  };
  const webhookKeys = (): string[] => {
    const keys = (at('WEBHOOK_KEYS').text || at('CURSOR_SECRET').text).split(',').map((key) => key.trim());
    if (at('WEBHOOK_KEYS').text !== '' && !keys.every(isRandom))
      faults.push('WEBHOOK_KEYS must each be at least 32 random bytes in base64url, separated by commas');
    return keys;
  };
  const metricsToken = (): string | null => {
    const { text } = at('METRICS_TOKEN');
    if (text !== '' && text.length < 32) faults.push('METRICS_TOKEN must have at least 32 characters');
    return text === '' ? null : text;
  };
  /** A pair that does not match would sign tokens that nobody accepts, which nobody hears of before somebody signs in. */
  const signingKeys = (): Pick<Settings, 'jwtPrivateKey' | 'jwtPublicKeys'> => {
    const keys = { jwtPrivateKey: required('JWT_PRIVATE_KEY'), jwtPublicKeys: required('JWT_PUBLIC_KEYS') };
    if (keys.jwtPrivateKey === '' || keys.jwtPublicKeys === '') return keys;
    try {
      readSigningKeys(keys.jwtPrivateKey, keys.jwtPublicKeys);
    } catch (error) {
      faults.push((error as Error).message);
    }
    return keys;
  };
  const replica = at('DATABASE_REPLICA_URL').text;
  return {
    environment: at('ENVIRONMENT').text || 'main',
    databaseUrl: database('DATABASE_URL'),
    databaseAuthUrl: database('DATABASE_AUTH_URL'),
    databaseJobsUrl: database('DATABASE_JOBS_URL'),
    databaseReplicaUrl: replica === '' ? null : database('DATABASE_REPLICA_URL'),
    redisUrl: web('UPSTASH_REDIS_REST_URL'),
    redisToken: required('UPSTASH_REDIS_REST_TOKEN'),
    redisDeadline: number('REDIS_DEADLINE_MS', 250, 10, 60_000),
    ...signingKeys(),
    cursorSecret: random('CURSOR_SECRET'),
    mailer: mailer(),
    signup: choice('SIGNUP', 'open', ['open', 'closed']),
    rateLimitPerMinute: number('RATE_LIMIT_PER_MINUTE', 1000, 1, 1_000_000_000),
    loginLimit: number('LOGIN_LIMIT', 10, 1, 1_000_000),
    signupLimit: number('SIGNUP_LIMIT', 20, 1, 1_000_000),
    cacheMaxStaleness: number('CACHE_MAX_STALENESS_MS', 2000, 0, 60_000),
    locationHint: at('ROOM_LOCATION_HINT').text === '' ? null : choice('ROOM_LOCATION_HINT', 'weur', LOCATIONS),
    roomsUrl: at('ROOMS_URL').text === '' ? null : web('ROOMS_URL').replace(/\/$/, ''),
    edgeCache: choice('EDGE_CACHE', 'on', ['on', 'off']) === 'on',
    databaseConcurrency: number('DB_CONNECTION_LIMIT', 20, 1, 1000),
    databaseAcquireTimeout: number('DB_ACQUIRE_TIMEOUT', 10_000, 1, 60_000),
    slowQueryThreshold: number('DB_SLOW_QUERY_THRESHOLD', 1000, 0, 60_000),
    databaseMetrics: choice('ENABLE_DB_METRICS', 'true', ['true', 'false']) === 'true',
    metricsToken: metricsToken(),
    corsOrigins: (at('CORS_ORIGINS').text || '*').split(',').map((origin) => origin.trim()),
    logLevel: choice('LOG_LEVEL', 'info', ['info', 'warn']),
    webhooks: {
      keys: webhookKeys(),
      timeout: number('WEBHOOK_TIMEOUT_MS', 10_000, 100, 30_000),
      firstRetry: number('WEBHOOK_FIRST_RETRY_MS', 5000, 1, 60_000),
      most: number('WEBHOOKS_PER_COMPANY', 100, 1, 10_000),
      resolver: at('DNS_OVER_HTTPS_URL').text === '' ? null : web('DNS_OVER_HTTPS_URL'),
      loopback: isThisMachine(at('DATABASE_URL').text),
    },
    rooms: {
      connections: number('ROOM_MAX_CONNECTIONS', 100, 1, 10_000),
      messagesPerMinute: number('ROOM_MESSAGES_PER_MINUTE', 50, 1, 100_000),
      idleMs: number('ROOM_IDLE_TIMEOUT_MS', 300_000, 1000, 86_400_000),
      batchMs: number('ROOM_BATCH_MS', 100, 10, 10_000),
    },
  };
}

/** Whether this could be 32 bytes or more of a random generator: long enough, and not one character over and over. */
function isRandom(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  // Of 32 random bytes fewer than 16 different ones are as good as impossible.
  return /^[\w+/-]{43,}={0,2}$/.test(text) && bytes.length >= 32 && new Set(bytes).size >= 16;
}

function isThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
