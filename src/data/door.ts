import { AppError } from '../core/errors.ts';
import { Pace } from '../core/pace.ts';
import type { Ctx } from './ctx.ts';

/** What somebody comes for: each has a pace of its own, as whoever listens needs one of both. */
type Errand = 'ticket' | 'socket';

/** Of one company in an isolate, a minute and at once. A socket costs ten reads from memory. */
const PER_MINUTE = 3000;
const AT_ONCE = 20;
/** Of one user or key; who comes oftener waits in a crowd of its own, which keeps no colleague waiting. */
const OWN_PER_MINUTE = 300;
const OWN_AT_ONCE = 20;
/** Longest wait, ms: whoever comes back gives up on a greeting after ten seconds. */
const PATIENCE = 6000;
const MOST_PACES = 5000;

/** Who comes: `actor` of that company. */
export type Comer = { companyId: string; actor: string };

/**
 * Before the room of a company, in each isolate: whoever comes for a socket or a ticket waits for their turn, which costs nobody
 * else anything. A salon that comes back together is let in within two seconds; those who open sockets as fast as they can hold up
 * themselves, and are refused only where the wait would be too long: a ticket that was used can be shown as often as anybody likes,
 * at no cost of the company's limit. Plain numbers, bounded.
 */
export class Door {
  readonly #paces = new Map<string, Pace>();

  /** @returns how long to wait before going in, ms; or, where that is more than `patience`, when to come again */
  knock(
    { companyId, actor }: Comer,
    errand: Errand,
    now: number,
    patience = PATIENCE,
  ): { wait: number } | { again: number } {
    const own = this.#of(`${errand} ${companyId} ${actor}`, now, OWN_PER_MINUTE, OWN_AT_ONCE);
    const isOften = own.readyAt(now) > now;
    const pace = this.#of(`${errand} ${companyId}${isOften ? ' crowd' : ''}`, now, PER_MINUTE, AT_ONCE);
    const wait = Math.ceil(pace.readyAt(now) - now);
    // However little patience: who need not wait goes in.
    const most = Math.max(0, Math.min(patience, PATIENCE));
    if (wait > most) return { again: wait - most };
    pace.spend(1, now);
    if (!isOften) own.spend(1, now);
    return { wait };
  }

  /** Waits for one's turn. @throws AppError rate_limited */
  async enter(ctx: Ctx, comer: Comer, errand: Errand, patience?: number): Promise<void> {
    const turn = this.knock(comer, errand, ctx.now(), patience);
    if ('again' in turn) {
      throw new AppError('rate_limited', `Too many ${errand}s are asked for at once.`, {
        extra: { retryAfter: Math.ceil(turn.again / 1000) },
      });
    }
    if (turn.wait > 0) await new Promise((resolve) => setTimeout(resolve, turn.wait));
  }

  #of(key: string, now: number, perMinute: number, atOnce: number): Pace {
    let pace = this.#paces.get(key);
    if (pace === undefined) {
      if (this.#paces.size >= MOST_PACES) this.#forget(now);
      pace = new Pace(perMinute, atOnce);
      this.#paces.set(key, pace);
    }
    return pace;
  }

  /** Those who owe nothing are as good as new; should all owe something, all begin anew. */
  #forget(now: number): void {
    for (const [key, pace] of this.#paces) if (pace.isIdle(now)) this.#paces.delete(key);
    if (this.#paces.size >= MOST_PACES) this.#paces.clear();
  }
}
