import { AppError } from '../../core/errors.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { check, count, counted } from '../sign-in/counts.ts';
import { takenLimit } from '../sign-in/limits.ts';

// That an address is taken tells across companies that somebody signs in with it. So such refusals are counted, and as
// long as an answer is open it counts as one.

/** An ask of a request that was cut off is forgotten after this long, ms. */
const FORGOTTEN = 15_000;
const MOST_COMPANIES = 1000;
/** When the writes began that name an address and are under way, by company. Bounded plain data. */
const underWay = new Map<string, number[]>();

/** One write that may be refused because an address is taken. */
type AddressAsk = {
  /** Before the write. @throws AppError rate_limited */
  begin(): Promise<void>;
  /** The write itself. @throws AppError rate_limited in place of one refusal too many */
  during<T>(write: () => Promise<T>): Promise<T>;
};

export function addressAsk(c: AppContext): AddressAsk {
  const { companyId } = principalOf(c);
  const limit = takenLimit(companyId);
  let began: number | null = null;
  return {
    async begin() {
      await check(c.env, [limit]);
      const now = c.env.ctx.now();
      const open = (underWay.get(companyId) ?? []).filter((since) => now - since < FORGOTTEN);
      if (counted(c.env, limit) + open.length >= limit.most) throw tooMany(1);
      if (underWay.size >= MOST_COMPANIES) underWay.clear();
      underWay.set(companyId, [...open, now]);
      began = now;
    },
    async during(write) {
      try {
        return await write();
      } catch (error) {
        if (began !== null && error instanceof AppError && error.code === 'email_taken') {
          await count(c.env, [limit]);
          // Other isolates have counted too.
          if (counted(c.env, limit) > limit.most) throw tooMany(limit.seconds);
        }
        throw error;
      } finally {
        if (began !== null) end(companyId, began);
      }
    },
  };
}

function end(companyId: string, began: number): void {
  const open = underWay.get(companyId) ?? [];
  const at = open.indexOf(began);
  const left = at < 0 ? open : open.toSpliced(at, 1);
  if (left.length === 0) underWay.delete(companyId);
  else underWay.set(companyId, left);
}

const tooMany = (retryAfter: number): AppError =>
  new AppError('rate_limited', 'Too many addresses that are taken. Try again later.', { extra: { retryAfter } });
