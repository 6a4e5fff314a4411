import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Turn } from '../../../src/account/sign-in/derivation-turns.ts';
import { turnsInARow } from '../../../src/account/sign-in/limits.ts';
import { AppError } from '../../../src/core/errors.ts';

// An isolate of its own for each test: nothing is running in it, and it need not rest.
let { inTurn } = await import('../../../src/account/sign-in/derivation-turns.ts');
beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  ({ inTurn } = await import('../../../src/account/sign-in/derivation-turns.ts'));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const BUSY = { name: 'AppError', code: 'busy', extra: { retryAfter: 1 } };
const WORK = 99;
/** A derivation, and the turn of the event loop after it. */
const CYCLE = 100;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const turn = (address: string, kind: Turn['kind'] = 'sign-in', account: string = address): Turn => ({
  kind,
  address,
  account,
});

/** What ended, in order. */
function stage() {
  const ended: string[] = [];
  const ask = (name: string, of: Turn = turn(name), ms: number = WORK) =>
    inTurn(of, () => sleep(ms)).then(
      () => void ended.push(name),
      (error: AppError) => void ended.push(`${name} ${error.code}`),
    );
  return { ended, ask };
}

describe('one at a time', () => {
  it('who comes meanwhile waits, sits out the rest, and is served in the order of coming', async () => {
    const { ended, ask } = stage();
    ask('a');
    ask('b');
    ask('c');
    await vi.advanceTimersByTimeAsync(CYCLE);
    expect(ended).toEqual(['a']);
    // The rest is as long as the work.
    await vi.advanceTimersByTimeAsync(CYCLE + WORK - 10);
    expect(ended).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(40);
    expect(ended).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(3 * CYCLE);
    expect(ended).toEqual(['a', 'b', 'c']);
  });

  it('is told busy after two seconds, not before and not much later', async () => {
    const { ended, ask } = stage();
    for (let i = 0; i < 30; i += 1) ask(String(i));
    await vi.advanceTimersByTimeAsync(1999);
    expect(ended.filter((each) => each.includes('busy'))).toEqual([]);
    expect(ended.length).toBeGreaterThanOrEqual(8);
    await vi.advanceTimersByTimeAsync(300);
    expect(ended.length).toBe(30);
    await expect(
      Promise.all([inTurn(turn('x'), () => sleep(5000)), vi.advanceTimersByTimeAsync(5001)]),
    ).resolves.toBeDefined();
  });

  it('one of seconds that held up the thread is not taken for abandoned: who waits would follow it uncounted', async () => {
    let [running, most] = [0, 0];
    const blocking = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      // Nobody could look meanwhile; then all looks are due before its holder goes on.
      vi.setSystemTime(Date.now() + 3000);
      await sleep(30);
      running -= 1;
    };
    const all = ['a', 'b', 'c'].map((name) => inTurn(turn(name), blocking).catch(() => undefined));
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(all);
    expect(most).toBe(1);
  });

  it('says how to come again', async () => {
    inTurn(turn('slow'), () => sleep(1900)).catch(() => undefined);
    inTurn(turn('next'), () => sleep(1900)).catch(() => undefined);
    const late = expect(inTurn(turn('late'), () => sleep(1))).rejects.toMatchObject(BUSY);
    await vi.advanceTimersByTimeAsync(3000);
    await late;
  });

  it('of more than a hundred that wait the next is told at once', async () => {
    const { ended, ask } = stage();
    for (let i = 0; i < 110; i += 1) ask(String(i));
    await vi.advanceTimersByTimeAsync(0);
    expect(ended.length).toBe(9);
  });

  it('of one address ten wait; the next is turned away at once, and others find room', async () => {
    const { ended, ask } = stage();
    const turnedAway = vi.fn();
    const crowd = { ...turn('crowd'), turnedAway };
    for (let i = 0; i < 30; i += 1) ask(`crowd ${i}`, crowd);
    await vi.advanceTimersByTimeAsync(0);
    expect([ended.length, turnedAway.mock.calls.length]).toEqual([19, 19]);
    ask('victim');
    await vi.advanceTimersByTimeAsync(3 * CYCLE);
    expect(ended).toContain('victim');
  });

  it('frees the place when the work fails, and when it may not be done any more', async () => {
    await expect(inTurn(turn('a'), () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    const refused = inTurn(
      {
        ...turn('b'),
        mayStill() {
          throw new AppError('rate_limited');
        },
      },
      () => sleep(WORK),
    );
    await expect(refused).rejects.toMatchObject({ code: 'rate_limited' });
    const { ended, ask } = stage();
    ask('c');
    await vi.advanceTimersByTimeAsync(CYCLE);
    expect(ended).toEqual(['c']);
  });
});

describe('whose turn it is', () => {
  it('a sign-in goes before other derivations, but not always', async () => {
    const { ended, ask } = stage();
    ask('other 0', turn('o', 'other'));
    for (let i = 1; i < 4; i += 1) ask(`other ${i}`, turn('o', 'other'));
    for (let i = 1; i < 5; i += 1) ask(`sign-in ${i}`);
    await vi.advanceTimersByTimeAsync(1900);
    expect(ended.slice(0, 7)).toEqual([
      'other 0',
      'sign-in 1',
      'sign-in 2',
      'sign-in 3',
      'other 1',
      'sign-in 4',
      'other 2',
    ]);
  });

  it('four loops of one’s own sign-in do not keep another out', async () => {
    const { ended, ask } = stage();
    let going = true;
    const loop = async (name: string): Promise<void> => {
      while (going) await ask(name, turn('198.51.100.1', 'sign-in', 'attacker'));
    };
    const loops = ['1', '2', '3', '4'].map(loop);
    await vi.advanceTimersByTimeAsync(3000);
    for (let i = 0; i < 5; i += 1) {
      ended.length = 0;
      ask('victim', turn('198.51.100.1', 'sign-in', 'victim'));
      await vi.advanceTimersByTimeAsync(2 * 2 * CYCLE + 60);
      expect(ended).toContain('victim');
    }
    going = false;
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all(loops);
  });
});

describe('an account of many turns', () => {
  it('has a turn for each guess that is counted, and for those that are still allowed beside them', () => {
    for (const limit of [1, 10, 25]) expect(turnsInARow(limit)).toBeGreaterThan(limit);
  });

  it('has its burst, then one turn in ten seconds; others are not held up', async () => {
    const { ended, ask } = stage();
    const busyBody: Turn = { kind: 'sign-in', address: 'a', account: 'loop', burst: 5 };
    let going = true;
    const loop = (async () => {
      while (going) await ask('loop', busyBody);
    })();
    await vi.advanceTimersByTimeAsync(4000);
    expect(ended.filter((each) => each === 'loop').length).toBe(5);
    ended.length = 0;
    ask('other', { ...busyBody, account: 'other' });
    await vi.advanceTimersByTimeAsync(CYCLE + 30);
    expect(ended).toContain('other');
    await vi.advanceTimersByTimeAsync(60_000);
    const turns = ended.filter((each) => each === 'loop').length;
    expect(turns).toBeGreaterThanOrEqual(5);
    expect(turns).toBeLessThanOrEqual(7);
    going = false;
    await vi.advanceTimersByTimeAsync(10_000);
    await loop;
  });
});

describe('requests that are gone', () => {
  it('one that held the place is followed after two seconds, and its late end evicts nobody', async () => {
    let finish: () => void = () => undefined;
    const gone = inTurn(turn('gone'), () => new Promise<void>((resolve) => (finish = resolve)));
    await vi.advanceTimersByTimeAsync(500);
    const { ended, ask } = stage();
    ask('next', turn('next'), 500);
    await vi.advanceTimersByTimeAsync(1530);
    finish();
    await vi.advanceTimersByTimeAsync(1);
    await gone;
    ask('third');
    await vi.advanceTimersByTimeAsync(450);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(60);
    expect(ended).toEqual(['next']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ended).toEqual(['next', 'third']);
  });

  it('one that waited first holds nobody up', async () => {
    const { ended, ask } = stage();
    ask('a');
    // Its timer never fires, as in workerd after a disconnect.
    vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce((() => 0) as never);
    ask('gone');
    ask('c');
    await vi.advanceTimersByTimeAsync(2 * CYCLE + 100 + CYCLE);
    expect(ended).toEqual(['a', 'c']);
  });
});

it('does not rest for longer than a second, whatever the clock does', async () => {
  const { ended, ask } = stage();
  ask('a', turn('a'), 1);
  await vi.advanceTimersByTimeAsync(3);
  vi.setSystemTime(Date.now() - 3_600_000);
  ask('b', turn('b'), 1);
  await vi.advanceTimersByTimeAsync(1010);
  expect(ended).toEqual(['a', 'b']);
});
