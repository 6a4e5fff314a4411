import { setTimeout as pause } from 'node:timers/promises';
import { openDebugger } from './debugger.ts';

type Usage = { usedSize: number; embedderHeapUsedSize: number; backingStorageSize: number };

/** What the Worker's isolate holds, asked for again and again through the debugger's protocol. */
export type HeapWatch = {
  /** Bytes now: objects, and the buffers that belong to them. */
  now(): Promise<number>;
  /** The most there was since the last call, bytes. */
  most(): number;
  stop(): Promise<void>;
};

/** Watches the isolate of the Worker behind an `inspectorPort`. Garbage that V8 has not collected yet counts too. */
export async function watchHeap(inspectorPort: number): Promise<HeapWatch> {
  const isolate = await openDebugger(inspectorPort);
  let most = 0;
  let running = true;
  const now = async (): Promise<number> => {
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await isolate.ask<Usage>('Runtime.getHeapUsage');
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  };
  const watching = (async () => {
    while (running) {
      most = Math.max(most, await now());
      await pause(10);
    }
  })();
  return {
    now,
    most() {
      const found = most;
      most = 0;
      return found;
    },
    async stop() {
      running = false;
      await watching;
      isolate.close();
    },
  };
}
