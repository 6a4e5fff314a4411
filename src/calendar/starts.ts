/** Sets of starts: at which minutes something of a given shape may begin. A set of starts is spans of minutes as well. */
import { covered, type Spans, without } from './spans.ts';

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

/** Those of the starts from where no piece of the shape meets what is taken. */
export function startsClear(starts: Spans, taken: Spans, shape: Spans): Spans {
  let clear = starts;
  for (let i = 0; i < shape.length; i += 2) {
    // `[start + from, start + to)` meets `[a, b)` for the starts from a - to + 1 to before b - from.
    clear = without(clear, taken, 1 - (shape[i + 1] ?? NEVER), -(shape[i] ?? NEVER));
  }
  return clear;
}

/** Starts at which at least `count` of these sets have one. */
export const startsOfAtLeast = (sets: readonly Spans[], count: number): Spans => covered(sets.flat(), count);

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
