import { setTimeout as sleep } from 'node:timers/promises';
import { unstable_startWorker } from 'wrangler';
import { cronMatches } from './cron.ts';
import { errorText } from './errors.ts';
import { endProcess, groupMembers } from './processes.ts';

/** What dev.ts sends to this process. */
export type HostCommand = { type: 'start'; options: HostOptions } | { type: 'print' } | { type: 'stop' };

/** What this process answers. */
export type HostReport = { type: 'listening' } | { type: 'failed'; message: string };

export interface HostOptions {
  /** Path of wrangler.toml. */
  config: string;
  port: number;
  /** Folder for the state of the Durable Objects. */
  persist: string;
  vars: Record<string, string>;
}

interface LogLine {
  level: string;
  message: string;
}

type Worker = Awaited<ReturnType<typeof unstable_startWorker>>;

const disposeMs = 3_000;

// A process of its own for two reasons: Miniflare ends its process on any signal before anybody can clean up, and
// the bridges keep an event loop to themselves. The lost channel tells us that dev.ts was killed.
let starting: Promise<Worker> | undefined;
let stopping = false;
let printing = false;

process.on('message', (command: HostCommand) => {
  // Until the stack is ready only warnings are shown: the requests that fill the demo company are nobody's news.
  if (command.type === 'print') printing = true;
  const work = command.type === 'start' ? start(command.options) : command.type === 'stop' ? stop() : Promise.resolve();
  work.catch((error: unknown) => {
    report({ type: 'failed', message: describe(error) });
    process.exitCode = 1;
    void stop();
  });
});
process.on('disconnect', () => void stop());

async function start(options: HostOptions): Promise<void> {
  const bindings = Object.entries(options.vars).map(([name, value]) => [name, { type: 'secret_text' as const, value }]);
  starting = unstable_startWorker({
    config: options.config,
    bindings: Object.fromEntries(bindings),
    // Traces in a developer's log should name our functions.
    build: { minify: false },
    dev: {
      server: { hostname: '127.0.0.1', port: options.port },
      persist: options.persist,
      // wrangler's own lines (every request, a table of settings) would drown the Worker's.
      logLevel: 'warn',
      structuredLogsHandler: printLog,
      inspector: false,
      remote: false,
      watch: true,
      liveReload: false,
    },
  });
  const worker = await starting;
  await worker.ready;
  report({ type: 'listening' });
  runCrons(worker, `http://127.0.0.1:${options.port}`).catch((error: unknown) => console.error(error));
}

/** Fires the crons of wrangler.toml at the start of every minute, as production does; Miniflare has no clock. */
async function runCrons(target: Worker, baseUrl: string): Promise<void> {
  for (let minute = nextMinute(); ; minute += 60_000) {
    // A machine that slept must not catch up on every minute it missed.
    if (minute < Date.now() - 60_000) minute = nextMinute();
    while (Date.now() < minute) await sleep(minute - Date.now());
    if (stopping) return;
    const due = crons(target).filter((expression) => cronMatches(expression, new Date(minute)));
    await Promise.all(due.map((cron) => fire(baseUrl, cron, minute)));
  }
}

function nextMinute(): number {
  return Math.floor(Date.now() / 60_000) * 60_000 + 60_000;
}

async function fire(baseUrl: string, cron: string, time: number): Promise<void> {
  const query = new URLSearchParams({ cron, time: String(time) });
  try {
    // The Worker object's own scheduled() does not find the Worker in this version of wrangler.
    const response = await fetch(`${baseUrl}/cdn-cgi/handler/scheduled?${query}`);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  } catch (error) {
    if (!stopping) console.error(`cron ${cron} failed: ${errorText(error)}`);
  }
}

function crons(target: Worker): string[] {
  // Read each time: an edit of wrangler.toml reloads the Worker with new triggers.
  const triggers: { type: string; cron?: string }[] = target.config.triggers ?? [];
  return triggers.flatMap((trigger) => (trigger.cron === undefined ? [] : [trigger.cron]));
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  // A start in progress cannot be called off, only waited for.
  const disposed = starting?.then((worker) => worker.dispose());
  await Promise.race([disposed, sleep(disposeMs)]).catch(() => undefined);
  await endHelpers();
  process.exit();
}

/** Ends esbuild and workerd if they are still there. */
async function endHelpers(): Promise<void> {
  for (;;) {
    const helpers = (await groupMembers(process.pid)).filter(({ pid }) => pid !== process.pid);
    if (helpers.length === 0) break;
    await Promise.all(helpers.map((id) => endProcess(id, 'SIGTERM', 1_000)));
  }
  // Time to collect them, or they would stay as zombies where nobody else does.
  await sleep(10);
}

function report(message: HostReport): void {
  if (process.connected) process.send?.(message);
}

function printLog({ level, message }: LogLine): void {
  const severe = level === 'warn' || level === 'error';
  if (severe) console.error(message);
  else if (printing) console.log(message);
}

/** esbuild and wrangler hide the reason in `cause` or `errors`. */
function describe(error: unknown): string {
  const lines = [errorText(error)];
  if (error instanceof Error && error.cause !== undefined) lines.push(describe(error.cause));
  return lines.join('\n');
}
