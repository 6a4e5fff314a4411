import { DurableObject } from 'cloudflare:workers';
import { AppError } from '../core/errors.ts';
import { readUpgrade } from '../core/upgrade.ts';
import type { Change } from '../data/log.ts';
import { isBefore, type Position } from '../data/position.ts';
import { takenMarks } from '../data/registry.ts';
import type { LogRange, RoomApi, Turn } from '../data/rooms.ts';
import type { Env } from '../env.ts';
import { AlarmClock } from './alarm-clock.ts';
import { CompanyRelay } from './company-relay.ts';
import { doAll, earliest } from './duties.ts';
import { Ended } from './ended.ts';
import { Expectations } from './expectations.ts';
import { callDispatcher, Follower } from './follower.ts';
import { openSockets, type RoomParts } from './listening.ts';
import { News } from './news.ts';
import { dueAt, longestWrite, RETRY } from './patience.ts';
import type { Sockets } from './sockets.ts';
import { openDesk, type TurnDesk } from './turn-desk.ts';

/** The company was deleted: there is nothing to announce, and nobody to announce it to. */
const isGone = (error: unknown): boolean => error instanceof AppError && error.code === 'unauthenticated';

/**
 * One per company: its relay, and where its sockets are. Every write announces itself here before it commits; when the Worker died or Redis failed
 * before the announcement, the alarm reads the log and announces what was left. State is a handful of rows, because the
 * room may be evicted at any moment.
 */
export abstract class Room extends DurableObject<Env> implements RoomApi {
  /** Injected by index.ts: the room reaches what contexts know only through these. */
  protected abstract parts(env: Env): RoomParts;

