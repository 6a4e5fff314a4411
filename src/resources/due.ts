import { AppError } from '../core/errors.ts';
import type { Pace } from '../core/pace.ts';
import type { Work } from '../data/deps.ts';

/**
 * Waits until so many units are due at this pace. They are spent beforehand, so that who waits comes one after another, in their order.
 * @param refusal what those are told who would wait too long
 * @returns how long that took, ms
 * @throws AppError busy when it would be longer than a call of the database may wait
 */
export async function whenDue({ ctx, deps }: Work, pace: Pace, units: number, refusal: string): Promise<number> {
  const came = ctx.now();
  const wait = pace.readyAt(came) - came;
  if (wait > deps.settings.databaseAcquireTimeout)
    throw new AppError('busy', refusal, { extra: { retryAfter: Math.ceil(wait / 1000) } });
  pace.spend(units, came);
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  return wait;
}
