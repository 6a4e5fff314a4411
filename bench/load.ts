import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What to ask for, how wide and how long; `perSecond` in all, as fast as it is answered when absent. */
export type LoadOrder = {
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
  perSecond?: number | undefined;
  /** Asked in turn on each connection, instead of `url` alone; `[<id>]` in a body is another text each time. */
  requests?: readonly { method: 'GET' | 'PATCH'; path: string; headers: Record<string, string>; body?: string }[];
};

/** What came of it. `bad` counts answers other than 2xx, errors and timeouts. */
export type LoadReport = { requests: number; seconds: number; p50Ms: number; p99Ms: number; bad: number };

/** A load generator in a process of its own, so that the Worker's log and the generator do not share a thread. */
export type Generator<Order, Report> = { run(order: Order): Promise<Report>; stop(): Promise<void> };
export type LoadGenerator = Generator<LoadOrder, LoadReport>;

export const startLoadGenerator = (): LoadGenerator => startGenerator('load-process.ts');

/** @param file of this folder: answers each order with one report */
export function startGenerator<Order extends object, Report>(file: string): Generator<Order, Report> {
  const child: ChildProcess = fork(join(import.meta.dirname, file), { stdio: 'inherit' });
  return {
    async run(order) {
      const ended = new AbortController();
      child.send(order);
      try {
        const [report] = (await Promise.race([
          once(child, 'message', { signal: ended.signal }),
          once(child, 'exit', { signal: ended.signal }).then(() =>
            Promise.reject(new Error('the load generator died')),
          ),
        ])) as [Report];
        return report;
      } finally {
        ended.abort();
      }
    },
    async stop() {
      if (child.exitCode !== null) return;
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}
