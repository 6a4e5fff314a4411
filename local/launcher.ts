import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, identify, isSame, type ProcessId, parentOf } from './processes.ts';

const everyMs = 200;

/**
 * Calls back when the npm that started us is gone. A signal sent to npm alone ends npm and its shell but never
 * reaches us; without this the stack would go on holding its port. Does nothing when npm did not start us.
 */
export async function whenLauncherEnds(callback: () => void): Promise<void> {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const launchers = await findLaunchers();
  for (;;) {
    await sleep(everyMs, undefined, { ref: false });
    const alive = await Promise.all(launchers.map(isSame));
    if (process.ppid === launchers[0]?.pid && alive.every((is) => is)) continue;
    callback();
    return;
  }
}

/** Our parent (npm's shell, or npm itself) and, behind a shell, npm. */
async function findLaunchers(): Promise<ProcessId[]> {
  const pids = [process.ppid];
  const behind = await parentOf(process.ppid);
  // Behind npm itself stands whoever called npm, and they may leave.
  if (behind !== undefined && /\bnpm\b/.test(await commandLine(behind))) pids.push(behind);
  const found = await Promise.all(pids.map((pid) => identify(pid)));
  return found.filter((id) => id !== undefined);
}
