import type { ReadAnswer } from '../data/answer.ts';

/** What every cached answer of one kind says, as constants: as many as there are outcomes, tiers and types. */
const kinds = new Map<string, Readonly<Record<string, string>>>();

/** What a cached answer says of itself besides its ETag: the same object for all answers of its kind. */
export function fixedHeaders(answer: ReadAnswer, type: string): Readonly<Record<string, string>> {
  const cacheStatus = statusOf(answer);
  const kind = `${answer.outcome} ${type} ${cacheStatus}`;
  let headers = kinds.get(kind);
  if (headers === undefined) {
    headers = {
      'Content-Type': type,
      'Cache-Control': 'private, no-cache',
      Vary: 'Authorization, Accept, Accept-Encoding',
      'X-Cache': answer.outcome,
      'Cache-Status': cacheStatus,
    };
    kinds.set(kind, headers);
  }
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
