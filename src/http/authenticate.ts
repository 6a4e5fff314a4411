import { AppError } from '../core/errors.ts';
import type { AppContext, Principal } from './context.ts';

export type Handler = (c: AppContext) => Promise<Response> | Response;

/** Who may call: turns a bearer credential into a principal, or throws. Injected, because accounts are a context. */
export type Authenticator = (c: AppContext, token: string) => Promise<Principal> | Principal;

/**
 * RFC 6750: `Authorization: Bearer`. A wrapper rather than a middleware: a route of one handler needs no chain.
 * @param asksItself the handler settles the caller's life on its own trips, as `read` does; all others get a proven caller
 */
export function authenticated(identify: Authenticator, asksItself: boolean, handler: Handler): Handler {
  // No promise where nobody waits: an answer from memory passes through here thousands of times a second.
  return function authenticateRequest(c) {
    const header = c.req.header('Authorization');
    const token = header?.slice(0, 7).toLowerCase() === 'bearer ' ? header.slice(7).trim() : '';
    if (token === '')
      throw new AppError('unauthenticated', 'Send Authorization: Bearer with an access token or an API key.');
    const identified = identify(c, token);
    return identified instanceof Promise
      ? identified.then((principal) => answered(c, principal, asksItself, handler))
      : answered(c, identified, asksItself, handler);
  };
}

function answered(c: AppContext, principal: Principal, asksItself: boolean, handler: Handler): ReturnType<Handler> {
  c.env.state.principal = principal;
  const mustProve = !asksItself && !principal.proven;
  return principal.answered === undefined && !mustProve ? handler(c) : watched(c, principal, mustProve, handler);
}

/** The same of a caller who is to be proven first, or told how it ended. */
async function watched(c: AppContext, principal: Principal, mustProve: boolean, handler: Handler): Promise<Response> {
  if (mustProve) await principal.prove?.();
  let failure: unknown = null;
  try {
    return await handler(c);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    principal.answered?.(failure);
  }
}
