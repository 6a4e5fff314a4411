import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { shortHash } from '../../core/hash.ts';
import { networkOf } from '../../core/network.ts';
import type { Admission } from '../../data/caller.ts';
import { RateCounter, rateKey, WINDOW } from '../../data/rate.ts';
import { shareOf, WeighedMap } from '../../data/weighed.ts';
import type { AppContext } from '../../http/context.ts';

/** Requests a minute: of one calendar that is known, and of one address for those that are not (yet), guesses among them. */
const OF_CALENDAR = 60;
const OF_ADDRESS = 120;

/** What a name weighs in the memory (bench/heap.ts has what a small entry costs). */
const NAME_BYTES = 200;

/** Calendars this isolate has answered, by name. Bounded plain data. */
const known = new WeighedMap<true>(shareOf('feeds'));
/** Of its own: addresses never push companies out of theirs. */
const rate = new RateCounter();

/** That this calendar is there: from now on it has a limit of its own. */
export const remember = (name: string): void => known.set(name, true, NAME_BYTES);

/** Nobody signs in to a calendar, so only the limit is asked for; whether its secret still holds is part of what is read. */
export function admissionOf(c: AppContext, name: string | null): Admission {
  const { deps, ctx } = c.env;
  const isKnown = name !== null && known.get(name) !== undefined;
  const subject = isKnown ? `calendar-${name}` : `calendars-from-${subscriberOf(c)}`;
  const most = isKnown ? OF_CALENDAR : OF_ADDRESS;
  let used = rate.add(subject, 1, ctx.now());
  let asked = 0;
  return {
    ready: () => true,
    ask(pipeline, now) {
      const { window, amount, bound } = rate.take(subject, now);
      const key = rateKey(deps.redis, subject, window);
      pipeline.incrby(key, amount);
      if (bound) pipeline.pexpire(key, 2 * WINDOW);
      asked = window;
    },
    learn([counted]) {
      if (!Number.isSafeInteger(Number(counted))) throw new Error('shape');
      rate.learn(subject, asked, Number(counted));
      used = Math.max(used, Number(counted));
    },
    decide(at) {
      if (used <= most) return true;
      const retryAfter = Math.ceil((WINDOW - (at.now() % WINDOW)) / 1000);
      throw new AppError('rate_limited', `Calendars are read ${most} times a minute.`, { extra: { retryAfter } });
    },
    excused: () => false,
    credentialQuery: () => sql`select 1`,
    settleCredential: () => undefined,
  };
}

/** Hashed: addresses belong in no cache. */
const subscriberOf = (c: AppContext): string => shortHash(networkOf(c.req.header('CF-Connecting-IP') ?? '').subscriber);
