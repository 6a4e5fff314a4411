import { DAY_MINUTES } from '../core/civil.ts';

/**
 * Sets of time as integers: half-open intervals of whole minutes since 1970 in one flat list, start, end, start, end …,
 * in order, none overlapping or touching another. Flat, because thousands of them are cached, read and swept at once.
 */
export type Spans = readonly number[];

const NEVER = Number.POSITIVE_INFINITY;

/** The days since 1970 that these minutes are on, in pairs: the first, and the one behind the last. */
export const daysOf = (minutes: Spans): Spans =>
  covered(minutes.map((minute, i) => (i % 2 === 0 ? Math.floor : Math.ceil)(minute / DAY_MINUTES)));

/** Where at least `depth` of the intervals lie, which may come in any order and overlap. */
export function covered(intervals: readonly number[], depth: number = 1): Spans {
  if (depth === 1 && areSpans(intervals)) return intervals;
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < intervals.length; i += 2) {
    const start = intervals[i] ?? NEVER;
    const end = intervals[i + 1] ?? NEVER;
    if (start >= end) continue;
    starts.push(start);
    ends.push(end);
  }
  // Typed arrays sort numbers as such, several times faster than with a comparison.
  const inOrder = Float64Array.from(starts).sort();
  const endsInOrder = Float64Array.from(ends).sort();
  const spans: number[] = [];
  let open = 0;
  let e = 0;
  for (const start of inOrder) {
    for (let end = endsInOrder[e] ?? NEVER; end <= start; end = endsInOrder[e] ?? NEVER) {
      if (open === depth) spans.push(end);
      open -= 1;
      e += 1;
    }
    open += 1;
    // One that begins where the last ended goes on.
    if (open === depth && spans.at(-1) === start) spans.pop();
    else if (open === depth) spans.push(start);
  }
  for (; open >= depth; open -= 1, e += 1) if (open === depth) spans.push(endsInOrder[e] ?? NEVER);
  return spans;
}

function areSpans(intervals: readonly number[]): boolean {
  let before = intervals[0] ?? 0;
  for (let i = 1; i < intervals.length; i += 1) {
    const next = intervals[i] ?? 0;
    if (before >= next) return false;
    before = next;
  }
  return true;
}

export function intersection(a: Spans, b: Spans): number[] {
  const spans: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const start = Math.max(a[i] ?? NEVER, b[j] ?? NEVER);
    const aEnd = a[i + 1] ?? NEVER;
    const bEnd = b[j + 1] ?? NEVER;
    const end = Math.min(aEnd, bEnd);
    if (start < end) spans.push(start, end);
    if (aEnd === end) i += 2;
    if (bEnd === end) j += 2;
  }
  return spans;
}

/**
 * What is left of `spans` without `taken`, each of whose starts and ends is moved first; what is taken may overlap then,
 * as long as starts and ends stay in order.
 */
export function without(spans: Spans, taken: Spans, moveStart: number = 0, moveEnd: number = 0): number[] {
  const left: number[] = [];
  let t = 0;
  // Every index is one of the list; 0 keeps numbers whole, where an infinite one would make all of them floating.
  for (let i = 0; i < spans.length; i += 2) {
    let from = spans[i] ?? 0;
    const end = spans[i + 1] ?? 0;
    while (t < taken.length && (taken[t + 1] ?? 0) + moveEnd <= from) t += 2;
    for (let k = t; k < taken.length && from < end; k += 2) {
      const start = (taken[k] ?? 0) + moveStart;
      if (start >= end) break;
      if (start > from) left.push(from, start);
      const next = (taken[k + 1] ?? 0) + moveEnd;
      if (next > from) from = next;
    }
    if (from < end) left.push(from, end);
  }
  return left;
}

/** Index of the first span that ends after this minute. */
function firstEndingAfter(spans: Spans, minute: number): number {
  let low = 0;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[2 * middle + 1] ?? NEVER) > minute) high = middle;
    else low = middle + 1;
  }
  return 2 * low;
}

/** Whether all of `[start, end)` lies within. */
export function includes(spans: Spans, start: number, end: number): boolean {
  const i = firstEndingAfter(spans, start);
  return i < spans.length && (spans[i] ?? NEVER) <= start && end <= (spans[i + 1] ?? NEVER);
}

/** Whether any of `[start, end)` lies within. */
export function touches(spans: Spans, start: number, end: number): boolean {
  const i = firstEndingAfter(spans, start);
  return i < spans.length && (spans[i] ?? NEVER) < end;
}

/** Those of the spans that reach into `[start, end)`, whole. */
export function reaching(spans: Spans, start: number, end: number): Spans {
  const first = firstEndingAfter(spans, start);
  let last = first;
  while (last < spans.length && (spans[last] ?? NEVER) < end) last += 2;
  return spans.slice(first, last);
}
