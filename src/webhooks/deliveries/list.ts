import { sql } from 'drizzle-orm';
import { decodeCursor, encodeCursor } from '../../core/cursor.ts';
import { AppError } from '../../core/errors.ts';
import { uuidOf } from '../../core/id.ts';
import { queryRefusal, strayParameters } from '../../core/query-values.ts';
import { isOneOf } from '../../core/record.ts';
import type { Attempt } from '../../data/dispatch.ts';
import { snapshot } from '../../data/log.ts';
import { callRoom } from '../../data/rooms.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import type { QueryParameter } from '../../http/route.ts';
import { sendJson } from '../../http/send.ts';
import { admitted, reached } from '../../resources/admitted.ts';
import { notFound } from '../../resources/list.ts';
import { rowOf } from '../../resources/row-sql.ts';
import { webhook } from '../endpoints/resource.ts';
import { lineOf } from './consumer.ts';
import { OUTCOMES } from './schema.ts';

export const DELIVERY_QUERY = {
  cursor: { description: 'Where a walk goes on: `nextCursor` of the page before.' },
  limit: { kind: 'integer', minimum: 1, maximum: 100, fallback: 20, description: 'Deliveries per page.' },
  status: { kind: 'enumList', values: OUTCOMES, description: 'One or several.' },
} as const satisfies Record<string, QueryParameter>;

type Asked = { limit: number; outcomes: readonly string[] | null; before: number | null };
/** What a cursor of these deliveries is bound to. */
type Place = { company: string; route: string; query: string };

const ROUTE = 'webhooks.deliveries';
const placeOf = (companyId: string, webhookId: string, outcomes: readonly string[] | null): Place => ({
  ...{ company: companyId, route: `${ROUTE} ${webhookId}`, query: outcomes?.join() ?? '' },
});

function parse(c: AppContext, companyId: string, webhookId: string): Asked {
  const params = new URL(c.req.url).searchParams;
  const faults = strayParameters(params, Object.keys(DELIVERY_QUERY));
  const limit = params.get('limit') ?? '20';
  if (!/^[0-9]{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100)
    faults.push({ parameter: 'limit', code: 'out_of_range', detail: 'Must be a whole number from 1 to 100.' });
  const outcomes = params.get('status')?.split(',').sort() ?? null;
  if (outcomes?.every((outcome) => isOneOf(OUTCOMES, outcome)) === false)
    faults.push({ parameter: 'status', code: 'invalid_value', detail: `Must be of ${OUTCOMES.join(', ')}.` });
  if (faults.length > 0) throw queryRefusal(faults);
  const cursor = params.get('cursor');
  const place = placeOf(companyId, webhookId, outcomes);
  const at = cursor === null ? null : decodeCursor(c.env.deps.settings.cursorSecret, cursor, place);
  return { limit: Number(limit), outcomes, before: at === null ? null : Number(at.values[0]) };
}

/** GET /webhooks/{id}/deliveries: what was tried, the latest first, as the company's dispatcher remembers it. */
export async function listDeliveries(c: AppContext): Promise<Response> {
  const { ctx, deps } = c.env;
  const principal = principalOf(c);
  const { companyId } = principal;
  const id = uuidOf('whk', c.req.param('id') ?? '');
  const terms = { permission: webhook.permission, weight: 1 };
  const { min, query } = await admitted(c, terms, () => parse(c, companyId, id));
  const { revision, rows } = await snapshot(ctx, { database: deps.read, companyId, name: ROUTE }, [
    sql`select 1 from webhooks where ${rowOf(webhook, { principal, id })}`,
  ]);
  if (rows[0].length === 0) throw notFound(webhook);
  reached(revision, min);
  const { limit, outcomes, before } = query;
  const asked = { name: lineOf(id), before, limit: limit + 1, outcomes };
  const found = await callRoom(ctx, () => deps.dispatchers(companyId).attempts(asked)).catch((error: unknown) => {
    throw new AppError('busy', undefined, { extra: { retryAfter: 2 }, cause: error });
  });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const place = placeOf(companyId, id, outcomes);
  const nextCursor =
    last === undefined
      ? null
      : encodeCursor(deps.settings.cursorSecret, { ...place, values: [last.seq], id, direction: 'next' });
  const pagination = { limit, hasNextPage: last !== undefined, nextCursor };
  const headers = { 'Cache-Control': 'no-store', Link: linkOf(new URL(c.req.url), nextCursor) };
  return sendJson(c, 200, { data: page.map(shown), pagination }, { revision, headers });
}

/** RFC 8288: the latest and the next page. What lies before a page is not walked back to: it grows. */
function linkOf({ pathname, searchParams }: URL, next: string | null): string {
  searchParams.delete('cursor');
  const first = `<${pathname}${searchParams.size > 0 ? `?${searchParams}` : ''}>; rel="first"`;
  if (next === null) return first;
  searchParams.set('cursor', next);
  return `${first}, <${pathname}?${searchParams}>; rel="next"`;
}

const shown = ({ seq, revision, from, type, outcome, attempt, status, error, durationMs, at, nextAt }: Attempt) => ({
  id: `dlv_${seq}`,
  revision,
  skippedFrom: from,
  eventId: outcome === 'SKIPPED' ? null : `evt_${revision}`,
  type,
  status: outcome,
  attempt,
  responseStatus: status,
  error,
  durationMs,
  at: new Date(at).toISOString(),
  nextAttemptAt: nextAt === null ? null : new Date(nextAt).toISOString(),
});
