import { sql } from 'drizzle-orm';
import { AppError, type Fault } from '../../core/errors.ts';
import { queryRefusal, strayParameters } from '../../core/query-values.ts';
import { type Change, changesAfter, readChange, snapshot } from '../../data/log.ts';
import { awaitNews } from '../../data/rooms.ts';
import { type AppContext, type Principal, principalOf } from '../../http/context.ts';
import type { QueryParameter } from '../../http/route.ts';
import { sendJson } from '../../http/send.ts';
import { admitted, laterSnapshot, reached } from '../../resources/admitted.ts';

/** The parameters of every reader of the log. */
export const LOG_QUERY = {
  after: {
    kind: 'integer',
    minimum: 0,
    description: 'What came after this revision; 0 from the very first, absent from the oldest that is kept (90 days).',
  },
  epoch: { description: 'The epoch the position belongs to; another one answers 409 epoch_changed.' },
  limit: {
    kind: 'integer',
    minimum: 1,
    maximum: 500,
    fallback: 100,
    description: 'Changes per answer; fewer come where they are large. All are read when none come.',
  },
} as const satisfies Record<string, QueryParameter>;

/** How long an answer without changes may wait for one. */
export const WAIT = {
  wait: {
    kind: 'integer',
    minimum: 0,
    maximum: 25,
    fallback: 0,
    description: 'Seconds to wait for a change that the caller may see, where there is none yet.',
  },
} as const satisfies Record<string, QueryParameter>;

/** `after` is null for whatever is kept; `wait` is in seconds. */
type Position = { after: number | null; epoch: string | null; limit: number; wait: number };

function parse(params: URLSearchParams, allowed: readonly string[]): Position {
  const faults: Fault[] = [];
  const read = (name: string, fallback: number, low: number, high: number): number => {
    const text = params.get(name);
    if (text === null) return fallback;
    const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    faults.push({ parameter: name, code: 'out_of_range', detail: `Must be a whole number from ${low} to ${high}.` });
    return fallback;
  };
  const after = params.has('after') ? read('after', 0, 0, Number.MAX_SAFE_INTEGER) : null;
  const limit = read('limit', 100, 1, 500);
  const wait = allowed.includes('wait') ? read('wait', 0, 0, 25) : 0;
  faults.push(...strayParameters(params, allowed));
  if (faults.length > 0) throw queryRefusal(faults);
  return { after, limit, wait, epoch: params.get('epoch') };
}

/** Between two looks for news that the log does not show, ms. */
const PAUSE = 250;

/** One way to read the log: who may, which parameters it takes besides, and how a change is shown (null: not to them). */
type LogReader = {
  name: string;
  permission: string;
  parameters: readonly string[];
  /** Narrows the log to one object; null: to none. */
  entityId?(params: URLSearchParams, c: AppContext): string | null;
  show(change: Change, principal: Principal, c: AppContext): Record<string, unknown> | null;
};

/** GET of the company log after a position, as far as the caller may see it. Never cached: it is the truth itself. */
export function readLog(reader: LogReader): (c: AppContext) => Promise<Response> {
  return async function readLogAfter(c) {
    const { ctx, deps } = c.env;
    const principal = principalOf(c);
    const { searchParams } = new URL(c.req.url);
    const { min, query: position } = await admitted(c, { permission: reader.permission, weight: 1 }, () =>
      parse(searchParams, [...Object.keys(LOG_QUERY), ...reader.parameters]),
    );
    const { companyId } = principal;
    // In SQL, not afterwards: a page of what the caller may not see would look like the end of the log.
    const entities = [...deps.registry.values()]
      .filter(({ permission }) => principal.may(permission))
      .map(({ entity }) => entity);
    const entityId = reader.entityId?.(searchParams, c) ?? null;
    const call = { database: deps.read, companyId, name: reader.name };
    const { epoch, revision, rows } = await snapshot(ctx, call, [
      changesAfter(position.after ?? 0, position.limit, { entities, entityId }),
      sql<{ oldest: string | null }>`select min(revision) as oldest from changes where company_id = ${companyId}::uuid`,
    ]);
    reached(revision, min);
    if (position.epoch !== null && position.epoch !== epoch) {
      throw new AppError('epoch_changed', 'The history was replaced. Load again and start from its head.', {
        extra: { epoch, head: revision },
      });
    }
    const oldest = Number(rows[1][0]?.oldest ?? revision + 1);
    if (position.after !== null && position.after < oldest - 1) {
      throw new AppError('window_exceeded', `The log is kept from revision ${oldest}.`, {
        extra: { oldest, head: revision },
      });
    }
    const shownOf = (changes: (typeof rows)[0]) =>
      changes.map((row) => reader.show(readChange(row), principal, c)).filter((shown) => shown !== null);
    let [piece, head] = [rows[0], revision];
    let data = shownOf(piece);
    const readOn = async (after: number): Promise<void> => {
      const later = await laterSnapshot(c, call, [changesAfter(after, position.limit, { entities, entityId })]);
      if (later.epoch !== epoch) throw new AppError('busy', undefined, { extra: { retryAfter: 1 } });
      [piece, head] = [later.rows[0], later.revision];
      data = shownOf(piece);
    };
    const until = ctx.now() + position.wait * 1000;
    while (data.length === 0) {
      const last = piece.at(-1);
      // Rows that a caller does not see are told from others here: a piece of nothing else is not the end of the log.
      if (last !== undefined) await readOn(Number(last.revision));
      else {
        const left = until - ctx.now();
        const beyond = { epoch, revision: Math.max(head, position.after ?? 0) };
        if (left <= 0 || !(await awaitNews(c.env, companyId, { beyond, entities }, left))) break;
        const before = head;
        await readOn(beyond.revision);
        // A room may have heard of more than there is: then nothing comes of asking at once.
        if (head === before) await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    return sendJson(c, 200, { data, head, epoch }, { revision: head, headers: { 'Cache-Control': 'no-store' } });
  };
}
