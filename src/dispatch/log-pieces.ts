import { sql } from 'drizzle-orm';
import type { Ctx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { changesAfter, readChange, snapshot } from '../data/log.ts';
import type { Position } from '../data/position.ts';
import type { LogPiece, WalkParts } from './walk.ts';

/** Changes in one piece; fewer where they are large. */
const PIECE = 100;
/** Pieces kept for lines that stand at the same place. */
const MOST_PIECES = 8;

/**
 * The log of a company as its lines walk it: read in pieces, each once for all lines that stand where it begins. Made for one
 * turn, so that nothing of an erased person is remembered for longer.
 * @param heads where the company was a moment ago: whoever stands there need not ask
 */
export function logPieces(ctx: Ctx, deps: Deps, companyId: string, heads: readonly Position[]): WalkParts['log'] {
  const pieces = new Map<string, Promise<LogPiece>>();
  const call = { database: deps.read, companyId, name: 'dispatch' };
  async function read(revision: number, entities: readonly string[]): Promise<LogPiece> {
    const {
      epoch,
      revision: last,
      rows,
    } = await snapshot(ctx, call, [
      changesAfter(revision, PIECE, { entities }),
      sql<{
        oldest: string | null;
      }>`/* dispatcher */ select min(revision) as oldest from changes where company_id = ${companyId}::uuid`,
    ]);
    const oldest = Number(rows[1][0]?.oldest ?? last + 1);
    return { head: { epoch, revision: last }, oldest, changes: rows[0].map(readChange) };
  }
  return {
    after({ epoch, revision }, entities) {
      const head = heads.find((one) => one.epoch === epoch && one.revision === revision);
      if (head !== undefined) return Promise.resolve({ head, oldest: 0, changes: [] });
      const key = `${revision} ${entities.join()}`;
      const piece = pieces.get(key) ?? read(revision, entities);
      pieces.set(key, piece);
      const [first] = pieces.keys();
      if (pieces.size > MOST_PIECES && first !== undefined) pieces.delete(first);
      return piece;
    },
    async renumbered(upTo) {
      // An epoch is a UUIDv7: what was written since it began has numbers of this history.
      const { rows } = await snapshot(ctx, call, [
        sql<{
          first: string | null;
        }>`/* dispatcher */ select min(c.revision) as first from changes c join company_heads h using (company_id)
          where company_id = ${companyId}::uuid and c.revision <= ${upTo} and c.changed_at >= uuid_extract_timestamp(h.epoch)`,
      ]);
      const first = rows[0][0]?.first ?? null;
      return first === null ? null : Number(first);
    },
  };
}
