import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Demo, seedDemo } from './demo.ts';
import { errorText, StackError } from './errors.ts';
import { whenLauncherEnds } from './launcher.ts';
import { migrate } from './migrate.ts';
import { type DevOptions, readOptions, usage } from './options.ts';
import { portTaken } from './ports.ts';
import { endLeftovers } from './run-file.ts';
import { type Stack, startStack } from './stack.ts';
import { forkWorker, type WorkerProcess } from './worker.ts';

const root = join(import.meta.dirname, '..');
const readyDeadlineMs = 60_000;

/** Optional settings of the Worker that are handed through from the environment. */
const handedThrough = `SIGNUP RATE_LIMIT_PER_MINUTE LOGIN_LIMIT SIGNUP_LIMIT CACHE_MAX_STALENESS_MS EDGE_CACHE
  DB_CONNECTION_LIMIT DB_ACQUIRE_TIMEOUT DB_SLOW_QUERY_THRESHOLD ENABLE_DB_METRICS ROOM_MAX_CONNECTIONS
  ROOM_MESSAGES_PER_MINUTE ROOM_IDLE_TIMEOUT_MS ROOM_BATCH_MS CORS_ORIGINS LOG_LEVEL MAILER_URL`.split(/\s+/);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  // The Worker of a killed run may still hold the very port we want.
  await endLeftovers(options.persist);
  if (await portTaken(options.port)) {
    const next = options.port === 65_535 ? 8787 : options.port + 1;
    throw new StackError(`port ${options.port} is in use; try npm run dev -- --port ${next}`);
  }
  await new Session(options).run();
}

/** One run of the whole stack: everything it starts is stopped again, whichever way it ends. */
class Session {
  readonly #options: DevOptions;
  readonly #url: string;
  #stack: Promise<Stack> | undefined;
  #worker: WorkerProcess | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: DevOptions) {
    this.#options = options;
    this.#url = `http://127.0.0.1:${options.port}`;
  }

  async run(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void this.#end(0));
    whenLauncherEnds(() => void this.#end(0)).catch(printError);
    // A terminal that went away must not end us before the databases have stopped.
    process.stdout.on('error', () => undefined);
    process.stderr.on('error', () => undefined);
    try {
      await this.#start();
    } catch (error) {
      // Being told to stop makes the start fail in many ways, none of them worth a line.
      if (this.#stopping === undefined) printError(error);
      await this.#end(1);
    }
  }

  async #start(): Promise<void> {
    const { persist, fresh, quiet, port, postgresUrl, redisUrl } = this.#options;
    const external = { ...(postgresUrl && { postgresUrl }), ...(redisUrl && { redisUrl }) };
    this.#stack = startStack({ dir: persist, fresh, quiet, ...external });
    this.#stack.catch(() => undefined);
    this.#worker = forkWorker(root, join(persist, 'wrangler'));
    this.#worker.onUnexpectedEnd(() => {
      if (this.#stopping === undefined) console.error('the process of the Worker ended unexpectedly');
      void this.#end(1);
    });
    const stack = await this.#stack;
    const leader = await this.#worker.leader();
    if (leader !== undefined) await stack.recordGroup(leader);
    const log = quiet ? {} : { log: (line: string): void => console.log(line) };
    await migrate(stack.adminUrl, log);
    const { DATABASE_MIGRATION_URL: _, ...vars } = { ...environmentSettings(quiet), ...stack.vars };
    const config = join(root, 'wrangler.toml');
    await this.#worker.start({ config, port, persist: join(stack.dir, 'worker'), vars });
    await this.#untilReady();
    const demo = await seedDemo(this.#url, { file: join(stack.dir, 'demo.json') }).catch((error: unknown) => error);
    if (this.#stopping !== undefined) return;
    console.log(this.#welcome(demo));
    if (!quiet) this.#worker.printLogs();
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + readyDeadlineMs;
    let last = 'no answer';
    while (Date.now() < deadline) {
      try {
        const response = await fetch(`${this.#url}/api/v1/health/ready`, { signal: AbortSignal.timeout(5_000) });
        if (response.status === 200) return;
        last = `${response.status} ${(await response.text()).slice(0, 500)}`;
      } catch (error) {
        last = errorText(error);
      }
      await sleep(50);
    }
    throw new StackError(`the Worker was not ready after ${readyDeadlineMs / 1000} s; its last answer: ${last}`);
  }

  #welcome(demo: Demo | unknown): string {
    const rows = [
      ['API', `${this.#url}/api/v1`],
      ['API described', `${this.#url}/api/v1/openapi.json`],
      ...demoRows(demo),
      ['Data', this.#options.persist],
    ];
    const table = rows.map(([name = '', value = '']) => `  ${name.padEnd(14)} ${value}`).join('\n');
    return `\nClients+ is running on ${this.#url}\n\n${table}\n\nCtrl-C stops everything and keeps the data.\n`;
  }

  #end(code: number): Promise<void> {
    this.#stopping ??= this.#stopAll(code);
    return this.#stopping;
  }

  async #stopAll(code: number): Promise<void> {
    const stack = await this.#stack?.catch(() => undefined);
    await stack?.announceStop().catch(printError);
    // The Worker first: it may be in the middle of a transaction.
    await this.#worker?.stop().catch(printError);
    await stack?.stop();
    process.exit(code);
  }
}

function environmentSettings(quiet: boolean): Record<string, string> {
  const vars: Record<string, string> = quiet ? { LOG_LEVEL: 'warn' } : {};
  for (const name of handedThrough) {
    const value = process.env[name];
    if (value !== undefined && value !== '') vars[name] = value;
  }
  return vars;
}

function demoRows(demo: Demo | unknown): string[][] {
  if (!isDemo(demo)) return [['Demo company', `not available (${errorText(demo)})`]];
  const rows = [['Demo login', `${demo.email} / ${demo.password}`]];
  if (demo.apiKey !== undefined) rows.push(['Demo API key', demo.apiKey]);
  return rows;
}

function isDemo(value: unknown): value is Demo {
  return typeof value === 'object' && value !== null && 'email' in value;
}

function printError(error: unknown): void {
  console.error(error instanceof StackError ? error.message : error);
}

try {
  await main();
} catch (error) {
  printError(error);
  process.exitCode = 1;
}
