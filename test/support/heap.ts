import { setTimeout as pause } from 'node:timers/promises';

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
  const targets = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as {
    id: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ id }) => id.startsWith('core:user:'));
  if (target === undefined) throw new Error('no inspector of the Worker');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((opened, failed) => {
    socket.addEventListener('open', opened);
    socket.addEventListener('error', failed);
  });
  const waiting = new Map<number, (usage: Usage) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: Usage };
    if (id !== undefined && result !== undefined) waiting.get(id)?.(result);
    if (id !== undefined) waiting.delete(id);
  });
  let asked = 0;
  let most = 0;
  let running = true;
  const now = async (): Promise<number> => {
    asked += 1;
    const id = asked;
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await new Promise<Usage>((answered) => {
      waiting.set(id, answered);
      socket.send(JSON.stringify({ id, method: 'Runtime.getHeapUsage' }));
    });
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
      socket.close();
    },
  };
}
