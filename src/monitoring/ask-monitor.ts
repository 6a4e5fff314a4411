import { AppError } from '../core/errors.ts';
import type { MonitorApi } from '../data/monitor.ts';
import { callRoom } from '../data/rooms.ts';
import type { AppContext } from '../http/context.ts';

/** Longest wait for the monitor, ms. */
const DEADLINE = 5000;

/** What the monitor says. @throws AppError busy when it does not answer */
export async function askMonitor<T>(c: AppContext, ask: (monitor: MonitorApi) => Promise<T>): Promise<T> {
  const { ctx, deps } = c.env;
  return callRoom(ctx, () => ask(deps.monitor()), DEADLINE).catch((cause: unknown) => {
    throw new AppError('busy', 'The monitor does not answer.', { extra: { retryAfter: 2 }, cause });
  });
}
