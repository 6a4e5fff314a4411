import { networkOf } from '../../core/network.ts';
import type { AppContext } from '../../http/context.ts';
import type { Limit } from './counts.ts';

/** Windows, seconds. */
const QUARTER = 900;
const HOUR = 3600;

/** How many times LOGIN_LIMIT what may be done in a quarter of an hour (contract-details A13 and docs/operations.md). */
const PER_ACCOUNT = 5;
const PER_ADDRESS = 10;
const PER_SITE = 100;
/** Derivations, right passwords included, of an address and of a company. */
const WORK = 30;
/** Refreshes of an address, and of one session. */
const REFRESHES = 100;
const SESSION_REFRESHES = 6;

/** Refusals for a taken address per company and hour: each tells of an address whether somebody signs in with it. */
const TAKEN = 20;

/** The caller's address. The edge sets the header; without it all callers are one. */
const network = (c: AppContext) => networkOf(c.req.header('CF-Connecting-IP') ?? '');

/** One subscriber, as counters and turns know them. */
export const subscriberOf = (c: AppContext): string => network(c).subscriber;

/** How many derivations of one account may follow each other: all guesses that are counted, so that `busy` hides no verdict. */
export const turnsInARow = (loginLimit: number): number => Math.max(12, loginLimit + 2);
export const burstOf = (c: AppContext): number => turnsInARow(c.env.deps.settings.loginLimit);

/** A limit of the caller's address and ten times it for the /48 around it. */
function fromHere(c: AppContext, kind: string, most: number, seconds: number): Limit[] {
  const { subscriber, site } = network(c);
  const own = { subject: `${kind}-from:${subscriber}`, most, seconds };
  return site === null
    ? [own]
    : [own, { subject: `${kind}-from:${site}`, most: most * (PER_SITE / PER_ADDRESS), seconds }];
}

/**
 * Failures of guessing one account's password. By account and address, so that whoever guesses from elsewhere does not
 * lock the owner out; a larger number by account, for guesses from everywhere; and by address.
 * @param account the folded e-mail address, or the id of whoever types their present password again
 */
export function loginLimits(c: AppContext, account: string): Limit[] {
  const most = c.env.deps.settings.loginLimit;
  return [
    // The address first: an account is what somebody typed, and could end in another's.
    { subject: `login-at:${subscriberOf(c)}:${account}`, most, seconds: QUARTER },
    { subject: `login:${account}`, most: most * PER_ACCOUNT, seconds: QUARTER },
    ...fromHere(c, 'login', most * PER_ADDRESS, QUARTER),
  ];
}

/** Recovery mails, whether or not anybody has the address: few to one mailbox, wherever they are asked for. */
export function recoveryLimits(c: AppContext, email: string): Limit[] {
  const most = c.env.deps.settings.loginLimit;
  return [
    { subject: `recovery:${email}`, most, seconds: QUARTER },
    ...fromHere(c, 'recovery', most * PER_ADDRESS, QUARTER),
  ];
}

/** Keys, refresh tokens and links that nobody has: nothing to guess, but each costs the database a look. */
export const unknownLimits = (c: AppContext): Limit[] =>
  fromHere(c, 'unknown', c.env.deps.settings.loginLimit * PER_ADDRESS, QUARTER);

/** Every derivation, of right passwords too: a tenth of a second in which the isolate serves nobody. */
export const workLimits = (c: AppContext): Limit[] =>
  fromHere(c, 'work', c.env.deps.settings.loginLimit * WORK, QUARTER);

/** The same by company, of those who may sign in to it: guesses of strangers use up nothing of it. */
export const companyWorkLimit = (c: AppContext, companyId: string): Limit => ({
  subject: `work-of:${companyId}`,
  most: c.env.deps.settings.loginLimit * WORK,
  seconds: QUARTER,
});

/** Refreshes, successful ones too. */
export const refreshLimits = (c: AppContext): Limit[] =>
  fromHere(c, 'refresh', c.env.deps.settings.loginLimit * REFRESHES, QUARTER);

/** How often one session may be refreshed in a quarter of an hour; the database counts it. */
export const sessionRefreshes = (c: AppContext): number => c.env.deps.settings.loginLimit * SESSION_REFRESHES;

/** 20 sign-ups per address and hour; SIGNUP_LIMIT replaces the 20. */
export const signUpLimits = (c: AppContext): Limit[] => fromHere(c, 'signup', c.env.deps.settings.signupLimit, HOUR);

export const takenLimit = (companyId: string): Limit => ({ subject: `taken:${companyId}`, most: TAKEN, seconds: HOUR });
