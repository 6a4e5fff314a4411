import { isDeepStrictEqual } from 'node:util';
import { type Event, historiesOf, type Verdict } from './log.ts';

/** A kind of object that is logged and listed, and the list that leaves none out. */
export type Listed = { entity: string; path: string };

export const LISTED: readonly Listed[] = [
  { entity: 'client', path: '/clients?status=ACTIVE,INACTIVE,ARCHIVED' },
  {
    entity: 'appointment',
    path: '/appointments?status=PENDING,CONFIRMED,CHECKED_IN,IN_PROGRESS,COMPLETED,CANCELLED,NO_SHOW',
  },
  { entity: 'invoice', path: '/invoices?status=DRAFT,OPEN,PAID,VOID,UNCOLLECTIBLE' },
  { entity: 'payment', path: '/payments?' },
  { entity: 'refund', path: '/refunds?' },
];

export type Row = Record<string, unknown> & { id: string; version: number };

/**
 * What is listed is what the log says, object by object. The company may go on meanwhile: a listed object is compared with
 * what the log says of its version, and one may be missing only if it was deleted since.
 *
 * @param before the head when the lists were asked for
 * @param events up to some time after they were answered
 */
export function listsAgree(
  events: readonly Event[],
  before: number,
  lists: ReadonlyMap<string, readonly Row[]>,
): Verdict {
  const breaches: string[] = [];
  let looked = 0;
  for (const [entity, rows] of lists) {
    const histories = new Map(historiesOf(events, entity).map(({ id, states }) => [id, states]));
    const seen = new Set(rows.map(({ id }) => id));
    looked += rows.length;
    if (seen.size < rows.length) breaches.push(`${entity}: ${rows.length - seen.size} are listed twice`);
    for (const row of rows) {
      const states = histories.get(row.id) ?? [];
      const logged = states.find(({ data }) => data?.version === row.version);
      if (logged === undefined) breaches.push(`${row.id}: the log does not know version ${row.version}`);
      else if (states.some(({ revision }) => revision > logged.revision && revision <= before))
        breaches.push(`${row.id}: version ${row.version} is listed, which was outdated`);
      else if (!isDeepStrictEqual(logged.data, row))
        breaches.push(`${row.id}: ${different(logged.data, row)} differs from the log`);
    }
    for (const [id, states] of histories) {
      const then = states.findLast(({ revision }) => revision <= before)?.data ?? null;
      const gone = states.at(-1)?.data === null;
      if (then !== null && !gone && !seen.has(id)) breaches.push(`${id}: is not listed`);
    }
  }
  return { law: 'lists show what the log says', looked: `${looked} objects`, breaches };
}

const different = (logged: Record<string, unknown> | null, row: Row): string =>
  Object.keys({ ...logged, ...row })
    .filter((name) => !isDeepStrictEqual(logged?.[name], row[name]))
    .join(', ');
