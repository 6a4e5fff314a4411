import { AppError } from '../core/errors.ts';
import { Breaker } from './breaker.ts';
import { behind, type Ctx } from './ctx.ts';
import type { Change } from './log.ts';
import type { Position } from './position.ts';

/** What a write tells its company's room (a Durable Object), which is the company's relay. */
export type RoomApi = {
  /**
   * Arms the alarm: a write with this id may commit soon. False: it is not its turn yet, see `turn`. `heard`: somebody listens,
   * whom `tell` would reach sooner.
   */
  expect(companyId: string, requestId: string, units?: number): Promise<boolean | 'heard'>;
  /** Waits for the turn of a write, at most `patience` ms, or until another one takes one of these marks. */
  turn(
    companyId: string,
    requestId: string,
    patience: number,
    units?: number,
    takes?: readonly string[],
  ): Promise<Turn>;
  /** The write committed, its announcement is under way: its turn is another's. */
  free(requestId: string): Promise<void>;
  /** A write committed up to `last`, and Redis is being told: whoever listens need not wait for that. */
  tell(range: LogRange, changes: readonly Change[]): Promise<void>;
  /**
   * The write committed and Redis knows `first..last`. Clears the expectation.
   * @param changes what was logged, for whoever listens; none where that would be too much for a call
   */
  publish(companyId: string, requestId: string, range: LogRange, changes: readonly Change[]): Promise<void>;
  /** The write ended without a change. Clears the expectation. */
  settle(companyId: string, requestId: string): Promise<void>;
  /** Announces whatever the log holds beyond what Redis knows; true when all of it is. */
  catchUp(companyId: string, committed?: { epoch: string; revision: number }): Promise<boolean>;
  /** Somebody saw the company at this revision, and Redis behind it: the room looks after it in a moment. */
  suspect(companyId: string, epoch: string, revision: number): Promise<void>;
  /** Waits for a change of one of these entities beyond this position, at most `patience` ms; true: there may be one. */
  news(companyId: string, beyond: Position, patience: number, entities?: readonly string[]): Promise<boolean>;
  /**
   * Has the room call the company's dispatcher, once, when the company goes on beyond this position by a change of one of these
   * entities. True: it is beyond it already.
   */
  follow(companyId: string, beyond: { epoch: string; revision: number }, entities: readonly string[]): Promise<boolean>;
  /** These sessions and keys have ended: whoever listens with one hears nothing more. */
  end(credentials: readonly string[]): Promise<void>;
};

/**
 * True: a write's turn has come, and it is expected. Else the room has forgotten it: because another one has taken what it
 * was to take (`overtaken`), at once because so many wait (`full`), or after its patience; by the company's pace a turn could come
 * in `again` ms.
 */
export type Turn = true | 'overtaken' | { full: boolean; again: number };

/** Revisions that follow each other, both ends included. */
export type LogRange = { epoch: string; first: number; last: number };

/** A room as it is called; `fetch` hands it an upgrade to a WebSocket. */
export type RoomStub = RoomApi & { fetch(url: string, init: { headers: Record<string, string> }): Promise<Response> };

export type Rooms = (companyId: string) => RoomStub;

const ATTEMPTS = 3;

/** Longest wait for an object that does more than take a note, ms. */
const DEADLINE = 10_000;
/** Longest wait for a room before a write, ms: one far away that has to be started needs a part of it. */
const NOTE_DEADLINE = 2000;

/**
 * Calls a room, retrying only what the platform says is worth it; counts one trip per call. The deadline is a timer of the
 * caller's own, because a call to an object that hangs never settles.
 */
