import { PROTOCOL } from '../../core/upgrade.ts';
import type { Position } from '../../data/position.ts';

/** Byte-exact, so that the platform answers without waking the room. */
export const PING = '{"type":"ping"}';
export const PONG = '{"type":"pong"}';

/** How often a client is to ping, ms. */
export const PING_INTERVAL = 30_000;
/** Live lists of one connection. */
export const MOST_QUERIES = 20;
/** Bytes of one frame of a client. */
export const LARGEST_FRAME = 8192;

/** What a room allows, from the settings. Times in ms. */
export type RoomLimits = {
  connections: number;
  messagesPerMinute: number;
  /** Lists, and pages of the log, that are read for whoever subscribes: as many as may be asked for by GET. */
  readsPerMinute: number;
  idleMs: number;
  batchMs: number;
};

/** A live list as the client names it: a GET path with its query. */
export type ListRequest = { id: Correlation; path: string };

/** What a client may say. `id` is echoed by the answer. */
export type Command =
  | {
      type: 'subscribe';
      id: Correlation;
      companyId: string;
      topics: readonly string[] | null;
      queries: readonly ListRequest[];
      resume: Position | null;
    }
  | { type: 'ack'; revision: number }
  | { type: 'signal'; topic: string; data: unknown }
  | { type: 'presence'; state: unknown }
  | { type: 'refresh'; id: Correlation; ticket: string }
  | { type: 'ping' };

/** Names a command; whatever the client chose, a number or a text. */
export type Correlation = string | number;

export type ErrorCode =
  | 'bad_frame'
  | 'too_large'
  | 'rate_limited'
  | 'forbidden'
  | 'unknown_company'
  | 'unknown_query'
  | 'query_too_large'
  | 'unavailable'
  | 'invalid_ticket';

/** An `error` frame. `temporary`: the same may be tried again, after `retryAfterMs` where given. */
export function errorFrame(
  code: ErrorCode,
  message: string,
  more: { id?: Correlation | null; temporary?: boolean; retryAfterMs?: number } = {},
): string {
  const { id = null, temporary = false, retryAfterMs } = more;
  return JSON.stringify({ type: 'error', ...(id !== null && { id }), code, message, temporary, retryAfterMs });
}

/** Greets a socket. `position`: null while it is not known where the company is. */
export function welcomeFrame(
  { session, company }: { session: string; company: string },
  position: Position | null,
  limits: RoomLimits,
): string {
  const { connections, messagesPerMinute, idleMs, batchMs } = limits;
  return JSON.stringify({
    type: 'welcome',
    protocol: PROTOCOL,
    session,
    companyId: company,
    epoch: position?.epoch ?? null,
    revision: position?.revision ?? null,
    pingIntervalMs: PING_INTERVAL,
    limits: {
      ...{ connections, messagesPerMinute, messageBytes: LARGEST_FRAME },
      ...{ idleMs, batchMs, queries: MOST_QUERIES },
    },
  });
}
