import { type Generator, startGenerator } from './load.ts';

/** A company as the generator sees it: what its callers show, and clients whose notes are changed. */
export type RoomTarget = { company: string; key: string; clients: readonly string[] };

/** What went wrong on the way to one socket, counted by change: each must stay 0. */
export type Faults = { lost: number; duplicated: number; reordered: number; broken: number };

/** Called with the number of each change, when it was made (ms since 1970), and when its frame was here. */
export type Heard = (change: number, madeAt: number, here: number) => void;

/** One who listens in a room. */
export interface Follower {
  readonly frames: number;
  /** Whether all up to this change is here. */
  isAt(change: number): boolean;
  /** What is missing now is lost. */
  settle(change: number): Faults;
  close(): void;
}

/** `bare`: what the network and the runtime take by themselves. */
export type SideName = 'ours' | 'bare' | 'peer';

/** Of each room: changes in a second, and of them so many in one write. */
export type Pace = { rooms: number; sockets: number; perSecond: number; perWrite: number; seconds: number };

/** `isTraced`: when each frame was here is told of every write. */
export type Step = Pace & { isTraced: boolean };

/** First a system is shown, once; then come writes as they are ordered, for which sockets are opened and closed. */
export type RoomOrder =
  | { kind: 'show'; side: SideName; url: string; pid: number | null; rooms: readonly RoomTarget[] }
  | ({ kind: 'write'; side: SideName } & Step);

export type RoomReport = {
  /** Written changes, and what the sockets heard of them. */
  events: number;
  /** Writes that were refused because there were too many. */
  refused: number;
  /** What a writer waited for Redis, which is told before anybody who listens; as the server says, to 1 ms. */
  redisP50Ms: number;
  deliveries: number;
  frames: number;
  /** From when the first was due until the last frame. */
  elapsedMs: number;
  /** Until the frame is here: since the change was made, as it says itself; since the writer had his answer, or less
   *  than 0 where that came later; since the write was due. */
  made: Quantiles;
  answered: Quantiles;
  due: Quantiles;
  faults: Faults;
  /** Of the server, all of its threads; null where /proc does not tell. */
  cpuMs: number | null;
  generatorCpuMs: number;
  /** How busy the processors of the machine were with everything. */
  machineCpuPercent: number;
  /** Where it was asked for: number of the write, and when each of its frames was here (ms since 1970). */
  traced: [number, number[]][];
};

/** Of one step of one round: what the generator saw, and how long after the commit the frames were here, ms. */
export type Measured = RoomReport & { committed: readonly number[] };

export type Quantiles = { p50Ms: number; p95Ms: number; p99Ms: number };

/** Writes and hears in one process, so that both read one clock. */
export const startRoomLoad = (): Generator<RoomOrder, RoomReport | null> => startGenerator('room-load-process.ts');
