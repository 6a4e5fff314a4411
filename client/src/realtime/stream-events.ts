import type { Event } from '../api.ts';
import type { Batch, Position, PresenceFrame, ResetReason, Signal, StreamError } from './frames.ts';

/** `waiting`: for the network, or for its time to come back. `ended`: it does not come back by itself. */
export type StreamState = 'connecting' | 'live' | 'waiting' | 'ended';

/** What is listened to. */
export type Wanted = {
  /** Absent: all that may be seen. */
  topics?: readonly string[];
  queries?: readonly { id: string; path: string }[];
};

export type StreamEvents = {
  state: StreamState;
  /** Each change of the topics, once and in order. */
  message: Event;
  /** The same as it comes: also what nothing is shown of moves the position. */
  batch: Batch;
  /** It begins here: what is shown must be loaded at this revision or a later one. */
  fresh: Position;
  /** Everything since the position it had follows. */
  resumed: Position;
  reset: ResetReason;
  /** The server does not take what is wanted, and goes on with what it took before. */
  refused: StreamError;
  /** Why it ended, where somebody ended it: a close code, or what the server answered. */
  ended: { code: number | null; error: unknown };
  signal: Signal;
  presence: PresenceFrame;
};
