import type { Ending } from './walk.ts';

/** What has moved is written down within this time, ms: so much is repeated at most where the object is lost. */
export const KEEP_WITHIN = 60_000;
/** Pause where the room says that there is more than the log shows, ms: it may have heard of what is not there. */
const DOUBT = 1000;
/** Pause where the room is out of reach, ms. */
const BLIND = 15_000;

/**
 * What the company's room answers who wants to be called: that it will; that the company is further already; the same again,
 * although the log showed nothing new; nothing.
 */
export type RoomSays = 'will call' | 'beyond' | 'doubtful' | 'silent';

type Outlook = {
  endings: ReadonlyMap<string, Ending>;
  waitsUntil(name: string): number | null;
  room: RoomSays;
  /** Since when something is not written down, ms. */
  movedAt: number | null;
  now: number;
};

/** When the dispatcher's next turn is due, ms; null where it has nothing to do until it is called. */
export function nextTurn({ endings, waitsUntil, room, movedAt, now }: Outlook): number | null {
  const due: number[] = [];
  for (const [name, ending] of endings) {
    if (ending === 'more' || ending === 'stopped') due.push(now);
    if (ending === 'waits') due.push(waitsUntil(name) ?? now);
  }
  if (room === 'beyond') due.push(now);
  if (room === 'doubtful') due.push(now + DOUBT);
  if (room === 'silent') due.push(now + BLIND);
  if (movedAt !== null) due.push(movedAt + KEEP_WITHIN);
  return due.length === 0 ? null : Math.max(now, Math.min(...due));
}
