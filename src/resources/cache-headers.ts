import type { ReadAnswer } from '../data/answer.ts';

/** What every cached answer says of itself. */
export const cacheHeaders = (answer: ReadAnswer): Record<string, string> => ({
  ETag: answer.etag,
  'Cache-Control': 'private, no-cache',
  Vary: 'Authorization, Accept, Accept-Encoding',
  'X-Cache': answer.outcome,
  'Cache-Status': cacheStatus(answer),
});

/** RFC 9211. */
function cacheStatus(answer: { outcome: string; tier: string | null; stored: boolean }): string {
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
