import { newRequestId } from '../core/id.ts';
import { makeCtx } from '../data/ctx.ts';
import type { Deps } from '../data/deps.ts';
import type { Env } from '../env.ts';
import type { Call, RequestState } from './context.ts';
import { logLine } from './log-line.ts';
import { SECURITY } from './send.ts';

type Answering = (request: Request, call: Call, executionCtx: ExecutionContext) => Response | Promise<Response>;

/** Outermost: gives the request its id, clock and deps, and logs one line when it is answered. */
export function observe(open: (env: Env) => Deps, answer: Answering) {
  return function observeRequest(
    request: Request,
    env: Env,
    executionCtx: ExecutionContext,
  ): Response | Promise<Response> {
    const ctx = makeCtx(newRequestId(), (work) => executionCtx.waitUntil(work));
    let deps: Deps;
    try {
      deps = open(env);
    } catch (error) {
      return misconfigured(ctx.requestId, request, error);
    }
    const state: RequestState = { principal: null, rate: null, route: '' };
    const call: Call = { ctx, deps, state, bindings: env };
    // At once where the answer is: what comes from memory waits for nobody.
    const answering = answer(request, call, executionCtx);
    return answering instanceof Promise
      ? answering.then((response) => observed(call, request, response))
      : observed(call, request, answering);
  };
}

function observed(call: Call, request: Request, response: Response): Response {
  const { ctx, deps } = call;
  const { status } = response;
  deps.tally.request(ctx, status);
  const level = status >= 500 ? 'error' : status === 429 ? 'warn' : 'info';
  if (level !== 'info' || deps.settings.logLevel === 'info') logLine(call, request, status, level);
  return response;
}

let reported = '';

/** A Worker whose settings are wrong says so in its log, line by line, and to callers only that it is not ready. */
function misconfigured(requestId: string, request: Request, error: unknown): Response {
  const message = error instanceof Error ? error.message : 'Settings: unreadable';
  // Once an isolate: every request would say the same.
  if (message !== reported) console.error(message);
  reported = message;
  const detail = 'The service is not configured. Its log names the settings.';
  const body = {
    type: 'about:blank',
    title: 'Something went wrong',
    status: 500,
    code: 'internal_error',
    detail,
    instance: new URL(request.url).pathname,
    requestId,
  };
  const headers = { ...SECURITY, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  return new Response(JSON.stringify(body), { status: 500, headers: { ...headers, 'Request-Id': requestId } });
}
