import { formatId } from '../core/id.ts';
import type { Call } from './context.ts';

/** A whole segment of a path that is a public id; secrets in paths are longer. */
const ENTITY = /\/([a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26})(?=\/|$)/;

/** Who called, as the API shows them: `USER:<uuid>` is `usr_…`, `API_KEY:<uuid>` is `key_…`. */
export function actorId(actor: string): string {
  if (actor.startsWith('USER:')) return formatId('usr', actor.slice(5));
  return actor.startsWith('API_KEY:') ? formatId('key', actor.slice(8)) : actor;
}

/** The id a path names, which is all of a path that a log may hold. */
export const entityIn = (url: string): string | undefined => ENTITY.exec(url.split(/[?#]/, 1)[0] ?? '')?.[1];

/**
 * A path without what a caller may have put into it: words of our own routes stay, everything else is a star.
 * For paths that no route takes, which may hold anything.
 */
export function maskedPath(path: string, words: ReadonlySet<string>): string {
  const segments = path.split('/').slice(1, 8);
  return `/${segments.map((segment) => (words.has(segment) || segment === '' ? segment : '*')).join('/')}`;
}

/** A path as a developer may see it: whole, but for what stands where the secret of a calendar does. */
export const withoutSecret = (path: string): string => path.replace(/(\/calendars?\/).*/is, '$1*');

/** One wide line per request: no path of the caller's making, no query, no body, no address; ids as the API shows them. */
export function logLine({ ctx, deps, state }: Call, request: Request, status: number, level: string): void {
  const caller = state.principal?.proven === true ? state.principal : undefined;
  const line = {
    level,
    requestId: ctx.requestId,
    method: request.method,
    route: state.route,
    status,
    ms: ctx.now() - ctx.startedAt,
    company: caller && formatId('comp', caller.companyId),
    actor: caller && actorId(caller.actor),
    trips: ctx.trips,
    dbMs: deps.settings.databaseMetrics && ctx.trips.postgres > 0 ? ctx.times.postgres : undefined,
    entity: status >= 400 ? entityIn(request.url) : undefined,
    ...ctx.notes,
  };
  console.log(JSON.stringify(line));
}
