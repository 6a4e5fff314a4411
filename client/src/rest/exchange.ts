import type { Problem } from '../api.ts';
import type { Host } from '../host.ts';
import { ConnectionError, ProblemError } from './errors.ts';
import type { Answer } from './typing.ts';

/** One try. */
export type Try = {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal | undefined;
  timeout: number;
};

/** Sends it and reads the whole answer. @throws ProblemError, ConnectionError, and the reason of an aborted signal */
export async function exchange(
  host: Host,
  { url, method, headers, body, signal, timeout }: Try,
): Promise<Answer<unknown>> {
  signal?.throwIfAborted();
  if (host.isOffline()) throw new ConnectionError('offline');
  const limit = new AbortController();
  const cancel = host.after(timeout, () => limit.abort());
  try {
    const response = await host.fetch(url, {
      method: method.toUpperCase(),
      headers,
      ...(body !== undefined && { body }),
      signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
    });
    return read(response, await response.text(), host.now());
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ProblemError) throw error;
    throw new ConnectionError(limit.signal.aborted ? 'timeout' : 'unreachable', error);
  } finally {
    cancel();
  }
}

function read({ status, headers, ok }: Response, text: string, now: number): Answer<unknown> {
  const type = headers.get('content-type') ?? '';
  const isJson = /[/+]json\b/.test(type) && text !== '';
  if (ok) {
    const revision = headers.get('revision');
    const body = isJson ? (JSON.parse(text) as unknown) : text === '' ? undefined : text;
    return { status, body, revision: revision === null ? null : Number(revision), headers };
  }
  const problem = isJson && type.includes('problem') ? (JSON.parse(text) as Problem) : null;
  throw new ProblemError(status, problem, waitOf(headers.get('retry-after'), now));
}

/** Seconds or a date (RFC 9110, 10.2.3), as ms. */
function waitOf(said: string | null, now: number): number | null {
  if (said === null) return null;
  const seconds = Number(said);
  return Number.isNaN(seconds) ? Math.max(0, Date.parse(said) - now) : seconds * 1000;
}
