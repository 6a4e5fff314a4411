import { formatId } from '../core/id.ts';
import type { Call, Principal } from './context.ts';

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

/** What a line says of a caller, as text: a token's principal is one object for all requests with it. */
const callers = new WeakMap<Principal, string>();

function callerText(principal: Principal): string {
  let text = callers.get(principal);
  if (text === undefined) {
    text = `,"company":"${formatId('comp', principal.companyId)}","actor":"${actorId(principal.actor)}"`;
    callers.set(principal, text);
  }
  return text;
}

/**
 * One wide line per request: no path of the caller's making, no query, no body, no address; ids as the API shows them. What
 * every line has is written out, of values that need no escape (a quarter of what a line costs); facts of the few are not.
 */
export function lineOf({ ctx, deps, state }: Call, request: Request, status: number, level: string): string {
  const { trips, times, notes } = ctx;
  const caller = state.principal?.proven === true ? callerText(state.principal) : '';
  let line = `{"level":"${level}","requestId":"${ctx.requestId}","method":"${request.method}","route":"${state.route}","status":${status},"ms":${ctx.now() - ctx.startedAt}${caller},"trips":{"redis":${trips.redis},"postgres":${trips.postgres},"room":${trips.room}}`;
  if (deps.settings.databaseMetrics && trips.postgres > 0) line += `,"dbMs":${times.postgres}`;
  const entity = status >= 400 && notes.entity === undefined ? entityIn(request.url) : undefined;
  if (entity !== undefined) line += `,"entity":"${entity}"`;
  for (const name in notes) line += `,${JSON.stringify(name)}:${JSON.stringify(notes[name])}`;
  return `${line}}`;
}

export const logLine = (...of: Parameters<typeof lineOf>): void => console.log(lineOf(...of));
