import { sql } from 'drizzle-orm';
import { type Grant, type Listener, openTicket } from '../core/ticket.ts';
import { type Ctx, makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import { changesAfter, readChange, snapshot } from '../data/log.ts';
import type { Ended } from './ended.ts';
import type { Audience } from './hub/audience.ts';
import type { LogPage } from './hub/stream.ts';
import { Sockets } from './sockets.ts';

/** What a room is given by whoever knows the contexts. */
export type RoomParts = {
  deps: Deps;
  audience: Audience;
  /** Those of these listeners whose session or key lives, by its id, with what it grants now. @throws AppError */
  living(ctx: Ctx, companyId: string, listeners: readonly Listener[]): Promise<ReadonlyMap<string, Grant>>;
};

/** Changes in one answer of the log; fewer where they are large. */
const PAGE = 500;

/** The sockets of a company's room, with the log and the credentials as Postgres has them. */
export function openSockets(
  state: DurableObjectState,
  { deps, audience, living }: RoomParts,
  ended: Ended,
  companyOf: () => string,
) {
  const { settings } = deps;
  const ctx = (): Ctx => makeCtx(`room_${crypto.randomUUID()}`, (work) => state.waitUntil(work));
  return new Sockets(state, {
    audience,
    ended,
    limits: { ...settings.rooms, readsPerMinute: settings.rateLimitPerMinute },
    now: Date.now,
    unseal: (ticket) => openTicket(settings.cursorSecret, ticket, Date.now()),
    alive: (listeners) => living(ctx(), companyOf(), listeners),
    // By a name that tells nobody whose room it is.
    listening: (sockets) => deps.monitor().listening(state.id.toString(), sockets),
    async readLists(lists) {
      const call = { database: deps.read, companyId: companyOf(), name: 'lists' };
      const { epoch, revision, rows } = await snapshot(
        ctx(),
        call,
        lists.map((list) => list.count()),
      );
      return { epoch, revision, counted: rows.flatMap(([counted]) => counted ?? []) };
    },
    log: {
      async after(revision, most = PAGE): Promise<LogPage> {
        const companyId = companyOf();
        const oldest = sql<{
          oldest: string | null;
        }>`select min(revision) as oldest from changes where company_id = ${companyId}::uuid`;
        const call = { database: deps.read, companyId, name: 'room' };
        const {
          epoch,
          revision: head,
          rows,
        } = await snapshot(ctx(), call, [changesAfter(revision, Math.min(most, PAGE)), oldest]);
        const kept = rows[1][0]?.oldest ?? null;
        const changes = rows[0].map(readChange);
        // What nobody pushed is heard here.
        ended.hear(changes, audience, Date.now());
        return { epoch, head, oldest: kept === null ? null : Number(kept), changes };
      },
    },
  });
}
