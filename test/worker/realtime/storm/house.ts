import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { workerdPids } from '../../../../bench/workerd.ts';
import { freePort, portTaken } from '../../../../local/ports.ts';
import { riggedRooms } from '../../../support/rigged.ts';
import { until } from '../../../support/until.ts';
import { type RunningWorker, startWorker } from '../../../support/worker.ts';

/** A Worker that is killed and comes back on the same port, with what its Durable Objects left on disk. */
export class House {
  readonly url: string;
  worker: RunningWorker;
  kills = 0;
  readonly #start: () => Promise<RunningWorker>;
  readonly #folder: string;
  #pids: readonly number[];

  private constructor(
    started: { worker: RunningWorker; pids: readonly number[] },
    start: () => Promise<RunningWorker>,
    folder: string,
  ) {
    this.worker = started.worker;
    this.url = started.worker.url;
    this.#pids = started.pids;
    this.#start = start;
    this.#folder = folder;
  }

  static async open(vars: Record<string, string>): Promise<House> {
    const folder = await mkdtemp(join(tmpdir(), 'clientsplus-rooms-'));
    const [port, front] = await Promise.all([freePort(), riggedRooms()]);
    const start = (): Promise<RunningWorker> =>
      startWorker({ bundle: inject('bundle'), vars, port, front, persist: join(folder, 'rooms') });
    const before = await workerdPids();
    const worker = await start();
    const pids = (await workerdPids()).filter((pid) => !before.includes(pid));
    return new House({ worker, pids }, start, folder);
  }

  /** In this very turn of the event loop. */
  kill(): void {
    this.kills += 1;
    for (const pid of this.#pids) process.kill(pid, 'SIGKILL');
    this.#pids = [];
  }

  async restart(): Promise<void> {
    await this.worker.stop();
    const port = Number(new URL(this.url).port);
    await until('the port is free', async () => !(await portTaken(port)));
    const before = await workerdPids();
    this.worker = await this.#start();
    this.#pids = (await workerdPids()).filter((pid) => !before.includes(pid));
  }

  async close(): Promise<void> {
    await this.worker.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
