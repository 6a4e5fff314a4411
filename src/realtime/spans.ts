/** From one moment to another, both included; ms. */
export type Span = { since: number; until: number };

/** Spans no farther apart become one, ms. */
const CLOSE = 60_000;
/** So many are kept apart: beyond, those that are closest become one. */
const MOST = 8;

/** With one more, in order and apart from each other. Covers all that they do, and as little else as they are few. */
export function joined(spans: readonly Span[], more: Span): Span[] {
  const all = [...spans, more].sort((a, b) => a.since - b.since);
  const apart: Span[] = [];
  for (const span of all) {
    const last = apart.at(-1);
    if (last !== undefined && span.since - last.until <= CLOSE) last.until = Math.max(last.until, span.until);
    else apart.push({ ...span });
  }
  if (apart.length <= MOST) return apart;
  const gaps = apart.slice(1).map(({ since }, at) => since - (apart[at]?.until ?? since));
  const at = gaps.indexOf(Math.min(...gaps));
  const [first, second] = apart.splice(at, 2);
  if (first !== undefined && second !== undefined) apart.splice(at, 0, { since: first.since, until: second.until });
  return apart;
}

export const covers = (spans: readonly Span[], moment: number): boolean =>
  spans.some(({ since, until }) => since <= moment && moment <= until);
