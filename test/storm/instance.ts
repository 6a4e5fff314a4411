import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { portTaken } from '../../local/ports.ts';
import { Caller } from './caller.ts';
import type { HostOptions, HostOrder, HostReport } from './host.ts';

/** A time without this Worker, ms of the storm's clock. */
export type Outage = { from: number; until: number };

const HOST = join(import.meta.dirname, 'host.ts');
const START_DEADLINE = 60_000;

/**
 * A Worker in a process group of its own, which can be killed as a crash would end it, and starts again on the same port
 * with the state its Durable Objects left on disk.
 */
export class Instance {
  readonly name: 'A' | 'B';
  readonly caller: Caller;
  readonly outages: Outage[] = [];
  readonly #options: HostOptions;
  readonly #log: (line: string) => void;
  #child: ChildProcess | null = null;
  #spare: ChildProcess | null = null;
  #up: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(name: 'A' | 'B', options: HostOptions, log: (line: string) => void) {
    this.name = name;
    this.#options = options;
    this.#log = log;
    this.caller = new Caller(options.port);
  }

  /** Whether it answers, as far as is known. */
  get running(): boolean {
    const last = this.outages.at(-1);
    return last === undefined || last.until !== Number.POSITIVE_INFINITY;
  }

  /** Resolves once it runs (again). */
  get up(): Promise<void> {
    return this.#up;
  }

  start(): Promise<void> {
    this.#up = this.#start();
    return this.#up;
  }

  /** SIGKILL to the host and its workerd, in this very turn of the event loop; then a restart. */
  kill(): void {
    const child = this.#child;
    if (child === null || this.#stopped) return;
    this.#child = null;
    endGroup(child);
    const outage = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    this.#up = this.#restart(child, outage);
    this.#up.catch((error: unknown) => this.#log(`restart failed: ${String(error)}`));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#up.catch(() => undefined);
    this.caller.stop();
    for (const child of [this.#child, this.#spare]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      endGroup(child);
      await gone;
    }
  }

  async #restart(dead: ChildProcess, outage: Outage): Promise<void> {
    if (dead.exitCode === null && dead.signalCode === null) await once(dead, 'exit');
    while (await portTaken(this.#options.port)) await pause(5);
    await this.#start();
    outage.until = performance.now();
  }

  async #start(): Promise<void> {
    const child = this.#spare ?? spawnHost();
    this.#spare = null;
    this.#child = child;
    await this.#ready(child);
    // Only now: two processes loading at once would slow this start down.
    if (!this.#stopped) this.#spare = spawnHost();
  }

  #ready(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the Worker did not start')), START_DEADLINE);
      child.on('message', (report: HostReport) => {
        if (report.type === 'log') this.#log(report.line);
        if (report.type !== 'ready' && report.type !== 'failed') return;
        clearTimeout(timer);
        if (report.type === 'ready') resolve();
        else reject(new Error(report.message));
      });
      child.send({ type: 'start', options: this.#options } satisfies HostOrder);
    });
  }
}

function spawnHost(): ChildProcess {
  // Detached: a group of its own, which one signal ends whole.
  return spawn(process.execPath, [HOST], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