  readonly #relay: CompanyRelay;
  readonly #expectations: Expectations;
  readonly #follower: Follower;
  readonly #ended: Ended;
  readonly #alarm: AlarmClock;
  #turnDesk: TurnDesk | null = null;
  readonly #news = new News((ms, work) => void setTimeout(work, ms));
  /** Made when somebody listens first: most rooms are relays alone. */
  #sockets: Sockets | null = null;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const { sql } = state.storage;
    this.#expectations = new Expectations(sql);
    this.#follower = new Follower(sql);
    this.#ended = new Ended(sql);
    this.#alarm = new AlarmClock(state.storage);
    this.#relay = new CompanyRelay(
      sql,
      () => this.parts(env).deps,
      (work) => state.waitUntil(work),
    );
    if (state.getWebSockets().length > 0) this.#sockets = this.#openSockets();
  }

  async expect(companyId: string, requestId: string, units = 1): Promise<boolean | 'heard'> {
    if (!this.#desk.begin(requestId, units)) return false;
    await this.#expect(companyId, requestId);
    return this.#sockets?.isHeard === true ? 'heard' : true;
  }

  async turn(
    companyId: string,
    requestId: string,
    patience: number,
    units = 1,
    takes: readonly string[] = [],
  ): Promise<Turn> {
    const turn = await this.#desk.wait(requestId, units, patience, takes);
    if (turn !== true) return turn;
    // Expected from now on: while it waited there was nothing to find.
    await this.#expect(companyId, requestId);
    return true;
  }

  async free(requestId: string): Promise<void> {
    this.#desk.end(requestId);
  }

  async tell({ epoch, last }: LogRange, changes: readonly Change[]): Promise<void> {
    this.#pass({ epoch, revision: last }, changes);
  }

  async publish(
    _companyId: string,
    requestId: string,
    { epoch, first, last }: LogRange,
    changes: readonly Change[],
  ): Promise<void> {
    // First, because whoever listens waits for nothing else.
    const whole = changes.length === last - first + 1;
    this.#tell({ epoch, revision: last }, changes, whole);
    // What was not handed over may have taken anything.
    if (this.#desk.isContested)
      this.#desk.taken(whole ? takenMarks(this.parts(this.env).deps.registry, changes) : null);
    this.#forget(requestId);
    this.#relay.announced({ epoch, revision: last }, Date.now());
    await this.#alarm.ringBy(this.#relay.nextLook());
  }

  async settle(_companyId: string, requestId: string): Promise<void> {
    this.#forget(requestId);
  }

  async catchUp(companyId: string, committed?: Position): Promise<boolean> {
    this.#relay.belongsTo(companyId);
    if (committed !== undefined) {
      this.#relay.committed(committed);
      this.#tell(committed, []);
    }
    const now = Date.now();
    // Before it is tried: whatever ends this call, the alarm goes on.
    this.#expectations.owe(now);
    await this.#alarm.ringBy(now + RETRY);
    const done = await this.#catchUp(companyId, now);
    if (done) this.#expectations.settleDebt();
    await this.#alarm.ringBy(this.#relay.nextLook());
    return done;
  }

  async suspect(companyId: string, epoch: string, revision: number): Promise<void> {
    this.#relay.belongsTo(companyId);
    this.#relay.suspected({ epoch, revision }, Date.now());
    this.#tell({ epoch, revision }, []);
    await this.#alarm.ringBy(this.#relay.nextLook());
  }

  async news(companyId: string, beyond: Position, patience: number, entities?: readonly string[]): Promise<boolean> {
    this.#relay.belongsTo(companyId);
    const position = this.#relay.position();
    if (position !== null && isBefore(beyond, position)) return true;
    return this.#news.wait({ beyond, entities }, patience);
  }

  async follow(companyId: string, beyond: Position, entities: readonly string[]): Promise<boolean> {
    this.#relay.belongsTo(companyId);
    return this.#follower.follow(beyond, entities, this.#relay.position());
  }

  async end(credentials: readonly string[]): Promise<void> {
    for (const credential of credentials) this.#sockets?.end(credential);
    this.#ended.add(credentials, Date.now());
  }

  /** An upgrade to a WebSocket, which the Worker has looked at. */
  override async fetch(request: Request): Promise<Response> {
    const upgrade = readUpgrade(request.headers);
    this.#relay.belongsTo(upgrade.companyId);
    this.#sockets ??= this.#openSockets();
    const response = await this.#sockets.accept(upgrade, request.headers.get('Sec-WebSocket-Protocol'));
    await this.#alarm.ringBy(this.#sockets.nextSweep());
    return response;
  }

  override webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): void {
    // Not waited for: what is read from the log would hold up the socket's own pings.
    if (this.#sockets === null) return;
    this.ctx.waitUntil(this.#sockets.heard(socket, frame));
    // Where the clock stepped back, the alarm would be as late as that.
    void this.#alarm.ringBy(this.#sockets.nextSweep()).catch(() => undefined);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#sockets?.closed(socket);
  }

  /** What it sent was no frame: nothing else is heard of it. */
  override webSocketError = this.webSocketClose;

  override async alarm(): Promise<void> {
    this.#alarm.rings();
    await this.#alarm.ringBy(await doAll([() => this.#sockets?.sweep(), () => this.#announce()]));
  }

  /** @returns when to look again, ms */
  async #announce(): Promise<number | null> {
    const now = Date.now();
    const companyId = this.#relay.companyId();
    if (companyId === null) return null;
    const due = this.#expectations.anyDue(now);
    try {
      // Both: a look that is due and never taken rings again at once. Retries are ours: the platform's own back off too far.
      const isKnown = await this.#relay.look(now);
      if ((due && !(await this.#catchUp(companyId, now))) || !isKnown) return Date.now() + RETRY;
    } catch (error) {
      if (!isGone(error)) return Date.now() + RETRY;
      this.#expectations.clear();
      return null;
    }
    if (due) {
      this.#expectations.settleDebt();
      this.#expectations.forgetOver(now, longestWrite(this.parts(this.env).deps.settings.databaseAcquireTimeout));
    }
    return earliest(this.#expectations.nextLook(now), this.#relay.nextLook());
  }

  /** Announces what is left, to those who listen as well. */
  async #catchUp(companyId: string, now: number): Promise<boolean> {
    const done = await this.#relay.catchUp(companyId, now);
    const position = this.#relay.position();
    if (position !== null) this.#tell(position, []);
    return done;
  }

  /** Whoever listens, waits or follows hears where the company is. `isAll`: these changes lead there. */
  #tell(end: Position, changes: readonly Change[], isAll = false): void {
    this.#pass(end, changes);
    const all = isAll ? changes : null;
    this.#news.reached(end, all);
    if (this.#follower.reached(end, all)) this.#callDispatcher();
  }

  /** To those who listen, and kept in mind for those who are about to. */
  #pass(end: Position, changes: readonly Change[]): void {
    try {
      if (changes.length > 0) this.#ended.hear(changes, this.parts(this.env).audience, Date.now());
    } finally {
      this.#sockets?.published(end, changes);
    }
  }

  #callDispatcher(): void {
    const companyId = this.#relay.companyId();
    if (companyId !== null) callDispatcher(this.parts(this.env).deps, companyId, (work) => this.ctx.waitUntil(work));
  }

  #openSockets(): Sockets {
    return openSockets(this.ctx, this.parts(this.env), this.#ended, () => this.#relay.companyId() ?? '');
  }

  get #desk(): TurnDesk {
    this.#turnDesk ??= openDesk(this.parts(this.env).deps.settings.rateLimitPerMinute);
    return this.#turnDesk;
  }

  async #expect(companyId: string, requestId: string): Promise<void> {
    const now = Date.now();
    this.#relay.belongsTo(companyId);
    this.#expectations.add(requestId, now);
    await this.#alarm.ringBy(dueAt(now));
  }

  #forget(requestId: string): void {
    this.#expectations.forget(requestId);
    this.#desk.end(requestId);
  }
}
