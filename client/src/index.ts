export type * as api from './api.ts';
export type { Host, Socket, Wake } from './host.ts';
export type {
  Batch,
  ListChange,
  Position,
  PresenceFrame,
  Present,
  ResetReason,
  Signal,
  StreamError,
} from './realtime/frames.ts';
export { openStream, Stream } from './realtime/stream.ts';
export type { StreamEvents, StreamState, Wanted } from './realtime/stream-events.ts';
export { ApiClient, type ClientOptions, createClient } from './rest/client.ts';
export { ConnectionError, ProblemError } from './rest/errors.ts';
export { inMemory, inStorage, type Keep, type Kept } from './rest/session.ts';
export type { Answer, AnswerTo, Asked, ListPath, PathOf, RowOf, Ways } from './rest/typing.ts';
