import { setTimeout as pause } from 'node:timers/promises';

/** Where one caller calls, and as whom. */
export type Caller = { urls: readonly string[]; token: string; client: string };

/** A company that storms: `parallel` callers write, over and over for `seconds`, or once each when that is 0. */
export type Storm = Caller & { kind: 'storm'; body: 'patch' | 'bulk'; parallel: number; seconds: number };
/** A company that goes about its work: a read past the cache and a write in turn, until told to stop. */
export type Calm = Caller & { kind: 'calm'; pauseMs: number };
export type Order = Storm | Calm;

/** Statuses as counts, 0 for no answer at all; times in ms. */
export type Report = { statuses: Record<number, number>; reads: number[]; writes: number[] };

// A process of its own, so that neither caller waits for the other, nor for the bridges of the test.
const report: Report = { statuses: {}, reads: [], writes: [] };
let stopped = false;

process.on('message', (message: Order | 'stop') => {
  if (message === 'stop') stopped = true;
  else void run(message).then(() => process.send?.(report));
});
process.once('disconnect', () => process.exit(0));

async function run(order: Order): Promise<void> {
  if (order.kind === 'calm') return await work(order);
  const until = Date.now() + order.seconds * 1000;
  const writers = Array.from({ length: order.parallel }, async (_, i) => {
    do {
      if (order.body === 'patch') await ask(order, i, 'PATCH', order.client, { notes: `n${i} ${Date.now()}` });
      else
        await ask(order, i, 'POST', '/clients/bulk', {
          mode: 'atomic',
          items: Array(500).fill({ firstName: 'Anna', lastName: 'Berg' }),
        });
    } while (Date.now() < until);
  });
  await Promise.all(writers);
}

async function work(order: Calm): Promise<void> {
  for (let i = 0; !stopped; i += 1) {
    report.reads.push(await ask(order, i, 'GET', '/clients?limit=20'));
    await pause(order.pauseMs);
    report.writes.push(await ask(order, i, 'PATCH', order.client, { notes: `n${i}` }));
    await pause(order.pauseMs);
  }
}

async function ask({ urls, token }: Caller, i: number, method: string, path: string, body?: unknown): Promise<number> {
  const began = performance.now();
  let status = 0;
  try {
    const answer = await fetch(`${urls[i % urls.length]}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    status = answer.status;
  } catch {
    // No answer: counted as such.
  }
  report.statuses[status] = (report.statuses[status] ?? 0) + 1;
  return performance.now() - began;
}
