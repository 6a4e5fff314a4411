import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCode } from './errors.ts';

/** A process named so that a later process with the same pid is not mistaken for it. */
export interface ProcessId {
  pid: number;
  /** Opaque start time; equal for two readings of one process only. */
  started: string;
}

interface Stat {
  state: string;
  parent: number;
  group: number;
  started: string;
}

const run = promisify(execFile);
const hasProc = existsSync('/proc/self/stat');

/** Whether a process with this pid exists now, whoever owns it (a zombie counts as gone). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  return hasProc ? ((await statFields(pid))?.state ?? 'Z') !== 'Z' : true;
}

/** The identity of a running process, or undefined when there is none. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  if (!(await isAlive(pid))) return undefined;
  if (hasProc) {
    const fields = await statFields(pid);
    return fields === undefined ? undefined : { pid, started: `${await bootId()}:${fields.started}` };
  }
  const started = await ps(pid, 'lstart=');
  return started === '' ? undefined : { pid, started };
}

/** Whether exactly this process (not a later one with the same pid) still runs. */
export async function isSame(id: ProcessId): Promise<boolean> {
  return (await identify(id.pid))?.started === id.started;
}

/** The command line of a process with blanks between the words, or '' when it is gone or may not be read. */
export async function commandLine(pid: number): Promise<string> {
  if (!hasProc) return await ps(pid, 'command=');
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').join(' ').trim();
}

/** The pid of a process's parent, undefined when the process is gone. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const parent = hasProc ? (await statFields(pid))?.parent : Number(await ps(pid, 'ppid='));
  return parent === undefined || parent === 0 ? undefined : parent;
}

/** The living members of the process group that `leader` started, itself included while it lives. */
export async function groupMembers(leader: number): Promise<ProcessId[]> {
  const groups = hasProc ? await groupsFromProc() : await groupsFromPs();
  const members = groups.filter(({ group }) => group === leader).map(({ pid }) => identify(pid));
  return (await Promise.all(members)).filter((id) => id !== undefined);
}

/** Ends a process: `signal` first, SIGKILL when it is still there after `patienceMs`; resolves when it is gone. */
export async function endProcess(id: ProcessId, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  if (!(await isSame(id))) return;
  send(id.pid, signal);
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    if (!(await isSame(id))) return;
    await sleep(20);
  }
  send(id.pid, 'SIGKILL');
  while (await isSame(id)) await sleep(20);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function statFields(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The command name stands in parentheses and may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? 'Z', parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] ?? '' };
}

// Start times count from boot, so they repeat after a reboot unless the boot is named too.
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

async function groupsFromProc(): Promise<{ pid: number; group: number }[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  return await Promise.all(pids.map(async (pid) => ({ pid, group: (await statFields(pid))?.group ?? 0 })));
}

async function groupsFromPs(): Promise<{ pid: number; group: number }[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,pgid=']).catch(() => ({ stdout: '' }));
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return rows.map(([pid = 0, group = 0]) => ({ pid, group }));
}

async function ps(pid: number, column: string): Promise<string> {
  const { stdout } = await run('ps', ['-o', column, '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim();
}
