import { setTimeout as sleep } from 'node:timers/promises';
import { unstable_DevEnv } from 'wrangler';
import { cronMatches } from './cron.ts';
import { errorText } from './errors.ts';
import { type Format, formatLog } from './log-format.ts';
import { Places } from './places.ts';
import { commandLine, endProcess, groupMembers, isSame, type ProcessId } from './processes.ts';

/** What dev.ts sends to this process. */
export type HostCommand = { type: 'start'; options: HostOptions } | { type: 'print' } | { type: 'stop' };

/** What this process answers; `up` each time a build of the Worker runs, with the port it listens on. */
export type HostReport =
  | { type: 'building' }
  | { type: 'up'; port: number }
  | { type: 'broken'; message: string }
  | { type: 'failed'; message: string };

export interface HostOptions {
  /** Path of wrangler.toml. */
  config: string;
  /** Folder of the project. */
  root: string;
  /** Folder for the state of the Durable Objects. */
  persist: string;
  vars: Record<string, string>;
  format: Format;
}

interface LogLine {
  level: string;
  message: string;
}

interface BuildError {
  text: string;
  location?: { file: string; line: number; column: number } | null;
}

type Event = Parameters<unstable_DevEnv['dispatch']>[0];
type Worker = Awaited<ReturnType<unstable_DevEnv['startWorker']>>;

const disposeMs = 3_000;
const watchMs = 500;

// A process of its own for two reasons: Miniflare ends its process on any signal before anybody can clean up, and
// the bridges keep an event loop to themselves. The lost channel tells us that dev.ts was killed.
let starting: Promise<Worker> | undefined;
let stopping = false;
let printing = false;
let format: Format = { json: true, color: false };
let places: Places;
/** The workerd processes of the build that runs; undefined while another one is on its way. */
let runtimes: ProcessId[] | undefined;

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
  format = options.format;
  places = new Places(options.root);
  const bindings = Object.entries(options.vars).map(([name, value]) => [name, { type: 'secret_text' as const, value }]);
  const environment = new unstable_DevEnv();
  observe(environment);
  starting = environment.startWorker({
    config: options.config,
    bindings: Object.fromEntries(bindings),
    // Traces in a developer's log should name our functions; src/http/fault.ts says what else development shows.
    // The site is made by dev.ts: before each build it would keep the developer waiting.
    build: { minify: false, define: { DEVELOPMENT: 'true' }, custom: { command: '' } },
    dev: {
      // Nobody calls this port: dev.ts leads its callers straight to the runtime.
      server: { hostname: '127.0.0.1', port: 0 },
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
  runCrons(worker, await worker.url).catch((error: unknown) => console.error(error));
  watchRuntimes().catch((error: unknown) => console.error(error));
}

/** Follows wrangler from one build to the next. */
function observe(environment: unstable_DevEnv): void {
  const dispatch = environment.dispatch.bind(environment);
  environment.dispatch = (event: Event) => {
    if (event.type === 'bundleStart' || event.type === 'reloadStart') {
      runtimes = undefined;
      report({ type: 'building' });
    }
    if (event.type === 'bundleComplete') places.use(event.bundle.sourceMapPath);
    dispatch(event);
  };
  environment.on('reloadComplete', (event: Extract<Event, { type: 'reloadComplete' }>) => {
    const port = Number(event.proxyData.userWorkerUrl.port);
    findRuntimes().then(
      (found) => {
        runtimes = found;
        report({ type: 'up', port });
      },
      (error: unknown) => console.error(error),
    );
  });
  environment.on('buildFailed', ({ cause }: { cause: unknown }) =>
    report({ type: 'broken', message: buildFault(cause) }),
  );
  environment.on('error', (error: unknown) => {
    if (stopping) return;
    // A throw at the top of a file: workerd has logged it, and this build will not come up.
    const uncaught = /Uncaught .*?(?=",|$)/m.exec(describe(error))?.[0].replaceAll(/(?:\\n|\s)+/g, ' ');
    if (uncaught === undefined) console.error(describe(error));
    if (runtimes === undefined) report({ type: 'broken', message: places.translate(uncaught ?? describe(error)) });
  });
}

async function findRuntimes(): Promise<ProcessId[]> {
  const members = (await groupMembers(process.pid)).filter(({ pid }) => pid !== process.pid);
  const named = await Promise.all(members.map(async (id) => ({ id, command: await commandLine(id.pid) })));
  return named.filter(({ command }) => /\bworkerd\b/.test(command)).map(({ id }) => id);
}

/** wrangler starts a killed workerd again but no longer finds it: better to go, and let dev.ts start us anew. */
async function watchRuntimes(): Promise<void> {
  for (;;) {
    await sleep(watchMs);
    const watched = runtimes;
    if (stopping) return;
    const alive = await Promise.all((watched ?? []).map(isSame));
    if (watched === runtimes && alive.includes(false)) return stop();
  }
}

/** Fires the crons of wrangler.toml at the start of every minute, as production does; Miniflare has no clock. */
async function runCrons(target: Worker, url: URL): Promise<void> {
  for (let minute = nextMinute(); ; minute += 60_000) {
    // A machine that slept must not catch up on every minute it missed.
    if (minute < Date.now() - 60_000) minute = nextMinute();
    while (Date.now() < minute) await sleep(minute - Date.now());
    if (stopping) return;
    const due = crons(target).filter((expression) => cronMatches(expression, new Date(minute)));
    await Promise.all(due.map((cron) => fire(url, cron, minute)));
  }
}

function nextMinute(): number {
  return Math.floor(Date.now() / 60_000) * 60_000 + 60_000;
}

async function fire(url: URL, cron: string, time: number): Promise<void> {
  // Through wrangler's own port: only there this path is known.
  const target = new URL(`/cdn-cgi/handler/scheduled?${new URLSearchParams({ cron, time: String(time) })}`, url);
  try {
    // The Worker object's own scheduled() does not find the Worker in this version of wrangler.
    const response = await fetch(target);
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
  // What workerd says of a build that threw as it was loaded, beside the throw itself.
  if ((!severe && !printing) || message.startsWith('A DurableObjectNamespace in the config referenced')) return;
  const text = formatLog(message, format, places, new Date());
  if (text === null) return;
  if (severe) console.error(text);
  else console.log(text);
}

/** The first fault of a build, with its place. wrangler has printed all of them. */
function buildFault(cause: unknown): string {
  for (let at = cause; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    const { errors } = at as { errors?: BuildError[] };
    const [first, ...others] = errors ?? [];
    if (first === undefined) continue;
    const place = first.location ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: ` : '';
    return `${place}${first.text}${others.length > 0 ? ` (and ${others.length} more)` : ''}`;
  }
  return describe(cause);
}

/** esbuild and wrangler hide the reason in `cause` or `errors`. */
function describe(error: unknown): string {
  if (error instanceof Error)
    return error.cause === undefined ? error.message : `${error.message}\n${describe(error.cause)}`;
  const { reason, cause } = (error ?? {}) as { reason?: unknown; cause?: unknown };
  return reason === undefined ? String(error) : `${String(reason)}\n${describe(cause)}`;
}
