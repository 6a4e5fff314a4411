import type { Event } from '../api.ts';

/** A place in a company's log. */
export type Position = { epoch: string; revision: number };

/** How a followed list changed; `changed`: only a new GET can tell. */
export type ListChange<T = unknown> = { id: string; revision: number } & (
  | { changed: true }
  | { changed?: never; enter: T[]; update: T[]; leave: string[] }
);

export type Batch = {
  prev: number;
  revision: number;
  messages: Event[];
  lists?: ListChange[];
  timestamp: number;
  ack?: boolean;
};

export type Limits = { messagesPerMinute: number; messageBytes: number; queries: number };

export type PresenceFrame = {
  members?: Present[];
  joined?: Present;
  changed?: Present;
  left?: string;
};
export type Present = { session: string; actor: string; state: unknown };
export type Signal = { topic: string; from: string; data: unknown };

export type Frame =
  | { type: 'welcome'; session: string; companyId: string; pingIntervalMs: number; limits: Limits }
  | ({ type: 'subscribed'; id: number; recovered: boolean; topics: string[] } & Position)
  | ({ type: 'batch_update' } & Batch)
  | ({ type: 'reset'; reason: ResetReason } & Position)
  | ({ type: 'signal' } & Signal)
  | ({ type: 'presence' } & PresenceFrame)
  | { type: 'refreshed'; id: number }
  | { type: 'pong' }
  | ({ type: 'error' } & StreamError);

export type ResetReason = 'epoch_changed' | 'window_exceeded' | 'position_ahead';
export type StreamError = {
  id?: number;
  code: string;
  message: string;
  temporary: boolean;
  retryAfterMs?: number;
};

export const PROTOCOL = 'clientsplus.v1';
/** Byte for byte, so that the platform answers it without waking anybody. */
export const PING = '{"type":"ping"}';
