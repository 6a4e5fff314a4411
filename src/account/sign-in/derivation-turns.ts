/**
 * Whose turn it is to derive a key from a password: one at a time per isolate, with a rest after each.
 *
 * In workerd scrypt blocks the thread, whatever its callback suggests: requests that arrive meanwhile are looked at only
 * afterwards. So the place is kept for one more turn of the event loop, in which they are delivered and find it taken.
 * Then the isolate rests for as long as the derivation took: others would otherwise wait for two (measured in the test of
 * 50 log-ins).
 *
 * Who finds the place taken waits on timers of their own; in workerd a promise of another request may never settle. Of
 * those that wait a sign-in goes first, then whoever has had the fewest turns lately, then whoever came first: neither
 * one's own log-ins in a loop nor a pile of new users with passwords keep others out. And an account that had many turns
 * gets further ones so seldom that nineteen of twenty requests of a bystander meet none.
 */
import { AppError } from '../../core/errors.ts';

/** Who asks for a turn. Address and account are only compared. */
export type Turn = {
  kind: 'sign-in' | 'other';
  address: string;
  account: string;
  /** Turns the account may have in a row; then one in a while, so that its loops are hardly noticed. Absent: any number. */
  burst?: number;
  /** Asked when the turn has come: what was refused meanwhile is refused. @throws AppError */
  mayStill?(): void;
  /** Told when so many wait that this one may not. */
  turnedAway?(): void;
};

type Waiter = Turn & { until: number };

/** The longest wait for a turn, ms; then `busy` (contract-details A13). */
const PATIENCE = 2000;
/** How often one looks whether it is their turn, ms. */
const LOOK = 20;
/** A free place that nobody takes for so long was left to somebody whose request is gone, ms. */
const UNTAKEN = 60;
/** After this long the holder's request was cancelled before it could release; ms. */
const ABANDONED = 2000;
/** Who looks so much later than they meant to was held up by a derivation: its holder comes right after, ms. */
const HELD_UP = 250;
/** The longest rest: neither a costly hash nor a clock that jumps may keep everybody out; ms. */
const MOST_REST = 1000;
/** Who comes when so many wait would not be served within their patience. */
const MOST_WAITING = 100;
/** Of one address, that is: the queue is everybody's. */
const MOST_OF_ONE = 10;
/** For how long a turn counts against whoever had it, ms. */
const MEMORY = 10_000;
/** One more turn of an account that has used up its burst, ms. */
const REFILL = 10_000;
const MOST_ACCOUNTS = 2000;
/** After so many sign-ins in a row another derivation may go first. */
const SIGN_INS_IN_A_ROW = 3;

// State of the isolate: plain data.
/** The derivation under way, if any. */
let running: { since: number } | null = null;
/** Until then the isolate belongs to the requests that the last derivation held up; Unix time, ms. */
let restUntil = 0;
let signInsInARow = 0;
/** Those that wait, in the order they came. */
let waiting: Waiter[] = [];
/** When the turns that an account had will be forgiven (ms): as many refills after now as it has used up. */
const owed = new Map<string, number>();
/** Turns that addresses and accounts had since. */
let recent = { since: 0, turns: new Map<string, number>() };

/**
 * Runs one derivation when its turn has come.
 * @throws AppError `busy` with `retryAfter: 1` (seconds) after two seconds of waiting; what `turn.mayStill` throws
 */
export async function inTurn<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  const mine = await take(turn);
  try {
    turn.mayStill?.();
    const result = await work();
    await sleep(1);
    return result;
  } finally {
    // An abandoned place may have been taken over: then it is not ours to release.
    if (running === mine) {
      running = null;
      const ended = Date.now();
      restUntil = ended + Math.min(ended - mine.since, MOST_REST);
    }
  }
}

async function take(turn: Turn): Promise<{ since: number }> {
  const came = Date.now();
  const self: Waiter = { ...turn, until: came + PATIENCE };
  waiting = waiting.filter(({ until }) => until > came);
  const own = waiting.filter(({ address }) => address === turn.address).length;
  if (own >= MOST_OF_ONE || waiting.length >= MOST_WAITING) {
    turn.turnedAway?.();
    throw busy();
  }
  waiting.push(self);
  try {
    for (let meant = came; ; ) {
      const now = Date.now();
      const freeIn = untilFree(now, now - meant > HELD_UP);
      // Untaken for a while: whoever is first is gone.
      if (freeIn <= 0 && may(self, now) && (first(now) === self || freeIn < -UNTAKEN)) return begin(self, now);
      if (now >= self.until) throw busy();
      // A clock that jumps must not make anybody sleep for long.
      const rest = Math.min(Math.max(freeIn, LOOK), MOST_REST);
      meant = now + rest;
      await sleep(rest);
    }
  } finally {
    waiting = waiting.filter((each) => each !== self);
  }
}

function begin(turn: Turn, now: number): { since: number } {
  const mine = { since: now };
  running = mine;
  signInsInARow = turn.kind === 'sign-in' ? signInsInARow + 1 : 0;
  if (now - recent.since > MEMORY || now < recent.since) recent = { since: now, turns: new Map() };
  if (turn.burst !== undefined) {
    if (owed.size >= MOST_ACCOUNTS) owed.clear();
    owed.set(turn.account, Math.max(owed.get(turn.account) ?? 0, now) + REFILL);
  }
  for (const who of [turn.address, turn.account]) recent.turns.set(who, (recent.turns.get(who) ?? 0) + 1);
  return mine;
}

/** Ms until the place is free; negative: since when it has been. */
function untilFree(now: number, heldUp: boolean): number {
  // A derivation of seconds is not abandoned because nobody could look meanwhile: all guesses would follow it uncounted.
  if (running !== null && (heldUp || now - running.since < ABANDONED)) return LOOK;
  const rest = restUntil - now;
  return rest > MOST_REST ? 0 : rest;
}

/** Whether the account has a turn left. */
const may = ({ account, burst = Number.POSITIVE_INFINITY }: Turn, now: number): boolean =>
  (owed.get(account) ?? 0) - now <= (burst - 1) * REFILL;

function first(now: number): Waiter | undefined {
  const alive = waiting.filter((each) => each.until > now && may(each, now));
  const kind = signInsInARow < SIGN_INS_IN_A_ROW ? 'sign-in' : 'other';
  const preferred = alive.filter((each) => each.kind === kind);
  const [head, ...rest] = preferred.length > 0 ? preferred : alive;
  const turnsOf = ({ address, account }: Turn): number =>
    (recent.turns.get(address) ?? 0) + (recent.turns.get(account) ?? 0);
  return rest.reduce((best, each) => (best !== undefined && turnsOf(best) <= turnsOf(each) ? best : each), head);
}

const busy = (): AppError =>
  new AppError('busy', 'Too many sign-ins at this moment. Try again in a second.', { extra: { retryAfter: 1 } });

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
