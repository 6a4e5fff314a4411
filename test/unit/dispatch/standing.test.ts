import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin, failed, inEpoch, missed, type Standing, taken } from '../../../src/dispatch/standing.ts';

// How a line fares over days, by a clock of the test's own.

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const EPOCH = '01890a5d-ac96-774b-bcce-b302099a8057';
const plain = { unit: 5 * SECOND, random: () => 0.5 };
const at = (revision: number): Standing => begin({ epoch: EPOCH, revision }, 0);

/** Fails the change at `revision` whenever it is due, until something else than another attempt comes of it. */
function failOn(standing: Standing, revision: number, now: number, pacing = plain) {
  const attempts: number[] = [];
  for (;;) {
    attempts.push(now);
    const failure = failed(standing, revision, now, pacing);
    if (failure.verdict !== 'again') return { attempts, now, ...failure };
    standing = failure.standing;
    now = standing.notBefore;
  }
}

describe('an event that nobody takes', () => {
  test('is tried after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, a last time after a day, and then given up', () => {
    const { attempts, verdict, standing } = failOn(at(7), 8, 0);
    const pauses = attempts.slice(1).map((time, n) => time - (attempts[n] ?? 0));
    expect(pauses.slice(0, 6)).toEqual([5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR]);
    expect([attempts.length, attempts.at(-1), verdict]).toEqual([8, DAY, 'dead']);
    // The next one is tried at once, and counted from the beginning.
    expect(standing).toMatchObject({ position: { revision: 8 }, attempts: 0, firstAt: null, notBefore: 0 });
  });

  test('each pause is a tenth shorter or longer at most, the last attempt a day after the first', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 }), (draws) => {
        let n = 0;
        const { attempts } = failOn(at(7), 8, 0, { unit: 5 * SECOND, random: () => draws[n++ % draws.length] ?? 0 });
        const wanted = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR];
        for (const [i, pause] of wanted.entries()) {
          const real = (attempts[i + 1] ?? 0) - (attempts[i] ?? 0);
          expect(Math.abs(real - pause)).toBeLessThanOrEqual(pause / 10 + 1);
        }
        expect(attempts.at(-1)).toBe(DAY);
      }),
    );
  });
});

test('an endpoint that takes nothing is closed after three days, two events given up on the way', () => {
  let standing = at(0);
  let now = 0;
  const verdicts: string[] = [];
  for (let revision = 1; verdicts.at(-1) !== 'FAILING'; revision += 1) {
    const end = failOn(standing, revision, now);
    verdicts.push(end.verdict);
    ({ standing, now } = end);
  }
  expect(verdicts).toEqual(['dead', 'dead', 'FAILING']);
  expect(now).toBe(3 * DAY);
  // What was not taken is still before it.
  expect(standing.position.revision).toBe(2);
});

test('one event that is refused closes nobody who takes the others', () => {
  let standing = at(0);
  let now = 0;
  for (let revision = 1; revision < 20; revision += 2) {
    const end = failOn(standing, revision, now);
    expect(end.verdict).toBe('dead');
    standing = taken(end.standing, revision + 1);
    now = end.now;
  }
  expect(standing).toMatchObject({ position: { revision: 20 }, failingSince: null });
});

describe('a history that was replaced', () => {
  const later = '01990a5d-ac96-774b-bcce-b302099a8057';
  const from = (revision: number, head: number, renumbered: number | null) =>
    inEpoch({ ...at(revision), attempts: 2 }, { epoch: later, revision: head }, renumbered);

  test('and renamed alone: goes on where it was, attempts included', () =>
    expect(from(100, 120, null)).toMatchObject({ position: { epoch: later, revision: 100 }, attempts: 2 }));
  test('restored to before, and not yet written to: begins at its head', () =>
    expect(from(100, 80, null)).toMatchObject({ position: { epoch: later, revision: 80 }, attempts: 0 }));
  test('restored, and written to beyond where we were: what was numbered anew is sent', () =>
    expect(from(100, 120, 81)).toMatchObject({ position: { epoch: later, revision: 80 }, attempts: 0 }));
  test('restored, and written to up to somewhere before', () =>
    expect(from(100, 90, 81)).toMatchObject({ position: { epoch: later, revision: 80 } }));
});

test('what the log no longer holds is a run of revisions', () => {
  expect(missed(at(4), 5)).toBeNull();
  expect(missed(at(4), 6)).toEqual({ from: 5, to: 5 });
  expect(missed(at(0), 101)).toEqual({ from: 1, to: 100 });
});
