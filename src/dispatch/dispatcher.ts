import { DurableObject } from 'cloudflare:workers';
import { AppError } from '../core/errors.ts';
import { type Ctx, makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { Attempt, AttemptQuery, Consumer, DispatcherApi, Line, Mark } from '../data/dispatch.ts';
import { callRoom } from '../data/rooms.ts';
import type { Env } from '../env.ts';
import { Flights } from './flights.ts';
import { LineStore } from './line-store.ts';
import { logPieces } from './log-pieces.ts';
import { KEEP_WITHIN, nextTurn, type RoomSays } from './next-turn.ts';
import { type Ending, walkAll } from './walk.ts';

export type DispatcherParts = { deps: Deps; consumers(ctx: Ctx): readonly Consumer[] };

/** How long one alarm works before it makes room for the next, ms. */
const TURN = 15_000;
/** When an alarm that died in the middle is repeated, ms. One that still works then is followed, never joined, by it. */
const LEASE = 2000;

/** How long a turn waits for receivers when somebody calls meanwhile, ms: what they take longer for goes on beside the next. */
const GRACE = 250;
/** When the alarm rings for lines under way, should the object be lost with them, ms. */
const LOST_WITHIN = 60_000;

/** Whose line it is. */
const kindOf = (name: string): string => name.slice(0, name.indexOf(':'));

/** The company was deleted: nobody follows it. */
const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'unauthenticated';

/** A turn that failed; names and codes alone. What is down is told by those who were asked for something. */
function report(error: unknown): void {
  if (error instanceof AppError && error.code !== 'internal_error') return;
  const cause = error instanceof AppError ? error.cause : error;
  const name = cause instanceof Error ? cause.name : typeof cause;
  console.error(JSON.stringify({ level: 'error', code: 'dispatch_failed', cause: name }));
}

/**
 * One per company whose log somebody follows: walks it for them, by alarm, each line at its own pace. Woken by the company's
 * room when the company has gone on, by its own alarm, and by the cron where both were lost. What it keeps may be lost too:
 * lines then begin where they were last written down.
 */
export abstract class LogDispatcher extends DurableObject<Env> implements DispatcherApi {
  /** Injected by index.ts: who follows is known to contexts only. */
  protected abstract parts(env: Env): DispatcherParts;

  readonly #store: LineStore;
  /** Somebody has called since the turn began: who follows, or from where, may be another. */
  #called = false;
  /** What the present turn waits for at most; another object is another turn. */
  #patience = Promise.withResolvers<void>();
  readonly #flights = new Flights();
  /** A line has ended after its turn, and is to be looked at in another. */
  #isLate = false;
  #failures = 0;
  /** Where the lines stood when the room last said that the company is further. */
  #doubted: number | null = null;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new LineStore(state.storage.sql, Date.now);
  }

  async wake(companyId: string, retry?: string): Promise<void> {
    this.#store.belongsTo(companyId);
    if (retry !== undefined) this.#store.hurry(retry);
    if (!this.#called) setTimeout(this.#patience.resolve, GRACE);
    this.#called = true;
    await this.#ringBy(Date.now());
  }

  async attempts(query: AttemptQuery): Promise<Attempt[]> {
    return this.#store.attempts(query);
  }

  override async alarm(): Promise<void> {
    const companyId = this.#store.companyId();
    if (companyId === null) return;
    // Whatever becomes of this turn, another one comes: the platform's own retries give up after six.
    await this.ctx.storage.setAlarm(Date.now() + LEASE);
    let next: number | null;
    try {
      next = await this.#turn(companyId);
      this.#failures = 0;
    } catch (error) {
      if (isGone(error)) this.#store.clear();
      else report(error);
      this.#failures += 1;
      next = isGone(error) ? null : Date.now() + Math.min(60_000, 500 * 2 ** this.#failures);
    }
    if (this.#flights.count > 0) next = Math.min(next ?? Number.POSITIVE_INFINITY, Date.now() + LOST_WITHIN);
    if (this.#called || this.#isLate) next = Date.now();
    if (next === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(next);
  }

  /** @returns when the next turn is due, ms; null when nobody follows @throws AppError when Postgres cannot be asked */
  async #turn(companyId: string): Promise<number | null> {
    const started = Date.now();
    const { deps, consumers } = this.parts(this.env);
    const ctx = makeCtx(`dispatch_${crypto.randomUUID()}`, (work) => this.ctx.waitUntil(work));
    const all = new Map(consumers(ctx).map((consumer) => [consumer.kind, consumer]));
    const of = (name: string): Consumer => {
      const consumer = all.get(kindOf(name));
      if (consumer === undefined) throw new Error('a line of nobody');
      return consumer;
    };
    this.#called = false;
    this.#isLate = false;
    const patience = Promise.withResolvers<void>();
    this.#patience = patience;
    const found = await Promise.all([...all.values()].map((consumer) => consumer.lines(companyId)));
    const lines = found.flatMap((each) => each.lines);
    const gone = this.#store.reconcile(lines);
    // Of a consumer that a deploy took away nobody keeps anything.
    await this.#letGo(companyId, gone, (name) => all.get(kindOf(name)));
    const heads = found.map(({ head }) => head);
    const log = logPieces(ctx, deps, companyId, heads);
    const pacing = { unit: deps.settings.webhooks.firstRetry, random: Math.random };
    const partsOf = (line: Line) => ({
      ...{ companyId, consumer: of(line.name), memory: this.#store, log, pacing },
      now: Date.now,
      mayGoOn: () => this.#patience === patience && !this.#called && Date.now() - started < TURN,
    });
    const free = lines.filter(({ name }) => !this.#flights.has(name));
    const endings = await walkAll(free, partsOf, { flights: this.#flights, letGo: patience.promise, late: this.#late });
    await this.#writeDown(companyId, of);
    const room = await this.#listen(ctx, deps, companyId, lines, endings);
    const waitsUntil = (name: string): number | null => this.#store.standing(name)?.notBefore ?? null;
    return nextTurn({ endings, waitsUntil, room, movedAt: this.#store.movedAt(), now: Date.now() });
  }

  /** Those who follow no more are written down and forgotten. */
  async #letGo(companyId: string, gone: readonly Mark[], of: (name: string) => Consumer | undefined): Promise<void> {
    for (const mark of gone) {
      await of(mark.name)?.keep(companyId, [mark]);
      this.#store.forget(mark.name);
    }
  }

  async #writeDown(companyId: string, of: (name: string) => Consumer): Promise<void> {
    const movedAt = this.#store.movedAt();
    if (movedAt === null || Date.now() < movedAt + KEEP_WITHIN) return;
    const marks = Map.groupBy(this.#store.moved(), ({ name }) => of(name));
    for (const [consumer, own] of marks) {
      await consumer.keep(companyId, own);
      this.#store.kept(own);
    }
  }

  /** Has the room call when the company goes on. */
  async #listen(
    ctx: Ctx,
    deps: Deps,
    companyId: string,
    lines: readonly Line[],
    endings: ReadonlyMap<string, Ending>,
  ): Promise<RoomSays> {
    const idle = lines.filter(({ name }) => endings.get(name) === 'head');
    const places = idle.flatMap(({ name }) => this.#store.standing(name)?.position ?? []);
    const [first] = places.sort((a, b) => a.revision - b.revision);
    if (first === undefined) return 'will call';
    const entities = [...new Set(idle.flatMap((line) => line.entities))];
    const doubted = this.#doubted;
    this.#doubted = null;
    try {
      if (!(await callRoom(ctx, () => deps.rooms(companyId).follow(companyId, first, entities)))) return 'will call';
    } catch {
      return 'silent';
    }
    this.#doubted = first.revision;
    return doubted === first.revision ? 'doubtful' : 'beyond';
  }

  readonly #late = (): void => {
    this.#isLate = true;
    this.ctx.waitUntil(this.#ringBy(Date.now()));
  };

  /** Has the alarm ring at this time (ms) at the latest. */
  async #ringBy(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }
}
