import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { inject } from 'vitest';
import { Api } from './api.ts';
import type { RoomOrder, RoomReport } from './room-faults.ts';
import { type RunningWorker, startWorker } from './worker.ts';
import { openStack, type Stack } from './world.ts';

/** What stands before the bundle so that rooms can be harmed, as a module for `startWorker`. */
export async function riggedRooms(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, 'room-faults.ts'), 'utf8');
  const { code } = await transform(text.replace('../../src/index.ts', './index.js'), {
    loader: 'ts',
    target: 'es2022',
  });
  return code;
}

const ORDER_DEADLINE = 10_000;

/** Has a company's room, or all, do or say something. @param companyId bare */
export async function orderRoom(
  worker: Pick<RunningWorker, 'url'>,
  companyId: string,
  order: RoomOrder,
): Promise<RoomReport> {
  const signal = AbortSignal.timeout(ORDER_DEADLINE);
  const url = `${worker.url}/rooms-of-a-test/${companyId}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(order), signal });
  if (!answer.ok) throw new Error(`the room did not ${order.do}: ${await answer.text()}`);
  return (await answer.json()) as RoomReport;
}

/** A Worker whose rooms can be harmed, on a database and a Redis of its own. */
export type Rigged = Stack & { worker: RunningWorker; api: Api; close(): Promise<void> };

export async function openRigged(vars: Record<string, string> = {}): Promise<Rigged> {
  const [stack, front] = await Promise.all([openStack(), riggedRooms()]);
  const settings = { ...stack.vars, ROOM_MESSAGES_PER_MINUTE: '100000', ...vars };
  const worker = await startWorker({ bundle: inject('bundle'), vars: settings, front });
  return {
    ...stack,
    vars: settings,
    worker,
    api: new Api(worker.url),
    async close() {
      await worker.stop();
      await stack.close();
    },
  };
}
