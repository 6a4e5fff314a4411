import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covered, includes, intersection, touches, without } from '../../../src/calendar/spans.ts';

const LENGTH = 60;
const pairs = fc.array(fc.tuple(fc.nat(LENGTH), fc.nat(LENGTH)), { maxLength: 12 });
const intervals = pairs.map((each) => each.flatMap(([a, b]) => [Math.min(a, b), Math.max(a, b)]));
const spans = intervals.map((each) => covered(each));

/** How many of the intervals hold each minute. */
const depths = (list: readonly number[]): number[] =>
  Array.from({ length: LENGTH + 1 }, (_, minute) => {
    let depth = 0;
    for (let i = 0; i < list.length; i += 2) if ((list[i] ?? 0) <= minute && minute < (list[i + 1] ?? 0)) depth += 1;
    return depth;
  });
const flags = (list: readonly number[]): boolean[] => depths(list).map((depth) => depth > 0);
const inOrder = (list: readonly number[]): boolean => list.every((at, i) => i === 0 || (list[i - 1] ?? 0) < at);

describe('spans, against a list of minutes', () => {
  it('covered: in order, not touching, where so many lie', () => {
    fc.assert(
      fc.property(intervals, fc.integer({ min: 1, max: 4 }), (list, depth) => {
        const result = covered(list, depth);
        expect(inOrder(result)).toBe(true);
        expect(flags(result)).toEqual(depths(list).map((each) => each >= depth));
      }),
    );
  });

  it('intersection, without', () => {
    fc.assert(
      fc.property(spans, spans, (a, b) => {
        const other = flags(b);
        expect(inOrder(intersection(a, b))).toBe(true);
        expect(flags(intersection(a, b))).toEqual(flags(a).map((inside, i) => inside && other[i] === true));
        expect(inOrder(without(a, b))).toBe(true);
        expect(flags(without(a, b))).toEqual(flags(a).map((inside, i) => inside && other[i] === false));
      }),
    );
  });

  it('without what was moved and overlaps then', () => {
    fc.assert(
      fc.property(spans, spans, fc.nat(9), fc.nat(9), (a, b, back, on) => {
        const moved = covered(b.map((at, i) => (i % 2 === 0 ? at - back : at + on)));
        expect(without(a, b, -back, on)).toEqual(without(a, moved));
      }),
    );
  });

  it('includes, touches', () => {
    fc.assert(
      fc.property(spans, fc.nat(LENGTH - 1), fc.integer({ min: 1, max: 20 }), (list, start, length) => {
        const within = flags(list).slice(start, start + length);
        expect(includes(list, start, start + length)).toBe(within.length === length && within.every(Boolean));
        expect(touches(list, start, start + length)).toBe(within.some(Boolean));
      }),
    );
  });
});
