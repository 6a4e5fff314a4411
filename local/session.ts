import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Demo, seedDemo } from './demo.ts';
import { errorText, printError, StackError } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { whenLauncherEnds } from './launcher.ts';
import { migrate } from './migrate.ts';
import type { DevOptions } from './options.ts';
import { makeSite } from './site.ts';
import { type Stack, startStack } from './stack.ts';
import { keepSite, watchFolder, watchMigrations } from './watch.ts';
import { type BuildReport, forkWorker, type WorkerProcess } from './worker.ts';

const readyDeadlineMs = 60_000;
/** However a part hangs, the command ends. */
const stopDeadlineMs = 25_000;
/** A Worker that ends this often within a minute is not started again. */
const mostRestarts = 3;

/** One run of the whole stack: everything it starts is stopped again, whichever way it ends. */
export class Session {
  readonly #options: DevOptions;
  readonly #root: string;
  readonly #gateway: Gateway;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #url: string;
  #stack: Promise<Stack> | undefined;
  #worker: WorkerProcess | undefined;
  #stopping: Promise<void> | undefined;
  /** Whether a Worker stands behind the gateway; while one is starting, whoever starts it hears of its end. */
  #serving = false;
  #restarts: number[] = [];
  #buildBegan: number | undefined;
  /** Called when the Worker was built anew. */
  #rebuilt: (() => void) | undefined;

