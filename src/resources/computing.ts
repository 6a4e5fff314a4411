import { Pace } from '../core/pace.ts';
import { alone, ifNobodyIs } from '../data/alone.ts';
import type { Loaded } from '../data/answer.ts';
import type { Ctx } from '../data/ctx.ts';
import type { Work } from '../data/deps.ts';
import type { Origin } from '../data/read.ts';
import type { TagRow } from '../data/tags.ts';
import { whenDue } from './due.ts';

const KIB = 1024;
/** What a company's answers may weigh that an isolate computes, KiB a minute and for each request that its limit allows. */
const A_REQUEST = 120;
/** So much of a minute's at once: two megabytes by default. */
const AT_ONCE = 0.016;
/** Every answer weighs this besides its bytes, KiB. */
const EACH = 8;
/** What one weighs of which nobody has seen any, KiB, besides what it takes. */
const UNSEEN = 32;
/** From so much on an answer is large, KiB: those wait for each other, and nobody who asks for little waits for them. */
const LARGE = 256;
const MOST_COMPANIES = 1000;
/** Longest wait for the first of a kind, ms. */
const PATIENCE = 3000;
const BUSY = 'Many large answers of this company are being computed. Nothing was changed; try again.';

/** @param expected of a route's next answer, KiB */
type Account = { small: Pace; large: Pace; expected: Map<string, number> };

// State of the isolate: plain numbers.
const accounts = new Map<string, Account>();

function accountOf({ deps }: Work, companyId: string): Account {
  let account = accounts.get(companyId);
  if (account === undefined) {
    const perMinute = deps.settings.rateLimitPerMinute * A_REQUEST;
    if (accounts.size >= MOST_COMPANIES) accounts.clear();
    const pace = (): Pace => new Pace(perMinute, Math.max(1, perMinute * AT_ONCE));
    account = { small: pace(), large: pace(), expected: new Map() };
    accounts.set(companyId, account);
  }
  return account;
}

const paceOf = ({ small, large }: Account, kib: number): Pace => (kib > LARGE ? large : small);

/** What a body of so many characters weighs, KiB. */
const weightOf = (characters: number): number => EACH + characters / KIB;

/** A kind of answer of a company, and what it takes besides its bytes, KiB. `isHeavy`: it keeps a processor of the database busy. */
export type Kind = {
  companyId: string;
  name: string;
  effort?: number | undefined;
  mayBeLarge?: boolean;
  isHeavy?: boolean;
};

/**
 * Has what turns out to weigh so much, KiB, wait for its own turn before it is made.
 * @throws AppError busy
 */
export type Charge = (kib: number) => Promise<void>;
export type Charged = Work & { charge: Charge };

/** How one is computed, and what it weighed, KiB. `waited`: what was read before is of long ago. */
type Computing<T> = { compute(waited: boolean, charge: Charge): Promise<T>; weigh(made: T): number };

/**
 * Computes a company's next answer when its turn has come: what takes the processor long holds up everybody, so a company has it
 * done at a pace of its own, beyond a burst. A clock tells nothing of that where it stands still while an isolate computes: answers
 * are weighed instead, and the next of a kind is taken to be like the last one. What is kept already is given without.
 * @throws AppError busy when that would take longer than a call of the database may wait
 */
