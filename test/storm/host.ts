import { startWorker, type WorkerOptions } from '../support/worker.ts';

/** `persist` is where Durable Objects and the Cache API keep their state over a kill. */
export type HostOptions = WorkerOptions & { persist: string; port: number };

/** What the parent sends; the process exists before it is needed, so that a restart costs no module loading. */
export type HostOrder = { type: 'start'; options: HostOptions };
export type HostReport = { type: 'ready' } | { type: 'log'; line: string } | { type: 'failed'; message: string };

const report = (message: HostReport): void => void (process.connected && process.send?.(message));

process.on('message', (order: HostOrder) => {
  run(order.options).catch((error: unknown) => {
    report({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
});
// The parent is gone: nothing of this group may outlive it.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));

async function run(options: HostOptions): Promise<void> {
  const worker = await startWorker(options);
  setInterval(() => {
    for (const line of worker.logs.splice(0)) report({ type: 'log', line });
  }, 200);
  report({ type: 'ready' });
}
