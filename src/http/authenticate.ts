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
  return async function authenticateRequest(c) {
    const header = c.req.header('Authorization');
    const token = header?.slice(0, 7).toLowerCase() === 'bearer ' ? header.slice(7).trim() : '';
    if (token === '')
      throw new AppError('unauthenticated', 'Send Authorization: Bearer with an access token or an API key.');
    const identified = identify(c, token);
    const principal = identified instanceof Promise ? await identified : identified;
    c.env.state.principal = principal;
    if (!asksItself && !principal.proven) await principal.prove?.();
    let failure: unknown = null;
    try {
      return await handler(c);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      principal.answered?.(failure);
    }
  };
}
