import { setTimeout as pause } from 'node:timers/promises';
import { RedisClient } from '../../../../local/redis-client.ts';
import { orderRoom } from '../../../support/rigged.ts';
import type { Line } from '../../../support/room-faults.ts';
import { until } from '../../../support/until.ts';
import type { Stack } from '../../../support/world.ts';
import type { House } from './house.ts';
import type { Salon } from './salon.ts';

/** Sockets whose line is cut within a second, of a hundred. */
const CUT = 0.05;
/** Announcements dropped, doubled and delayed, so that they come in any order. */
export const BAD_LINE = { dropped: 0.3, doubled: 0.3, late: 0.3, mostMs: 1500 };
/** Where rooms sleep none is lost: the room looks into the log for it, again and again, as long as it may still be committed. */
const DOZING_LINE = { ...BAD_LINE, dropped: 0 };
const GOOD_LINE = { dropped: 0, doubled: 0, late: 0, mostMs: 0 };
const POSTGRES_AWAY_MS = 30_000;
/** How long one that could not be put to sleep is waited for by the runtime, which keeps it awake itself meanwhile. */
const TRIED_MS = 35_000;
const POSTGRES_AFTER_MS = 20_000;
/** Pauses between two of a kind, ms. */
const EVERY = { cut: 1000, sleep: 2500, kill: 4000, workerKill: 40_000, wipe: 20_000 };

export type Faults = {
  cuts: number;
  /** Rooms put to sleep with their sockets open, and ended under them. */
  hibernations: number;
  roomKills: number;
  /** Of the Worker, in the moment between a commit and its announcement. */
  workerKills: number;
  redisWipes: number;
  postgresOutages: number;
};

/** `dozing`: where little happens, and lines hold, so that their rooms can sleep. */
type Where = { stack: Stack; house: House; salons: readonly Salon[]; dozing: readonly Salon[] };

/** Everything that happens to rooms, at once, until it is over. */
export class Weather {
  readonly faults: Faults = {
    ...{ cuts: 0, hibernations: 0, roomKills: 0, workerKills: 0, redisWipes: 0, postgresOutages: 0 },
  };
  readonly #where: Where;
  readonly #tried = new WeakMap<Salon, number>();
  #over = false;
  #turn = 0;
  #isPostgresAway = false;
  /** While the Worker is away nothing else is done to it. */
  #restarting: Promise<void> | null = null;

  constructor(where: Where) {
    this.#where = where;
  }

  /** Until `isOver`; then everything is well again. */
  async blow(isOver: () => boolean): Promise<void> {
    await this.#badLine();
    const after = async (ms: number): Promise<boolean> => {
      for (const end = performance.now() + ms; performance.now() < end && !this.#over; ) await pause(100);
      return !this.#over;
    };
    const again = async (ms: number, act: () => Promise<void> | void): Promise<void> => {
      while (await after(ms)) await act();
    };
    const gusts = [
      again(EVERY.cut, () => this.#cut()),
      again(EVERY.sleep, () => this.#sleep()),
      again(EVERY.kill, () => this.#killRoom()),
      again(EVERY.workerKill, () => this.#killWorker()),
      again(EVERY.wipe, () => this.#wipe()),
      (async () => {
        if (await after(POSTGRES_AFTER_MS)) await this.#losePostgres();
      })(),
    ];
    while (!isOver()) await pause(100);
    this.#over = true;
    await Promise.all(gusts);
    await this.#restarting;
    this.#where.stack.neon.setHooks({ afterCommit: null });
    await this.#line(GOOD_LINE, GOOD_LINE);
  }

  #badLine(): Promise<unknown> {
    return this.#line(BAD_LINE, DOZING_LINE);
  }

  async #line(line: Line, dozing: Line): Promise<void> {
    const { house } = this.#where;
    await orderRoom(house, '', { do: 'line', line });
    for (const { uuid } of this.#where.dozing) await orderRoom(house, uuid, { do: 'line', line: dozing });
  }

  #cut(): void {
    for (const { sockets } of this.#where.salons)
      for (const socket of sockets) if (Math.random() < CUT && socket.cut()) this.faults.cuts += 1;
  }

  get #some(): Salon {
    const { salons } = this.#where;
    return salons[Math.floor(Math.random() * salons.length)] as Salon;
  }

  /**
   * Its memory ends in a moment when nothing is under way, and its sockets stay: as the platform has a room sleep. It slept if
   * its constructor runs again for the next change, and nobody had to come back.
   */
  async #sleep(): Promise<void> {
    const { house, dozing } = this.#where;
    const salon = dozing[this.#turn++ % dozing.length] as Salon;
    if (this.#restarting !== null || this.#isPostgresAway) return;
    if ((this.#tried.get(salon) ?? 0) > performance.now()) return;
    this.#tried.set(salon, performance.now() + TRIED_MS);
    salon.isResting = true;
    // What is late comes first, and what was missing is read.
    await pause(BAD_LINE.mostMs + 500);
    const { opened } = salon;
    // One that never is at rest is not put to sleep, and neither is one of a Worker that was killed meanwhile.
    const asleep = await orderRoom(house, salon.uuid, { do: 'sleep' }).catch(() => null);
    salon.isResting = false;
    if (asleep === null) return;
    const written = salon.deliveries;
    const woken = async (): Promise<boolean> => {
      const { begun } = await orderRoom(house, salon.uuid, { do: 'report' });
      return begun > asleep.begun && salon.deliveries > written;
    };
    const isAwake = await until('it is told again', woken, 10_000).catch(() => false);
    this.#tried.delete(salon);
    if (isAwake && salon.opened === opened) this.faults.hibernations += 1;
  }

  async #killRoom(): Promise<void> {
    const salon = this.#some;
    if (this.#restarting !== null) return;
    const done = await orderRoom(this.#where.house, salon.uuid, { do: 'kill' }).catch(() => null);
    if (done !== null) this.faults.roomKills += 1;
  }

  #killWorker(): void {
    const { stack, house } = this.#where;
    if (this.#restarting !== null) return;
    stack.neon.setHooks({
      afterCommit: ({ statements }) => {
        if (this.#restarting !== null || !statements.some(({ query }) => query.includes('app.begin_write('))) return;
        house.kill();
        this.faults.workerKills += 1;
        stack.neon.setHooks({ afterCommit: null });
        this.#restarting = house
          .restart()
          .then(() => this.#badLine())
          .then(() => {
            this.#restarting = null;
          });
      },
    });
  }

  async #wipe(): Promise<void> {
    const client = new RedisClient(`redis://127.0.0.1:${this.#where.stack.redisPort}`);
    await client.send([['FLUSHALL']]);
    client.stop();
    this.faults.redisWipes += 1;
  }

  async #losePostgres(): Promise<void> {
    const { neon } = this.#where.stack;
    this.#isPostgresAway = true;
    neon.setFault('refuse');
    await pause(POSTGRES_AWAY_MS);
    neon.setFault(null);
    this.#isPostgresAway = false;
    this.faults.postgresOutages += 1;
  }
}
