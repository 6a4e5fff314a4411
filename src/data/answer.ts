import { matchesETag, type Named } from '../core/revision.ts';
import type { LargeBody } from './large-body.ts';

/** What a read depends on. `key` names company, schema version, scope, route and query; `ttl` in seconds. */
export type ReadPlan = {
  companyId: string;
  key: string;
  representation: string;
  tags: readonly string[];
  ttl: number;
  /** Answers carry a Link, which only an entry knows. */
  linked: boolean;
  /** How old an answer may be that writes have outdated, ms: it is given at once, and computed anew behind. Absent: none is. */
  maxStale?: number;
};

/** What the caller demands: a revision at least, what it holds already, and whether to compute anew. */
export type ReadDemand = { min: number; ifNoneMatch: string | null; bypass: boolean };

/** A computed answer. Epoch and revision come from the snapshot of the rows (R2); `validUntil` in ms. */
export type Loaded = {
  epoch: string;
  revision: number;
  body: string | LargeBody;
  link: string | null;
  validUntil: number | null;
};

export type ReadAnswer = {
  status: 200 | 304;
  body: Uint8Array | LargeBody | null;
  revision: number;
  etag: string;
  link: string | null;
  outcome: 'HIT' | 'MISS' | 'STALE' | 'BYPASS';
  tier: 'memory' | 'edge' | 'redis' | null;
  stored: boolean;
};

/** Whether the caller holds this very answer; see `matchesETag`. */
export const holds = ({ ifNoneMatch }: ReadDemand, named: Named, now: number): boolean =>
  ifNoneMatch !== null && matchesETag(ifNoneMatch, named, now);

/** A 304 (RFC 9110, 15.4.5): what the caller holds is what a computation would give. */
export const unchanged = (of: Pick<ReadAnswer, 'revision' | 'etag' | 'tier' | 'link'>): ReadAnswer => ({
  ...of,
  status: 304,
  body: null,
  outcome: 'HIT',
  stored: false,
});
