import type { Listener } from '../../core/ticket.ts';
import type { Unread } from './credit.ts';
import type { ListRequest } from './protocol.ts';

/**
 * All that is known of a connection, as plain data: it lives in the socket's attachment (16 KiB), survives hibernation
 * and ends with the socket. Times in ms.
 */
export type Member = Listener & {
  /** Names the connection, so that a client that comes back can have its own ghost closed. */
  session: string;
  connectedAt: number;
  lastMessageAt: number;
  /** What it listens to; null before the first `subscribe`. */
  topics: readonly string[] | null;
  lists: readonly ListRequest[];
  /** Whether it gets every frame: its position is the room's. While it is being caught up, it is not. */
  live: boolean;
  /** What it was sent and has not confirmed; undefined: nothing yet. */
  unread?: Unread;
  /** What it tells the others of itself; undefined: nothing. */
  presence?: unknown;
};

/**
 * As UTF-8, in which the frames that it comes from are measured: in the runtime's own form one character that is not Latin makes
 * each of its text two bytes, and what the client may say would not fit.
 */
export const attachmentOf = (member: Member): Uint8Array => new TextEncoder().encode(JSON.stringify(member));
export const memberOf = (attachment: Uint8Array): Member => JSON.parse(new TextDecoder().decode(attachment)) as Member;

/** One open socket. `member` is changed in place, and kept by `save`. */
export interface Connection {
  readonly member: Member;
  save(): void;
  /** Never throws: a socket that is closing takes no more. */
  send(text: string): void;
  close(code: number, reason: string): void;
}
