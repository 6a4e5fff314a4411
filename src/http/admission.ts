import { AppError } from '../core/errors.ts';
import type { Admission } from '../data/caller.ts';
import { NOBODY_YET, rateKey, WINDOW } from '../data/rate.ts';
import { type AppContext, claimantOf } from './context.ts';

/**
 * Rate limit, life of the credential and permission of this request's caller, in the contract's order: 401, 429, 403.
 * @param kind a write leaves the life of the credential to `begin_write`, which asks the truth itself
 */
export function admissionOf(
  c: AppContext,
  { permission, weight }: { permission: string | null; weight: number },
  kind: 'read' | 'write',
): Admission {
  const { deps, state, ctx } = c.env;
  const principal = claimantOf(c);
  const { companyId, credential } = principal;
  const limit = deps.settings.rateLimitPerMinute;
  // A made-up key must not use up a company's limit: it counts once it is proven.
  let counts = principal.proven;
  let used = counts ? deps.rate.add(companyId, weight, ctx.now()) : 0;
  let asked: { window: number; commands: number; of: string } = { window: 0, commands: 0, of: companyId };
  let heard: unknown;
  const lives = (now: number): boolean => (kind === 'write' && principal.proven) || credential.known(now);
  const judge = (now: number): void => {
    if (!counts) {
      counts = true;
      used = deps.rate.add(companyId, weight, now);
    }
    const reset = Math.ceil((WINDOW - (now % WINDOW)) / 1000);
    state.rate = { limit, remaining: Math.max(0, limit - used), reset };
    if (used > limit) {
      throw new AppError('rate_limited', `The company may make ${limit} requests a minute.`, {
        extra: { retryAfter: reset },
      });
    }
    if (permission !== null && !principal.may(permission)) {
      throw new AppError('forbidden', `This needs the permission ${permission}.`);
    }
  };
  return {
    ready: lives,
    ask(pipeline, now) {
      const of = counts ? companyId : NOBODY_YET;
      const { window, amount, bound } = deps.rate.take(of, now);
      const key = rateKey(deps.redis, of, window);
      pipeline.incrby(key, amount);
      if (bound) pipeline.pexpire(key, 2 * WINDOW);
      asked = { window, commands: bound ? 2 : 1, of };
      if (!lives(now)) credential.ask(pipeline);
    },
    learn(answers, now) {
      const counted = Number(answers[0]);
      if (!Number.isSafeInteger(counted)) throw new Error('shape');
      deps.rate.learn(asked.of, asked.window, counted);
      if (asked.of === companyId) used = Math.max(used, counted);
      if (answers.length > asked.commands) {
        heard = answers[asked.commands];
        credential.learn(heard, now);
      }
    },
    decide(at) {
      const now = at.now();
      if (!principal.proven) {
        credential.beforeAsking?.();
        return false;
      }
      judge(now);
      return lives(now);
    },
    excused: () => heard !== undefined && credential.excuses?.(heard) === true,
    credentialQuery: () => credential.statement(),
    settleCredential(at, rows) {
      const judged = counts;
      credential.settle(at, deps, rows);
      if (!judged) judge(at.now());
    },
  };
}

/** Whether the caller's company is known to be over its limit: then nothing of a body is read. */
export function overLimit(c: AppContext): boolean {
  const { deps, state, ctx } = c.env;
  const { principal } = state;
  if (principal === null || !principal.proven) return false;
  return deps.rate.add(principal.companyId, 0, ctx.now()) > deps.settings.rateLimitPerMinute;
}