  /** @param settings of the Worker, as the environment gives them */
  constructor(options: DevOptions, root: string, gateway: Gateway, settings: Readonly<Record<string, string>>) {
    this.#options = options;
    this.#root = root;
    this.#gateway = gateway;
    this.#settings = settings;
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
    const { persist, fresh, quiet, postgresUrl, redisUrl } = this.#options;
    const external = { ...(postgresUrl && { postgresUrl }), ...(redisUrl && { redisUrl }) };
    const onLoss = (what: string): void => this.#fail(`${what} ended unexpectedly`);
    this.#stack = startStack({ dir: persist, fresh, quiet, onLoss, ...external });
    this.#stack.catch(() => undefined);
    this.#worker = this.#fork();
    const site = makeSite();
    site.catch(() => undefined);
    const stack = await this.#stack;
    const log = quiet ? {} : { log: (line: string): void => console.log(line) };
    await migrate(stack.adminUrl, log);
    // A database of ours into which somebody put companies of theirs gets no demo beside them.
    const mayCreate = postgresUrl === undefined || !(await stack.holdsCompanies());
    await site;
    const port = await this.#run(stack, this.#worker);
    const file = join(stack.dir, 'demo.json');
    const demo = await seedDemo(`http://127.0.0.1:${port}`, { file, mayCreate }).catch((error: unknown) => error);
    if (this.#stopping !== undefined) return;
    this.#gateway.open(port);
    this.#serving = true;
    console.log(this.#welcome(demo));
    if (!quiet) this.#worker.printLogs();
    watchFolder(join(persist, 'run.json'), () => this.#fail(`the data folder ${persist} is gone: everything stops`));
    watchMigrations((line) => console.error(line)).catch(printError);
    this.#rebuilt = keepSite((line) => console.error(line));
  }

  #fork(): WorkerProcess {
    const worker = forkWorker(this.#root, join(this.#options.persist, 'wrangler'));
    worker.onUnexpectedEnd(() => void this.#again().catch((error: unknown) => this.#fail(errorText(error))));
    worker.onBuild((report) => this.#follow(report));
    return worker;
  }

  /** Starts the Worker behind the gateway and waits until it can serve; resolves to its own port. */
  async #run(stack: Stack, worker: WorkerProcess): Promise<number> {
    const leader = await worker.leader();
    if (leader !== undefined) await stack.recordGroup(leader);
    const { DATABASE_MIGRATION_URL: _, ...vars } = { ...stack.vars, ...this.#settings };
    const { ENVIRONMENT: own } = stack.vars;
    // On a Redis that is not ours all keys keep the prefix that makes them ours.
    if (own !== undefined && vars.ENVIRONMENT !== own) vars.ENVIRONMENT = `${own}-${vars.ENVIRONMENT}`;
    const config = join(this.#root, 'wrangler.toml');
    const terminal = process.stdout.isTTY === true;
    const format = { json: this.#options.json || !terminal, color: terminal && process.env.NO_COLOR === undefined };
    const port = await worker.start({ config, root: this.#root, persist: join(stack.dir, 'worker'), vars, format });
    await this.#untilReady(port);
    return port;
  }

  /** The Worker's process went down, or a workerd of it did: another one takes its place behind the same gateway. */
  async #again(): Promise<void> {
    if (this.#stopping !== undefined || !this.#serving) return;
    this.#serving = false;
    const stack = await this.#stack;
    const began = Date.now();
    this.#restarts = [...this.#restarts.filter((at) => at > began - 60_000), began];
    if (stack === undefined || this.#restarts.length > mostRestarts) {
      return this.#fail('the Worker’s process keeps ending: everything stops');
    }
    this.#gateway.hold();
    console.error('the Worker’s process ended unexpectedly; starting it again');
    this.#worker = this.#fork();
    const port = await this.#run(stack, this.#worker);
    if (this.#stopping !== undefined) return;
    this.#gateway.open(port);
    this.#serving = true;
    console.error(`the Worker is back after ${seconds(began)}`);
    if (!this.#options.quiet) this.#worker.printLogs();
  }

  #follow(report: BuildReport): void {
    if (!this.#serving) return;
    if (report.type === 'building') {
      this.#buildBegan ??= Date.now();
      this.#gateway.hold();
    } else if (report.type === 'broken') {
      this.#buildBegan = undefined;
      this.#gateway.close({
        status: 500,
        code: 'internal_error',
        detail: `The Worker cannot be built: ${report.message}`,
      });
    } else {
      this.#gateway.open(report.port);
      if (!this.#options.quiet && this.#buildBegan !== undefined)
        console.log(`reloaded in ${seconds(this.#buildBegan)}`);
      this.#buildBegan = undefined;
      this.#rebuilt?.();
    }
  }

  async #untilReady(port: number): Promise<void> {
    const deadline = Date.now() + readyDeadlineMs;
    let last = 'no answer';
    while (Date.now() < deadline && this.#stopping === undefined) {
      try {
        const url = `http://127.0.0.1:${port}/api/v1/health/ready`;
        const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
        if (response.status === 200) return;
        last = `${response.status} ${(await response.text()).slice(0, 500)}`;
        if (response.status === 500) throw new StackError(`the Worker cannot serve: ${last}`);
      } catch (error) {
        if (error instanceof StackError) throw error;
        last = errorText(error);
      }
      await sleep(50);
    }
    throw new StackError(`the Worker was not ready after ${readyDeadlineMs / 1000} s; its last answer: ${last}`);
  }

  #welcome(demo: Demo | unknown): string {
    const rows = [
      ['Start here', this.#url],
      ['Dashboard', `${this.#url}/dashboard`],
      ['API', `${this.#url}/api/v1`],
      ['API described', `${this.#url}/api/v1/openapi.json`],
      ...demoRows(demo),
      ['Data', this.#options.persist],
    ];
    const table = rows.map(([name = '', value = '']) => `  ${name.padEnd(14)} ${value}`).join('\n');
    return `\nClients+ is running on ${this.#url}\n\n${table}\n\nCtrl-C stops everything and keeps the data.\n`;
  }

  #fail(line: string): void {
    if (this.#stopping !== undefined) return;
    console.error(line);
    void this.#end(1);
  }

  #end(code: number): Promise<void> {
    this.#stopping ??= this.#stopAll(code);
    return this.#stopping;
  }

  async #stopAll(code: number): Promise<void> {
    setTimeout(() => process.exit(1), stopDeadlineMs).unref();
    const stack = await this.#stack?.catch(() => undefined);
    await stack?.announceStop().catch(printError);
    // The Worker first: it may be in the middle of a transaction.
    await this.#worker?.stop().catch(printError);
    await stack?.stop();
    await this.#gateway.stop();
    process.exit(code);
  }
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

function demoRows(demo: Demo | unknown): string[][] {
  if (!isDemo(demo)) return [['Demo company', `not available (${errorText(demo)})`]];
  const rows = [['Demo login', `${demo.email} / ${demo.password}`]];
  if (demo.apiKey !== undefined) rows.push(['Demo API key', demo.apiKey]);
  return rows;
}

function isDemo(value: unknown): value is Demo {
  return typeof value === 'object' && value !== null && 'email' in value;
}
