import { type Generator, startGenerator } from './load.ts';
import type { Faults } from './room-socket.ts';

/** A company as the generator sees it: a key of its own, and clients whose notes it changes. */
export type RoomTarget = { key: string; clients: readonly string[] };

/** First the sockets are opened, once; then come writes as they are ordered. */
export type RoomOrder =
  | { kind: 'open'; url: string; pid: number | null; rooms: readonly RoomTarget[]; sockets: number }
  | { kind: 'write'; rooms: number; perSecond: number; perWrite: number; seconds: number };

export type RoomReport = {
  /** Written changes, and what the sockets heard of them. */
  events: number;
  deliveries: number;
  frames: number;
  /** From when the first was due until the last frame. */
  elapsedMs: number;
  /** Until the frame is here: since the row was logged, just before its commit; since the writer had his answer, or less
   *  than 0 where that came later; since the write was due. */
  logged: Quantiles;
  answered: Quantiles;
  due: Quantiles;
  faults: Faults;
  /** Of workerd, all of its threads; null where /proc does not tell. */
  cpuMs: number | null;
  generatorCpuMs: number;
};

export type Quantiles = { p50Ms: number; p95Ms: number; p99Ms: number };

/** Writes and hears in one process, so that both read one clock. */
export const startRoomLoad = (): Generator<RoomOrder, RoomReport | null> => startGenerator('room-load-process.ts');