export async function inTurn<T>(
  work: Work,
  { companyId, name, effort = 0, mayBeLarge = false }: Kind,
  computing: Computing<T>,
): Promise<T> {
  const account = accountOf(work, companyId);
  const { expected } = account;
  const { known, outwaited } = mayBeLarge
    ? await firstOf(work.ctx, `${companyId} ${name}`, () => expected.has(name))
    : NOBODY;
  let charged = expected.get(name) ?? UNSEEN + 2 * effort;
  let pace = paceOf(account, expected.get(name) ?? UNSEEN + effort);
  // Of the first of its kind hardly anything is known to be charged; what is over the limit all the same keeps nobody waiting.
  const wait = whenDue(work, pace, charged, BUSY);
  wait.catch(() => known?.());
  const waited = (await wait) > 0 || outwaited;
  let [least, kib] = [0, 0];
  const charge = async (more: number): Promise<void> => {
    // Whoever comes behind need not find it out.
    expected.set(name, more);
    known?.();
    least = more;
    if (paceOf(account, more) !== pace) {
      pace.spend(-charged, work.ctx.now());
      [charged, pace] = [0, paceOf(account, more)];
    }
    // What was expected has had its wait: to wait for all of it again would be behind those who came later.
    if (more <= charged) return;
    await whenDue(work, pace, more - charged, BUSY);
    charged = more;
  };
  try {
    const made = await computing.compute(waited, charge);
    kib = Math.max(least, computing.weigh(made));
    expected.set(name, kib);
    return made;
  } finally {
    known?.();
    const [now, own] = [work.ctx.now(), paceOf(account, kib)];
    pace.spend(own === pace ? kib - charged : -charged, now);
    if (own !== pace) own.spend(kib, now);
  }
}

/** How the first of a kind tells that it is known; `outwaited`: another one was, and has been waited for. */
type First = { known?: () => void; outwaited: boolean };
const NOBODY: First = { outwaited: false };

/** Lets one begin of a kind that may be large and of which nobody has seen any: what it weighs is what the others are charged. */
async function firstOf(ctx: Ctx, kind: string, isKnown: () => boolean): Promise<First> {
  let outwaited = false;
  for (const until = ctx.now() + PATIENCE; !isKnown(); outwaited = true) {
    const known = await alone(ctx, kind, until);
    if (known !== null) return { known, outwaited };
  }
  return { outwaited };
}

/** Whether nothing of the company has to wait now. */
function isFree(work: Work, companyId: string): boolean {
  const { small, large } = accountOf(work, companyId);
  const now = work.ctx.now();
  return small.readyAt(now) <= now && large.readyAt(now) <= now;
}

/** Says what was computed out of turn. */
function computed(work: Work, companyId: string, kib: number): void {
  paceOf(accountOf(work, companyId), kib).spend(kib, work.ctx.now());
}

/** Waits for the company's turn to have something computed that weighs so much, KiB, whatever comes of it. @throws AppError busy */
export async function turnToCompute(work: Work, companyId: string, kib: number): Promise<void> {
  await whenDue(work, paceOf(accountOf(work, companyId), kib), kib, BUSY);
}

/** How a read computes what is not kept; `charge` for what it finds to be large. */
export type Computed = {
  load(unsure: boolean, row: TagRow | null, charge: Charge): Promise<Loaded>;
  compose?: Origin['compose'];
};

/**
 * Computes in the company's turn. What was read before a wait is too old to be built on. Who is not known yet is charged at the end:
 * of what costs little all of them, else one at a time.
 */
export function paced(
  work: Work,
  kind: Kind,
  { load, compose }: Computed,
): Pick<Origin, 'load' | 'compose' | 'unsurePlace'> {
  const { companyId, effort = 0, mayBeLarge = false, isHeavy = false } = kind;
  const weigh = ({ body }: Loaded): number =>
    effort + weightOf(typeof body === 'string' ? body.length : body.byteLength);
  const charged = (loaded: Loaded): Loaded => {
    computed(work, companyId, weigh(loaded));
    return loaded;
  };
  /** Of a caller who is not known yet, but is when something is found to be large. */
  const outOfTurn = async (row: TagRow | null): Promise<Loaded> => {
    let isCharged = false;
    const loaded = await load(true, row, async (kib) => {
      await turnToCompute(work, companyId, kib);
      isCharged = true;
    });
    return isCharged ? loaded : charged(loaded);
  };
  return {
    load: (unsure, row) =>
      unsure
        ? outOfTurn(row)
        : inTurn(work, kind, { compute: (waited, charge) => load(unsure, waited ? null : row, charge), weigh }),
    ...((effort > 0 || mayBeLarge || isHeavy) && { unsurePlace: () => ifNobodyIs(work.ctx, `unsure ${companyId}`) }),
    ...(compose !== undefined && {
      async compose(row) {
        const composed = isFree(work, companyId) ? await compose(row) : null;
        return composed === null ? null : charged(composed);
      },
    }),
  };
}
