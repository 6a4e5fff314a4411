/** A connection by the debugger's protocol to the isolate of a Worker. */
export type Debugger = {
  /** Asks and answers the result. @throws Error that names the method, when it is refused */
  ask<T>(method: string, params?: Record<string, unknown>): Promise<T>;
  close(): void;
};

type Target = { id: string; webSocketDebuggerUrl: string };
type Message = { id?: number; result?: unknown; error?: { message: string } };

/** Connects to the Worker behind an `inspectorPort`. */
export async function openDebugger(inspectorPort: number): Promise<Debugger> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as Target[];
  const target = targets.find(({ id }) => id.startsWith('core:user:'));
  if (target === undefined) throw new Error('no inspector of the Worker');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((opened, failed) => {
    socket.addEventListener('open', opened);
    socket.addEventListener('error', failed);
  });
  const waiting = new Map<number, (message: Message) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  let asked = 0;
  return {
    async ask<T>(method: string, params: Record<string, unknown> = {}) {
      asked += 1;
      const id = asked;
      const { result, error } = await new Promise<Message>((answered) => {
        waiting.set(id, answered);
        socket.send(JSON.stringify({ id, method, params }));
      });
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result as T;
    },
    close: () => socket.close(),
  };
}
