import type { SQL } from 'drizzle-orm';
import { admit } from './admit.ts';
import { announceToRedis } from './announce.ts';
import type { Admission } from './caller.ts';
import type { Ctx } from './ctx.ts';
import type { Deps, Work } from './deps.ts';
import { type Committed, commit, type WriteCall } from './log.ts';
import { mayBeStored } from './outcome.ts';
import { touchedTags } from './registry.ts';
import { announceIntent, awaitTurn, tellRoom } from './rooms.ts';

/** Changes handed to the room with their announcement; it reads more of them from the log, if anybody listens. */
const MOST_PUSHED = 20;

/** A write of one company, and who must be admitted to it. */
type WriteOrder = Omit<WriteCall, 'database'> & {
  admission: Admission;
  /** What it weighs in the company's rate limit, which is also its pace. Default 1. */
  units?: number | undefined;
  /** Marks of what only one can have: while it waits for its turn, another write that takes one of them ends it. */
  takes?: readonly string[] | undefined;
};

/**
 * The way of every write: admission beside the room's `expect`, one transaction, then the announcement, Redis
 * awaited, the room not (R4): who listens is told beside it, all else of the room comes after it. Anchored as a whole, so a client that goes away neither undoes nor half-does it.
 * @throws AppError from admission and commit, Overtaken; nothing was changed then, unless `mayBeStored` says that it is not known
 */
export function write<const Q extends readonly SQL[]>(
  work: Work,
  order: WriteOrder,
  queries: Q,
): Promise<Committed<Q>> {
  const written = perform(work, order, queries);
  work.ctx.waitUntil(written.catch(() => undefined));
  return written;
}

async function perform<Q extends readonly SQL[]>(
  { ctx, deps }: Work,
  order: WriteOrder,
  queries: Q,
): Promise<Committed<Q>> {
  const { companyId, admission, units = 1, takes } = order;
  const room = deps.rooms(companyId);
  const intent = announceIntent(ctx, deps.rooms, companyId, units);
  // Whether the room may hold anything of it: not of a write that is refused its turn.
  let held = true;
  try {
    const [, standing] = await Promise.all([admit({ ctx, deps }, admission), intent]);
    if (standing === 'waiting') {
      held = false;
      await awaitTurn(ctx, deps.rooms, companyId, { units, takes }, deps.settings.databaseAcquireTimeout);
      held = true;
    }
    const committed = await commit(ctx, { ...order, database: deps.write }, queries);
    // Others wait for it, as this one did: the turn ends with the commit, not with its announcement.
    if (standing === 'waiting') tellRoom(ctx, 'free', () => room.free(ctx.requestId));
    const { epoch, base, head, changes } = committed;
    const range = { epoch, first: base + 1, last: head };
    const pushed = changes.length > MOST_PUSHED ? [] : changes;
    // Who reads at once asks for this revision, and is given nothing of before.
    if (standing === 'heard' && changes.length > 0) tellRoom(ctx, 'tell', () => room.tell(range, pushed));
    if (await announceChanges(ctx, deps, companyId, committed, admission)) {
      tellRoom(ctx, 'publish', () =>
        changes.length === 0
          ? room.settle(companyId, ctx.requestId)
          : room.publish(companyId, ctx.requestId, range, pushed),
      );
    } else if (standing === 'expected' || standing === 'heard') {
      // Redis did not take it: it stays expected, but an outage of Redis must not keep the company's turns.
      tellRoom(ctx, 'free', () => room.free(ctx.requestId));
    }
    return committed;
  } catch (error) {
    // What may be stored stays expected, and the room's alarm looks it up; only its turn is over.
    if (mayBeStored(error)) tellRoom(ctx, 'free', () => intent.then(() => room.free(ctx.requestId)));
    else if (held) tellRoom(ctx, 'settle', () => intent.then(() => room.settle(companyId, ctx.requestId)));
    throw error;
  }
}

/** Announces what a write logged. False when Redis did not take it: the room will, from the log. */
export async function announceChanges(
  ctx: Ctx,
  deps: Deps,
  companyId: string,
  committed: Pick<Committed, 'epoch' | 'base' | 'head' | 'changes'>,
  admission?: Admission,
): Promise<boolean> {
  if (committed.changes.length === 0) return true;
  const { epoch, base, head, changes } = committed;
  // More was logged than one answer holds: a gap at the head says of every tag that it may have been touched.
  const announcement =
    changes.length === head - base
      ? { epoch, first: base + 1, last: head, tags: touchedTags(deps.registry, changes) }
      : { epoch, first: head + 1, last: head, tags: {} };
  const told = await announceToRedis({ ctx, deps }, { companyId, ...announcement }, admission);
  // At once, and not when the expectation is due: whoever can read Redis goes on believing it until the room is through.
  if (!told) tellRoom(ctx, 'catchUp', () => deps.rooms(companyId).catchUp(companyId, { epoch, revision: head }));
  return told;
}
