import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { endProcess, groupMembers, identify, type ProcessId } from './processes.ts';
import type { HostCommand, HostOptions, HostReport } from './worker-host.ts';

/** A Worker process that has been started but not yet told what to run. */
export interface WorkerProcess {
  /** Builds and runs the Worker; resolves to the port it listens on, throws StackError when it cannot be built. */
  start(options: HostOptions): Promise<number>;
  /** Calls back for every build after the first: that it began, that it runs, that it failed. */
  onBuild(callback: (report: BuildReport) => void): void;
  /** The leader of the process group that holds workerd and esbuild too; undefined when it is gone. */
  leader(): Promise<ProcessId | undefined>;
  /** Shows what the Worker logs from now on; warnings and errors are always shown. */
  printLogs(): void;
  /** Calls back once when the process ends without having been told to. */
  onUnexpectedEnd(callback: () => void): void;
  stop(): Promise<void>;
}

export type BuildReport = Extract<HostReport, { type: 'building' | 'up' | 'broken' }>;

const patienceMs = 5_000;

// No questions, no telemetry, nothing fetched from the network.
const environment = {
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_LOG: 'warn',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  // dev.ts reads .env itself and hands over what it has checked.
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
};

/**
 * Forks the process that will run the Worker, so that wrangler loads while the databases still start.
 * `home`: folder for the files wrangler would keep in the home folder, which may not be writable.
 */
export function forkWorker(root: string, home: string): WorkerProcess {
  const child = fork(join(import.meta.dirname, 'worker-host.ts'), [], {
    cwd: root,
    // Ctrl-C must reach dev.ts alone, which stops the parts in the right order.
    detached: process.platform !== 'win32',
    env: { ...process.env, ...environment, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let stopping = false;
  let onBuild: ((report: BuildReport) => void) | undefined;
  const build = (report: HostReport): void => {
    if (report.type !== 'failed') onBuild?.(report);
  };
  return {
    leader: async () => (child.pid === undefined ? undefined : await identify(child.pid)),
    start: (hostOptions) =>
      startIn(child, hostOptions, () => child.on('message', (report: HostReport) => build(report))),
    onBuild(callback) {
      onBuild = callback;
    },
    printLogs: () => send(child, { type: 'print' }),
    onUnexpectedEnd(callback) {
      child.once('exit', () => {
        if (!stopping) callback();
      });
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      send(child, { type: 'stop' });
      await new Promise<void>((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
        child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      const rest = child.pid === undefined ? [] : await groupMembers(child.pid);
      await Promise.all(rest.map((id) => endProcess(id, 'SIGTERM', patienceMs)));
    },
  };
}

function startIn(child: ChildProcess, options: HostOptions, up: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new StackError('the process of the Worker ended before it was ready'));
    const listen = (report: HostReport): void => {
      if (report.type === 'building') return;
      child.off('exit', ended);
      child.off('message', listen);
      if (report.type === 'up') {
        up();
        resolve(report.port);
      } else reject(new StackError(`the Worker did not start: ${report.message}`));
    };
    child.once('exit', ended);
    child.on('message', listen);
    send(child, { type: 'start', options });
  });
}

function send(child: ChildProcess, command: HostCommand): void {
  // The process may be gone by now; its exit event tells.
  if (child.connected) child.send(command, () => undefined);
}
