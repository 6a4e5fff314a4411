import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks per second in /proc; Linux has used 100 on every architecture for decades (USER_HZ). */
const TICKS = 100;

/** Whether CPU time of other processes can be read. */
export const canReadCpu = process.platform === 'linux';

/** The workerd processes that this process started; none where there is no /proc. */
export async function workerdPids(): Promise<number[]> {
  if (!canReadCpu) return [];
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    names.map(async (pid) => {
      const stat = await readStat(pid).catch(() => null);
      return stat?.name === 'workerd' && stat.parent === process.pid ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

/** CPU time a process and its threads have used, ms; to 10 ms. */
export async function cpuMs(pid: number): Promise<number> {
  return (await readStat(pid)).cpuMs;
}

async function readStat(pid: number): Promise<{ name: string; parent: number; cpuMs: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name stands in parentheses and may hold anything; the numbers follow the last of them.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const [, parent] = fields;
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { name: text.slice(text.indexOf('(') + 1, end), parent: Number(parent), cpuMs: (ticks * 1000) / TICKS };
}

/** The same from the scheduler's account of the living threads, which is finer: to less than 1 ms. */
export async function threadsCpuMs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    threads.map((id) => readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8').catch(() => '0')),
  );
  return times.reduce((total, text) => total + Number(text.split(' ')[0]) / 1e6, 0);
}

/** Memory of a process that is in RAM, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
