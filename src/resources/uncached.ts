import type { SQL } from 'drizzle-orm';
import { shortHash } from '../core/hash.ts';
import { snapshot } from '../data/log.ts';
import { type AppContext, principalOf } from '../http/context.ts';
import { send } from '../http/send.ts';
import { admitted, reached } from './admitted.ts';
import { turnToCompute } from './computing.ts';
import type { ParsedQuery, ReadRoute } from './read.ts';

/**
 * The handler of a GET from Postgres each time, for what is not logged: no revision says when it changed, so no cache
 * could tell.
 * @param revalidated has an ETag, which is of the body; without, nobody keeps it (contract-details A6)
 */
export function readUncached<Q extends ParsedQuery, const S extends readonly SQL[]>(
  route: Pick<ReadRoute<Q, S>, 'name' | 'permission' | 'parse' | 'statements' | 'complete' | 'answer'>,
  revalidated: boolean,
): (c: AppContext) => Promise<Response> {
  return async function readFromPostgres(c) {
    const { ctx, deps } = c.env;
    const principal = principalOf(c);
    const { companyId } = principal;
    const { min, query } = await admitted(c, { permission: route.permission, weight: 1 }, () =>
      route.parse(new URL(c.req.url).searchParams, principal, c),
    );
    const call = { database: deps.read, companyId, name: route.name };
    const taken = await snapshot(ctx, call, route.statements(query, principal));
    const { revision } = taken;
    reached(revision, min);
    const charge = (kib: number): Promise<void> => turnToCompute(c.env, companyId, kib);
    await route.complete?.({ ...c.env, charge }, query, principal, taken);
    const { body, link = null } = route.answer(taken.rows, query, principal, c);
    const answer = { type: 'application/json', revision };
    const own: Record<string, string> = link === null ? {} : { Link: link };
    if (!revalidated) {
      return send(c, { ...answer, status: 200, body, headers: { ...own, 'Cache-Control': 'no-store' } });
    }
    const etag = `W/"${shortHash(`${route.name}\n${companyId}\n${query.normalised}\n${body}`)}"`;
    const headers: Record<string, string> = {
      ...own,
      ETag: etag,
      'Cache-Control': 'private, no-cache',
      Vary: 'Authorization, Accept, Accept-Encoding',
      'X-Cache': 'BYPASS',
      'Cache-Status': 'ClientsPlus; fwd=bypass',
    };
    const held = holds(c.req.header('If-None-Match'), etag);
    return send(c, { ...answer, ...(held ? { status: 304, body: null } : { status: 200, body }), headers });
  };
}

/** RFC 9110, 13.1.2: a list, compared weakly, or `*`. What is not there has been refused before. */
function holds(ifNoneMatch: string | undefined, etag: string): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  const held = ifNoneMatch?.split(',').map(plain) ?? [];
  return held.includes(plain(etag)) || ifNoneMatch?.trim() === '*';
}
