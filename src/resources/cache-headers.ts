import type { ReadAnswer } from '../data/answer.ts';

type Kinds = Map<ReadAnswer['outcome'], Map<ReadAnswer['tier'], Readonly<Record<string, string>>>>;

/** What every cached answer of one kind says, as constants: as many as there are types, outcomes and tiers. */
const kinds = new Map<string, Kinds>();

/** What a cached answer says of itself besides its ETag: the same object for all answers of its kind. */
export function fixedHeaders(answer: ReadAnswer, type: string): Readonly<Record<string, string>> {
  const { outcome, tier } = answer;
  const known = kinds.get(type)?.get(outcome)?.get(tier);
  if (known !== undefined) return known;
  const headers = {
    'content-type': type,
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Accept, Accept-Encoding',
    'x-cache': outcome,
    'cache-status': statusOf(answer),
  };
  const ofType: Kinds = kinds.get(type) ?? new Map();
  kinds.set(type, ofType.set(outcome, (ofType.get(outcome) ?? new Map()).set(tier, headers)));
  return headers;
}

/** RFC 9211. */
function statusOf(answer: ReadAnswer): string {
  switch (answer.outcome) {
    case 'HIT':
      return `ClientsPlus; hit; detail=${answer.tier}`;
    case 'STALE':
      // From a tier by the route's own bound; else what is left while nobody can compute a newer one.
      return answer.tier === null
        ? 'ClientsPlus; fwd=stale; detail=database-unavailable'
        : `ClientsPlus; hit; detail=${answer.tier}-outdated`;
    case 'BYPASS':
      return 'ClientsPlus; fwd=request; stored';
    default:
      return 'ClientsPlus; fwd=uri-miss; stored';
  }
}

/** RFC 9111, 5.2.1.4: the caller wants nothing that was computed before. */
export const asksForFresh = (cacheControl: string | null): boolean =>
  cacheControl !== null && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(cacheControl);
