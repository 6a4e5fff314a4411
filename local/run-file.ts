import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, errorText, StackError } from './errors.ts';
import { endProcess, groupMembers, identify, isSame, type ProcessId } from './processes.ts';

interface RunFile {
  owner: ProcessId;
  /** Leaders of process groups that this run started. */
  leaders: ProcessId[];
  /** Set once the owner has begun to stop. */
  stopping?: boolean;
}

/** The right to use a data folder, held until `release`. */
export interface Claim {
  /** Notes a process group by its leader; the next run must end it should this one be killed. */
  record(leader: ProcessId): Promise<void>;
  /** Tells a run that is starting meanwhile to wait for the end of this one. */
  announceStop(): Promise<void>;
  release(): Promise<void>;
}

const patienceMs = 5_000;

/**
 * Takes the folder for this process by `<dir>/run.json`; ends what a killed run left behind.
 * Throws StackError when a living process has it.
 */
export async function claimFolder(dir: string): Promise<Claim> {
  const file = join(dir, 'run.json');
  const owner = await identify(process.pid);
  if (owner === undefined) throw new Error('this process cannot see itself');
  const leaders: ProcessId[] = [];
  for (;;) {
    try {
      await writeFile(file, render({ owner, leaders }), { flag: 'wx' });
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const other = await endLeftovers(dir);
    if (other === undefined) continue;
    const who = `process ${other.pid} already uses the data folder ${dir}`;
    throw new StackError(`${who}: stop it, or choose another folder with --persist DIR`);
  }
  const rewrite = async (content: RunFile): Promise<void> => {
    await writeFile(`${file}.new`, render(content));
    await rename(`${file}.new`, file);
  };
  return {
    async record(leader) {
      leaders.push(leader);
      await rewrite({ owner, leaders });
    },
    async announceStop() {
      // A folder that was deleted has nobody waiting for it.
      if (existsSync(dir)) await rewrite({ owner, leaders, stopping: true });
    },
    release: () => rm(file, { force: true }),
  };
}

/**
 * Ends the processes that a killed run left behind; resolves to the living owner of the folder, if there is one.
 * An owner that is stopping is waited for, up to 10 s. Throws StackError when the folder is not ours to clean.
 */
export async function endLeftovers(dir: string): Promise<ProcessId | undefined> {
  const file = join(dir, 'run.json');
  if (!existsSync(file)) return undefined;
  let former = (await read(file)) ?? (await sleep(200).then(() => read(file)));
  const deadline = Date.now() + 10_000;
  while (former !== undefined && (await isSame(former.owner))) {
    if (former.stopping !== true || Date.now() > deadline) return former.owner;
    await sleep(50);
    former = (await read(file)) ?? former;
  }
  await Promise.all((former?.leaders ?? []).map(endGroup));
  await rm(file, { force: true }).catch((error: unknown) => {
    throw new StackError(`cannot clean up ${dir} (${errorText(error)}): choose another data folder with --persist DIR`);
  });
  return undefined;
}

/** Ends a group whose leader may be gone already; its number is not given away while one member lives. */
async function endGroup(leader: ProcessId): Promise<void> {
  const now = await identify(leader.pid);
  if (now !== undefined && now.started !== leader.started) return;
  const members = await groupMembers(leader.pid);
  await Promise.all(members.map((member) => endProcess(member, 'SIGTERM', patienceMs)));
}

/** The file's content, or undefined when it is missing or was cut off by a kill. */
async function read(file: string): Promise<RunFile | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
}

function render(content: RunFile): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
