import { callbackFault, leadsOutside, type Resolver } from '../../core/callback-url.ts';
import { signedHeaders } from '../../core/standard-webhook.ts';
import type { Report } from '../../data/dispatch.ts';

/** What is sent: its id is the same at every attempt. */
export type Message = { id: string; body: string };

/** Whom to, and what signs it. */
export type Receiver = { url: string; secrets: readonly Uint8Array[] };

/** What sending reaches the outside through. */
export type Outside = {
  fetch: typeof fetch;
  now(): number;
  /** Longest wait for an answer, ms. */
  timeout: number;
  /** Whether this very machine may be called. */
  loopback: boolean;
  /** Null: nobody tells what names lead to. */
  resolve: Resolver | null;
};

/** Bytes of an answer that are read, so that its connection can be used again; none of them is looked at. */
const MOST_READ = 16 * 1024;

/** Posts a message once. Whatever becomes of it is in the report: it never throws. */
export async function post({ url, secrets }: Receiver, { id, body }: Message, outside: Outside): Promise<Report> {
  const began = outside.now();
  const report = (status: number | null, error: string | null): Report => ({
    ...{ durationMs: Math.max(0, outside.now() - began), status, error },
  });
  const refusal = await refusalOf(url, outside);
  if (refusal !== null) return report(null, refusal);
  const signal = AbortSignal.timeout(outside.timeout);
  try {
    const timestamp = Math.floor(began / 1000);
    const answer = await outside.fetch(url, {
      method: 'POST',
      headers: { ...signedHeaders({ id, timestamp, body }, secrets), 'User-Agent': 'ClientsPlus-Webhooks/1' },
      body,
      // Wherever it leads, nobody has said that events may go there.
      redirect: 'manual',
      signal,
    });
    await drop(answer);
    return report(answer.status, faultOf(answer.status));
  } catch {
    return report(null, signal.aborted ? 'timeout' : 'unreachable');
  }
}

async function refusalOf(url: string, { loopback, resolve }: Outside): Promise<string | null> {
  if (callbackFault(url, { loopback }) !== null) return 'forbidden_url';
  if (resolve === null) return null;
  try {
    return (await leadsOutside(url, resolve)) ? null : 'forbidden_address';
  } catch {
    return 'unresolved';
  }
}

function faultOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) return 'gone';
  return status >= 300 && status < 400 ? 'redirect' : 'status';
}

/** What it said was its status: what ends or fails behind that changes nothing. */
async function drop(answer: Response): Promise<void> {
  const reader = answer.body?.getReader();
  let left = MOST_READ;
  try {
    while (reader !== undefined && left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader?.cancel();
  } catch {
    return;
  }
}
