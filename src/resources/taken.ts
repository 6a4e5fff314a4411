import type { SQL } from 'drizzle-orm';
import { settledSnapshot } from '../data/admit.ts';
import type { Admission } from '../data/caller.ts';
import type { Deps } from '../data/deps.ts';
import type { Snapshot } from '../data/log.ts';
import { type AppContext, claimantOf } from '../http/context.ts';

/** One snapshot for a read, of the replica where that will do; with `unsure` it settles the caller's life. */
export async function taken<const S extends readonly SQL[]>(
  c: AppContext,
  name: string,
  own: S,
  { min, unsure, isHeavy = false }: { min: number; unsure: Admission | null; isHeavy?: boolean },
): Promise<Snapshot<S>> {
  const { ctx, deps } = c.env;
  const { companyId } = claimantOf(c);
  const from = (database: Deps['read']): Promise<Snapshot<S>> =>
    settledSnapshot(ctx, { database, companyId, name, isHeavy }, unsure, own);
  // A replica may not know yet that a session or key has begun, or ended; without Redis nobody can tell how far it lags.
  const replica = unsure === null && deps.redis.fault === null ? deps.replica : null;
  const found = await from(replica ?? deps.read);
  // A replica that lags behind what is asked for, or known to exist, would be a step back (R2).
  const needed = Math.max(min, deps.tags.newest(companyId));
  return replica !== null && found.revision < needed ? from(deps.read) : found;
}
