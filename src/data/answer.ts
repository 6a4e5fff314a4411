import { matchesETag } from '../core/revision.ts';

/** What a read depends on. `key` names company, schema version, scope, route and query; `ttl` in seconds. */
export type ReadPlan = {
  companyId: string;
  key: string;
  representation: string;
  tags: readonly string[];
  ttl: number;
  staleIfError: boolean;
  /** Answers carry a Link, which only an entry knows. */
  linked: boolean;
};

/** What the caller demands: a revision at least, what it holds already, and whether to compute anew. */
export type ReadDemand = { min: number; ifNoneMatch: string | null; bypass: boolean };

/** A computed answer. Epoch and revision come from the snapshot of the rows (R2); `validUntil` in ms. */
export type Loaded = { epoch: string; revision: number; body: string; link: string | null; validUntil: number | null };

export type ReadAnswer = {
  status: 200 | 304;
  body: Uint8Array | null;
  revision: number;
  etag: string;
  link: string | null;
  outcome: 'HIT' | 'MISS' | 'STALE' | 'BYPASS';
  tier: 'memory' | 'edge' | 'redis' | null;
  stored: boolean;
};

/** Whether the caller holds this very answer; see `matchesETag`. */
export function holds(
  demand: ReadDemand,
  plan: ReadPlan,
  epoch: string,
  incarnation: string | null,
  revision: number,
  now: number,
): boolean {
  const { ifNoneMatch } = demand;
  return ifNoneMatch !== null && matchesETag(ifNoneMatch, epoch, incarnation, revision, plan.representation, now);
}

/** A 304 (RFC 9110, 15.4.5): what the caller holds is what a computation would give. */
export const unchanged = (
  revision: number,
  etag: string,
  tier: ReadAnswer['tier'],
  link: string | null,
): ReadAnswer => ({
  status: 304,
  body: null,
  revision,
  etag,
  link,
  outcome: 'HIT',
  tier,
  stored: false,
});
