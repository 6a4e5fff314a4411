/** Sets of starts: at which minutes something of a given shape may begin. A set of starts is spans of minutes as well. */
import { covered, intersection, type Spans, without } from './spans.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** From where `[start + from, start + to)` lies within one of the spans. */
export function startsWithin(spans: Spans, from: number, to: number): number[] {
  const starts: number[] = [];
  for (let i = 0; i < spans.length; i += 2) {
    const first = (spans[i] ?? NEVER) - from;
    const end = (spans[i + 1] ?? NEVER) - to + 1;
    if (first < end) starts.push(first, end);
  }
  return starts;
}

/**
 * Those of the starts from where no piece of the shape meets what is taken: each piece goes from one gap of what is taken that is
 * long enough for it to the next, until all are in one at the same start. So everything is passed once, and most of it only counted.
 */
export function startsClear(starts: Spans, taken: Spans, shape: Spans): Spans {
  if (taken.length === 0) return starts;
  const clear: number[] = [];
  const pieces = shape.length;
  /** By piece: where the gap ends that it is in. */
  const gaps = shape.map(() => 0);
  for (let i = 0; i < starts.length; i += 2) {
    let at = starts[i] ?? 0;
    const end = starts[i + 1] ?? 0;
    while (at < end) {
      let until = end;
      let p = 0;
      for (let agreed = 0; agreed < pieces && at < end; agreed += 2, p = p + 2 === pieces ? 0 : p + 2) {
        // `[start + from, start + to)` lies in the gap `[b, a)` for the starts from b - from to a - to.
        const from = shape[p] ?? 0;
        const to = shape[p + 1] ?? 0;
        const gap = gapOf(taken, gaps[p] ?? 0, at + to, to - from);
        gaps[p] = gap;
        const first = gap === 0 ? at : (taken[gap - 1] ?? 0) - from;
        if (first > at) {
          at = first;
          until = end;
          agreed = 0;
        }
        if (gap < taken.length) until = Math.min(until, (taken[gap] ?? 0) - to + 1);
      }
      if (at < end) clear.push(at, until);
      at = until;
    }
  }
  return clear;
}

/** Of the gaps of what is taken, from the one that ends at the index `gap` on, the first that lasts so long and does not end before this minute. */
function gapOf(taken: Spans, gap: number, minute: number, length: number): number {
  let end = gap;
  if (end === 0 && (taken[0] ?? 0) < minute) end = 2;
  while (
    end > 0 &&
    end < taken.length &&
    ((taken[end] ?? 0) < minute || (taken[end] ?? 0) - (taken[end - 1] ?? 0) < length)
  )
    end += 2;
  return end;
}

/**
 * Those of the starts at which at least `count` of these have one. Where enough were found the others are not looked at: with
 * more chairs than bookings that is soon everywhere.
 * @param of each which of some starts it has
 */
export function startsOfAtLeast(starts: Spans, count: number, of: readonly ((among: Spans) => Spans)[]): Spans {
  /** Where too few were found: by how many there were. */
  let lacking: Spans[] = Array.from({ length: count }, (_, found) => (found === 0 ? starts : []));
  for (const startsOf of of) {
    const among = united(lacking);
    if (among.length === 0) break;
    const own = startsOf(among);
    lacking = lacking.map((these, found) => {
      const left = without(these, own);
      return found === 0 ? left : united([left, intersection(lacking[found - 1] ?? [], own)]);
    });
  }
  return without(starts, united(lacking));
}

const united = (sets: readonly Spans[]): Spans => (sets.length === 1 ? (sets[0] ?? []) : covered(sets.flat()));

/** Steps counted from each opening that are among the starts, from the minute `from` to before `to`. */
export function stepsOf(
  opened: readonly number[],
  starts: Spans,
  step: number,
  from: number = Number.NEGATIVE_INFINITY,
  to: number = NEVER,
): number[] {
  const steps: number[] = [];
  eachRun(opened, starts, step, from, to, (first, end) => {
    for (let at = first; at < end; at += step) steps.push(at);
  });
  return steps;
}

/** How many those are, without any of them. */
export function countSteps(opened: readonly number[], starts: Spans, step: number, from: number, to: number): number {
  let count = 0;
  eachRun(opened, starts, step, from, to, (first, end) => {
    if (first < end) count += Math.ceil((end - first) / step);
  });
  return count;
}

/** From which step on, before which minute, they follow each other. */
function eachRun(
  opened: readonly number[],
  starts: Spans,
  step: number,
  from: number,
  to: number,
  run: (first: number, end: number) => void,
): void {
  let i = 0;
  for (let o = 0; o < opened.length; o += 2) {
    const opening = opened[o] ?? NEVER;
    const last = Math.min(opened[o + 1] ?? NEVER, to);
    while (i < starts.length && (starts[i + 1] ?? NEVER) <= opening) i += 2;
    for (let k = i; k < starts.length && (starts[k] ?? NEVER) < last; k += 2) {
      const first = Math.max(opening, starts[k] ?? NEVER, from);
      run(opening + Math.ceil((first - opening) / step) * step, Math.min(starts[k + 1] ?? NEVER, last));
    }
  }
}
