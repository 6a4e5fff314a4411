import unsafe from 'workerd:unsafe';
import worker, { Dispatcher, Jobs, Monitor, RedisWatch, CompanyRoom as Room } from '../../src/index.ts';

// Stands before the bundle in workerd (test/support/rigged.ts): rooms as they are deployed, to which announcements come as over a
// bad line, and which can be killed. What is told by `fetch` is told to this isolate, where its rooms live as well.

export { Dispatcher, Jobs, Monitor, RedisWatch };

/** Each the chance of an announcement, from 0 to 1. What is late is up to so many ms, so that it comes in any order. */
export type Line = { dropped: number; doubled: number; late: number; mostMs: number };

export type RoomOrder =
  /** Of this company, or of all that have none of their own. */
  | { do: 'line'; line: Line }
  /** So many alarms of this company's room find that its storage fails. */
  | { do: 'fail alarms'; count: number }
  /** From now on the storage of this company's room fails statements with these words; null: none. */
  | { do: 'fail'; statements: string | null }
  /** The clock of the isolate is so many ms ahead of the platform's, by which alarms ring. */
  | { do: 'step'; ahead: number }
  | { do: 'kill' }
  /** Its memory ends, as soon as nothing is under way in it; its sockets stay, as when the platform has it sleep. */
  | { do: 'sleep' }
  | { do: 'report' };

/** `begun`: how often this room's constructor ran in the life of the isolate. */
export type RoomReport = {
  begun: number;
  alarmsFailed: number;
  statementsFailed: number;
  dropped: number;
  doubled: number;
  late: number;
};

const GOOD: Line = { dropped: 0, doubled: 0, late: 0, mostMs: 0 };
const ORDERS = '/rooms-of-a-test/';

let line = GOOD;
/** Of companies whose line is another. */
const lines = new Map<string, Line>();
const reports = new Map<string, RoomReport>();
const toFail = new Map<string, number>();
/** By company, the words of statements that fail. */
const failing = new Map<string, string>();
let ahead = 0;
const { now } = Date;
Date.now = () => now() + ahead;

function reportOf(companyId: string): RoomReport {
  const report = reports.get(companyId) ?? {
    begun: 0,
    alarmsFailed: 0,
    statementsFailed: 0,
    dropped: 0,
    doubled: 0,
    late: 0,
  };
  reports.set(companyId, report);
  return report;
}

const lineOf = (companyId: string): Line => lines.get(companyId) ?? line;

const chance = (p: number): boolean => Math.random() < p;

/** Has the statements of a room fail that are to. */
function rig(sql: SqlStorage, companyId: string): void {
  const exec = sql.exec.bind(sql);
  const rigged: SqlStorage['exec'] = (text, ...values) => {
    const words = failing.get(companyId);
    if (words === undefined || !text.includes(words)) return exec(text, ...values);
    reportOf(companyId).statementsFailed += 1;
    throw new Error('a storage that a test has fail');
  };
  Object.defineProperty(sql, 'exec', { configurable: true, value: rigged });
}

export class CompanyRoom extends Room {
  readonly #companyId: string;

  constructor(state: DurableObjectState, env: ConstructorParameters<typeof Room>[1]) {
    rig(state.storage.sql, state.id.name ?? '');
    super(state, env);
    this.#companyId = state.id.name ?? '';
    reportOf(this.#companyId).begun += 1;
  }

  override tell(...said: Parameters<Room['tell']>): Promise<void> {
    return this.#overLine(() => super.tell(...said));
  }

  override publish(...said: Parameters<Room['publish']>): Promise<void> {
    return this.#overLine(() => super.publish(...said));
  }

  async #overLine(say: () => Promise<void>): Promise<void> {
    const report = reportOf(this.#companyId);
    const line = lineOf(this.#companyId);
    if (chance(line.dropped)) {
      report.dropped += 1;
      return;
    }
    const times = chance(line.doubled) ? 2 : 1;
    report.doubled += times - 1;
    for (let time = 0; time < times; time += 1) {
      if (chance(line.late)) {
        report.late += 1;
        // Nobody waits for it: the writer's call has ended, as where the answer alone was lost.
        setTimeout(() => void say().catch(() => undefined), Math.random() * line.mostMs);
      } else await say();
    }
  }

  override async alarm(): Promise<void> {
    const left = toFail.get(this.#companyId) ?? 0;
    if (left === 0) return super.alarm();
    toFail.set(this.#companyId, left - 1);
    reportOf(this.#companyId).alarmsFailed += 1;
    failing.set(this.#companyId, '');
    try {
      await super.alarm();
    } finally {
      failing.delete(this.#companyId);
    }
  }

  async kill(): Promise<void> {
    this.ctx.abort('killed by a test');
  }
}

export default {
  ...worker,
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(ORDERS)) return worker.fetch(request, env, context);
    const companyId = pathname.slice(ORDERS.length);
    const order = (await request.json()) as RoomOrder;
    if (order.do === 'line' && companyId === '') line = order.line;
    else if (order.do === 'line') lines.set(companyId, order.line);
    if (order.do === 'fail alarms') toFail.set(companyId, order.count);
    if (order.do === 'step') ahead = order.ahead;
    if (order.do === 'fail' && order.statements !== null) failing.set(companyId, order.statements);
    else if (order.do === 'fail') failing.delete(companyId);
    const room = env.ROOMS.get(env.ROOMS.idFromName(companyId));
    if (order.do === 'sleep') await unsafe.evict(room, { webSockets: 'hibernate' });
    // The call ends with the room.
    if (order.do === 'kill') await (room as unknown as CompanyRoom).kill().catch(() => undefined);
    return Response.json(reportOf(companyId));
  },
} satisfies typeof worker;
