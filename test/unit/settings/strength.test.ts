import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeSecrets } from '../../../local/secrets.ts';
import type { Env } from '../../../src/env.ts';
import { loadSettings } from '../../../src/settings.ts';

const keys = makeSecrets();
const good = {
  DATABASE_URL: 'postgres://cp_app:x@ep-x.eu-central-1.aws.neon.tech/main',
  DATABASE_AUTH_URL: 'postgres://cp_auth:x@ep-x.eu-central-1.aws.neon.tech/main?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://cp_jobs:x@127.0.0.1:1234/main?sslmode=disable',
  UPSTASH_REDIS_REST_URL: 'https://x.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: 'x',
  JWT_PRIVATE_KEY: keys.jwtPrivateKey,
  JWT_PUBLIC_KEYS: keys.jwtPublicKeys,
  CURSOR_SECRET: randomBytes(32).toString('base64url'),
};
const faultsOf = (more: Record<string, string>): string[] => {
  try {
    loadSettings({ ...good, ...more } as unknown as Env);
    return [];
  } catch (error) {
    return String((error as Error).message)
      .split('\n')
      .slice(1);
  }
};

test.each([
  {},
  { CURSOR_SECRET: randomBytes(48).toString('base64url') },
  { CURSOR_SECRET: randomBytes(32).toString('base64') },
  { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:8079' },
  { UPSTASH_REDIS_REST_URL: 'http://[::1]:8079' },
  { MAILER_URL: 'http://localhost:1', MAILER_SECRET: `whsec_${randomBytes(24).toString('base64')}` },
])('%j passes', (more) => {
  expect(faultsOf(more)).toEqual([]);
});

test.each([
  [{ CURSOR_SECRET: 'x' }, 'CURSOR_SECRET'],
  [{ CURSOR_SECRET: randomBytes(31).toString('base64url') }, 'CURSOR_SECRET'],
  [{ CURSOR_SECRET: 'a'.repeat(64) }, 'CURSOR_SECRET'],
  [{ CURSOR_SECRET: 'ab'.repeat(32) }, 'CURSOR_SECRET'],
  [{ CURSOR_SECRET: 'please change this secret before going live' }, 'CURSOR_SECRET'],
  [{ UPSTASH_REDIS_REST_URL: 'http://redis.example.com' }, 'UPSTASH_REDIS_REST_URL'],
  [{ UPSTASH_REDIS_REST_URL: 'http://127.0.0.1.example.com' }, 'UPSTASH_REDIS_REST_URL'],
  [{ MAILER_URL: 'http://mail.example.com', MAILER_SECRET: 'x'.repeat(44) }, 'MAILER_URL'],
  [{ DATABASE_URL: `${good.DATABASE_URL}?sslmode=disable` }, 'DATABASE_URL'],
  [{ DATABASE_JOBS_URL: `${good.DATABASE_URL}?sslmode=prefer` }, 'DATABASE_JOBS_URL'],
] as [Record<string, string>, string][])('%j: one line that names the setting and not its value', (more, name) => {
  const faults = faultsOf(more);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^- ${name} must `));
  for (const value of Object.values(more)) if (value.length > 3) expect(faults[0]).not.toContain(value);
});
