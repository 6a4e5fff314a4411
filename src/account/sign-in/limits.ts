import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../http/context.ts';

/** One counter: at most `most` in `seconds`. */
export type Limit = { subject: string; most: number; seconds: number };

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The caller's address as a limit counts it: whole IPv4 addresses, the /64 of IPv6 ones, which is one subscriber. */
export function addressOf(c: AppContext): string {
  const address = c.req.header('CF-Connecting-IP') ?? 'unknown';
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
}

export const keyOf = (c: AppContext, { subject, seconds }: Limit): string =>
  // Hashed: neither addresses nor e-mail belong in a cache.
  `v1:${c.env.doors.settings.environment}:limit:${digest(subject)}:${Math.floor(c.env.ctx.now() / (seconds * 1000))}`;

/**
 * Refuses before anything is hashed. Counts nothing: only failures (or sign-ups) do, through `count`.
 * Without Redis nobody is counted: a salon must be able to sign in while it is down.
 * @throws AppError rate_limited
 */
export async function check(c: AppContext, limits: readonly Limit[]): Promise<void> {
  const { ctx, doors } = c.env;
  const counts = await doors.redis.trip(
    ctx,
    (p) => p.mget(...limits.map((limit) => keyOf(c, limit))),
    ([answer]) => {
      if (!Array.isArray(answer)) throw new Error('shape');
      return answer.map((n) => Number(n ?? 0));
    },
  );
  for (const [i, limit] of limits.entries()) refuseAbove(limit, counts?.[i] ?? 0, ctx.now());
}

/** @throws AppError rate_limited */
export function refuseAbove({ most, seconds }: Limit, counted: number, now: number): void {
  if (counted < most) return;
  const retryAfter = seconds - (Math.floor(now / 1000) % seconds);
  throw new AppError('rate_limited', 'Too many attempts. Try again later.', { extra: { retryAfter } });
}

export async function count(c: AppContext, limits: readonly Limit[]): Promise<void> {
  const { ctx, doors } = c.env;
  await doors.redis.trip(
    ctx,
    (p) => {
      for (const limit of limits) {
        p.incr(keyOf(c, limit));
        p.expire(keyOf(c, limit), limit.seconds);
      }
    },
    () => true,
  );
}

/** The limits of guessing one account's password: 10 failures in 15 minutes, 100 per address (contract-details A13); LOGIN_LIMIT scales both. */
const guessing = (c: AppContext, kind: string, account: string): Limit[] => {
  const most = c.env.doors.settings.loginLimit;
  return [
    { subject: `${kind}:${account}`, most, seconds: 900 },
    { subject: `${kind}-from:${addressOf(c)}`, most: most * 10, seconds: 900 },
  ];
};

/** @param account the e-mail address as typed, or the id of whoever types their present password again */
export const loginLimits = (c: AppContext, account: string): Limit[] => guessing(c, 'login', account.toLowerCase());

/** Recovery mails: as many as log-ins may fail, whether or not anybody has the address. */
export const recoveryLimits = (c: AppContext, email: string): Limit[] => guessing(c, 'recovery', email.toLowerCase());

/** Keys, refresh tokens and links that nobody has: nothing to guess, but each costs the database a look. */
export const unknownLimit = (c: AppContext): Limit => ({
  subject: `unknown-from:${addressOf(c)}`,
  most: c.env.doors.settings.loginLimit * 10,
  seconds: 900,
});

/** 20 sign-ups per address and hour; SIGNUP_LIMIT replaces the 20. */
export const signUpLimits = (c: AppContext): Limit[] => [
  { subject: `signup:${addressOf(c)}`, most: c.env.doors.settings.signupLimit, seconds: 3600 },
];
