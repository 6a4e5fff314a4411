import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterMinute, type Standing, standingAt } from '../../../src/monitoring/alert-state.ts';

const MINUTE = 60_000;
const START = 1_700_000_040_000;
const rules = fc.record({
  comparison: fc.constantFrom('ABOVE' as const, 'BELOW' as const),
  threshold: fc.constant(10),
  hysteresis: fc.constantFrom(0, 3),
  forMinutes: fc.integer({ min: 1, max: 5 }),
});
type Rule = Parameters<typeof afterMinute>[0];
/** Values of minutes that follow each other; null: nothing was measured. */
const values = fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 6 }), { maxLength: 40 });

function run(rule: Rule, all: readonly (number | null)[]): Standing[] {
  let standing = standingAt(START);
  return all.map((value, index) => {
    standing = afterMinute(rule, standing, START + index * MINUTE, value);
    return standing;
  });
}

const isBeyond = ({ comparison, threshold }: Rule, value: number | null | undefined): boolean =>
  value != null && (comparison === 'ABOVE' ? value > threshold : value < threshold);

test('it fires after so many minutes in a row and not before, and clears only beyond its hysteresis', () => {
  fc.assert(
    fc.property(rules, values, (rule, all) => {
      let before = 'OK';
      run(rule, all).forEach(({ state }, index) => {
        const row = all.slice(Math.max(0, index - rule.forMinutes + 1), index + 1);
        const isRow = row.length === rule.forMinutes && row.every((value) => isBeyond(rule, value));
        const value = all[index] ?? null;
        if (before !== 'FIRING' && isRow) expect(state).toBe('FIRING');
        if (before !== 'FIRING' && state === 'FIRING') expect(isRow).toBe(true);
        const distance = value === null ? null : (value - rule.threshold) * (rule.comparison === 'ABOVE' ? 1 : -1);
        if (before === 'FIRING')
          expect(state).toBe(distance !== null && distance <= -rule.hysteresis ? 'OK' : 'FIRING');
        if (state === 'PENDING') expect(isBeyond(rule, value)).toBe(true);
        before = state;
      });
    }),
  );
});

test('a clock that steps back, and a minute that is looked at twice, change nothing', () => {
  fc.assert(
    fc.property(
      rules,
      values,
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 0, max: 20 }),
      (rule, all, back, value) => {
        const last = run(rule, all).at(-1) ?? standingAt(START + MINUTE);
        expect(afterMinute(rule, last, last.minute - back * MINUTE, value)).toEqual(last);
      },
    ),
  );
});

test('a minute that nobody looked at breaks a row', () => {
  const rule: Rule = { comparison: 'ABOVE', threshold: 10, hysteresis: 0, forMinutes: 2 };
  const first = afterMinute(rule, standingAt(START), START, 20);
  expect([first.state, first.streak]).toEqual(['PENDING', 1]);
  expect(afterMinute(rule, first, START + 2 * MINUTE, 20)).toMatchObject({ state: 'PENDING', streak: 1, since: START });
  expect(afterMinute(rule, first, START + MINUTE, 20).state).toBe('FIRING');
});