export async function callRoom<T>(ctx: Ctx, call: () => Promise<T>, deadline: number = DEADLINE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer of the room within ${deadline} ms`)), deadline);
  });
  try {
    return await Promise.race([attempts(ctx, call), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempts<T>(ctx: Ctx, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      ctx.trips.room += 1;
      return await call();
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (attempt === ATTEMPTS || retryable !== true || overloaded === true) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));
    }
  }
}

/** Tells a room something behind the answer: nobody waits for it, and a room that hangs holds nothing up. */
export function tellRoom(ctx: Ctx, what: string, call: () => Promise<unknown>): void {
  ctx.waitUntil(callRoom(behind(ctx), call, NOTE_DEADLINE).catch(() => ctx.note('roomError', what)));
}

const MOST_SILENT = 1000;
/** Rooms that did not answer, so that not every write pays the deadline. Plain numbers, bounded. */
const silent = new Map<string, Breaker>();

/** For how long a room is believed to be full, ms: hardly a turn is given away, and no crowd asks for each refusal. */
const BELIEVED = 500;
/** Rooms that were full: when they said so, and when a turn could come, ms. Plain numbers, bounded. */
const full = new Map<string, { said: number; free: number }>();

/** When a turn could come in a room that was full a moment ago; null of any other. */
function freeAt(companyId: string, now: number): number | null {
  const room = full.get(companyId);
  if (room === undefined) return null;
  if (Math.abs(now - room.said) < BELIEVED) return room.free;
  full.delete(companyId);
  return null;
}

/** How a write stands with its company's room: expected, and `heard` by somebody, told to wait for its turn, or unknown to a room out of reach. */
export type Standing = 'expected' | 'heard' | 'waiting' | 'unreached';

/** Tells the room of a write. A room out of reach must not stop a salon's work; the sweep still finds a crash then. */
export async function announceIntent(ctx: Ctx, rooms: Rooms, companyId: string, units: number): Promise<Standing> {
  const breaker = silent.get(companyId);
  if (breaker !== undefined && !breaker.admits(ctx.now())) {
    ctx.note('roomError', 'open');
    return 'unreached';
  }
  // Its caller may yet be refused for something else.
  if (freeAt(companyId, ctx.now()) !== null) return 'waiting';
  try {
    const expect = (): Promise<boolean | 'heard'> => rooms(companyId).expect(companyId, ctx.requestId, units);
    const begun = await callRoom(ctx, expect, NOTE_DEADLINE);
    silent.delete(companyId);
    if (begun === 'heard') return begun;
    return begun === false ? 'waiting' : 'expected';
  } catch {
    ctx.note('roomError', 'expect');
    if (silent.size >= MOST_SILENT) silent.clear();
    const failing = silent.get(companyId) ?? new Breaker(2, 5000);
    silent.set(companyId, failing);
    failing.failed(ctx.now());
    return 'unreached';
  }
}

/**
 * Waits in the room, not in a backend, until it is this write's turn.
 * @throws AppError busy when it did not come in time, or could not; Overtaken; the room has forgotten the write then
 */
export async function awaitTurn(
  ctx: Ctx,
  rooms: Rooms,
  companyId: string,
  { units, takes }: { units: number; takes?: readonly string[] | undefined },
  patience: number,
): Promise<Standing> {
  const asked = ctx.now();
  const free = freeAt(companyId, asked);
  if (free !== null) throw crowded(free - asked);
  const wait = (): Promise<Turn> => rooms(companyId).turn(companyId, ctx.requestId, patience, units, takes);
  let turn: Turn;
  try {
    turn = await callRoom(ctx, wait, patience + NOTE_DEADLINE);
  } catch {
    ctx.note('roomError', 'turn');
    return 'unreached';
  }
  const now = ctx.now();
  if (turn === true) {
    ctx.note('turnMs', now - asked);
    return 'expected';
  }
  if (turn === 'overtaken') throw new Overtaken();
  if (turn.full) {
    if (full.size >= MOST_SILENT) full.clear();
    full.set(companyId, { said: now, free: now + turn.again });
  }
  throw crowded(turn.again);
}

/** While a write waited for its turn another one took what it was to take: nothing was done, and it is to be planned again. */
export class Overtaken extends AppError {
  constructor() {
    super('snapshot_conflict');
  }
}

/** @param again ms until a turn could come */
export const crowded = (again: number): AppError =>
  new AppError('busy', 'Many writes of this company are under way. Nothing was changed; try again.', {
    extra: { retryAfter: Math.max(2, Math.ceil(again / 1000)) },
  });

/** Pause of whoever waits for news while the room is out of reach, ms. */
const BLIND_PAUSE = 2000;

/**
 * Waits until one of these entities may have changed beyond this position, at most `patience` ms. False: none has, as far as the
 * company's room knows.
 */
export async function awaitNews(
  { ctx, deps }: { ctx: Ctx; deps: { rooms: Rooms } },
  companyId: string,
  { beyond, entities }: { beyond: Position; entities: readonly string[] },
  patience: number,
): Promise<boolean> {
  const began = ctx.now();
  try {
    const news = (): Promise<boolean> => deps.rooms(companyId).news(companyId, beyond, patience, entities);
    return await callRoom(ctx, news, patience + NOTE_DEADLINE);
  } catch {
    ctx.note('roomError', 'news');
    await new Promise((resolve) => setTimeout(resolve, Math.min(BLIND_PAUSE, patience)));
    return true;
  } finally {
    ctx.times.wait += ctx.now() - began;
  }
}

/** An upgrade that is answered by a close: a browser cannot read the status of a refused one, but the code. */
export function closedSocket(code: number, reason: string, protocol: string | null): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.close(code, reason);
  const headers = protocol === null ? {} : { 'Sec-WebSocket-Protocol': protocol };
  return new Response(null, { status: 101, webSocket: client, headers });
}
