import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, chmod, cp, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { commandLine, groupMembers } from '../../local/processes.ts';
import { until } from '../support/until.ts';
import { timeless, tourOf, typed } from './readme.ts';

// `npm run dev` as a developer has it: a copy of the project whose files are edited while it runs.
const root = join(import.meta.dirname, '../..');
const copied = [
  'src',
  'local',
  'migrations',
  'public',
  'package.json',
  'wrangler.toml',
  'tsconfig.json',
  'drizzle.config.ts',
];
const deadline = 240_000;
let dir: string;
let data: string;
let api: string;
let dev: Run;

type Run = { child: ChildProcess; output: () => string; ended: Promise<number | null> };

function run(args: readonly string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['local/dev.ts', ...args], {
    cwd: dir,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
}

const ask = async (path: string, init?: RequestInit): Promise<{ status: number; text: string }> => {
  try {
    const answer = await fetch(`${api}${path}`, init);
    return { status: answer.status, text: await answer.text() };
  } catch {
    // Nobody listens yet, or the answer was cut off by a rebuild.
    return { status: 0, text: '' };
  }
};

/** Appends to a source, waits, and takes it away again. */
async function withLine(file: string, line: string, then: () => Promise<unknown>): Promise<void> {
  const path = join(dir, file);
  const { length } = await readFile(path);
  await appendFile(path, line);
  try {
    await then();
  } finally {
    await truncate(path, length);
  }
  await until('it runs again', async () => (await ask('/health/live')).status === 200, deadline);
}

const statuses: number[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clientsplus-dev-'));
  await chmod(dir, 0o755);
  for (const name of copied) await cp(join(root, name), join(dir, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  data = join(dir, 'data');
  const port = await freePort();
  api = `http://127.0.0.1:${port}/api/v1`;
  dev = run(['--port', String(port), '--persist', data]);
  const ready = async (): Promise<boolean> => {
    const { status } = await ask('/health/ready');
    statuses.push(status);
    return status === 200;
  };
  await until('it is ready', ready, deadline);
});
afterAll(async () => {
  dev.child.kill('SIGTERM');
  await dev.ended;
  await rm(dir, { recursive: true, force: true });
});

test('ready means ready: nothing before the demo company, and then the first sign-up', async () => {
  expect(statuses).toContain(503);
  expect(statuses.filter((status) => ![0, 503, 200].includes(status))).toEqual([]);
  const { status, text } = await ask('/auth/signup', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      company: { name: 'First', currency: 'EUR', timeZone: 'Europe/Vienna' },
      user: { name: 'First', email: 'first@example.com', password: 'correct horse battery' },
    }),
  });
  expect(status, text).toBe(201);
  await until('the welcome', () => dev.output().includes('Demo API key'), deadline);
});

test('the tour of the README prints what it says', async () => {
  const steps = await tourOf(join(root, 'README.md'));
  expect(steps.length).toBeGreaterThan(10);
  const printed = await typed(steps, dir, Number(new URL(api).port));
  for (const [i, { commands, shown }] of steps.entries())
    for (const piece of shown) expect(timeless(printed[i] ?? ''), commands).toContain(timeless(piece));
});

test('a wrong setting ends the start before it began, a line per mistake', async () => {
  const wrong = { RATE_LIMIT_PER_MINUTE: 'plenty', MAILER_URL: 'https://mail.example.com' };
  const { ended, output } = run(['--port', String(await freePort()), '--persist', join(dir, 'other')], wrong);
  expect(await ended).toBe(1);
  expect(output()).toMatch(/^- MAILER_SECRET is missing$/m);
  expect(output()).toMatch(/^- RATE_LIMIT_PER_MINUTE must be/m);
  expect(output()).not.toMatch(/Postgres on|plenty/);
});

test('a syntax error answers the requests until it is mended', async () => {
  await withLine('src/core/json.ts', '\nexport const = 1;\n', async () => {
    const broken = await until(
      'an answer',
      async () => {
        const answer = await ask('/health/live');
        return answer.status === 500 && answer.text;
      },
      deadline,
    );
    expect(JSON.parse(broken).detail).toMatch(/src\/core\/json\.ts:\d+:\d+: /);
  });
  expect(dev.output()).toContain('reloaded in');
});

test('a fault is told with its message, its cause and its place in the sources', async () => {
  const file = join(dir, 'src/monitoring/health.ts');
  const text = await readFile(file, 'utf8');
  const boom = `const boom = (c: AppContext): AppContext => {
  if (c.req.method === 'GET') throw new TypeError('a boom', { cause: new Error('the reason') });
  return c;
};`;
  const live = "sendJson(c, 200, { status: 'live' }";
  expect(text).toContain(live);
  await writeFile(file, `${text.replace(live, live.replace('(c', '(boom(c)'))}\n${boom}\n`);
  const line = text.split('\n').length + 2;
  await until('the fault', async () => (await ask('/health/live')).text.includes('Quote the request id'), deadline);
  await until('its lines', () => dev.output().includes('a boom') && dev.output().includes('the reason'), deadline);
  expect(dev.output()).toContain(`src/monitoring/health.ts:${line}:`);
  await writeFile(file, text);
  await until('it is mended', async () => (await ask('/health/live')).status === 200, deadline);
});

test('a killed workerd comes back behind the same port', async () => {
  const { leaders } = JSON.parse(await readFile(join(data, 'run.json'), 'utf8')) as { leaders: { pid: number }[] };
  const members = await groupMembers(leaders.at(-1)?.pid ?? 0);
  const commands = await Promise.all(members.map(async ({ pid }) => ({ pid, command: await commandLine(pid) })));
  const runtimes = commands.filter(({ command }) => /workerd serve|bin\/workerd/.test(command));
  expect(runtimes.length).toBeGreaterThan(0);
  for (const { pid } of runtimes) process.kill(pid, 'SIGKILL');
  await until('it is back', () => dev.output().includes('the Worker is back after'), deadline);
  expect((await ask('/health/ready')).status).toBe(200);
});

test('pages and the OpenAPI document are made anew when what they are made from changes', async () => {
  const page = join(dir, 'public/home.html');
  await writeFile(page, (await readFile(page, 'utf8')).replace('<title>', '<title>Changed: '));
  await until('the page', async () => (await ask('/../..')).text.includes('<title>Changed: '), deadline);
  const routes = join(dir, 'src/monitoring/health.ts');
  const text = await readFile(routes, 'utf8');
  const [summary = ''] = /(?<=summary: ').*?(?=')/.exec(text) ?? [];
  await writeFile(routes, text.replace(summary, 'A changed summary'));
  await until('the document', async () => (await ask('/openapi.json')).text.includes('A changed summary'), deadline);
});

test('a migration that was added is named', async () => {
  await writeFile(join(dir, 'migrations/9999_new.sql'), 'select 1;');
  await until('its name', () => dev.output().includes('migrations/9999_new.sql is new: restart npm run dev'), deadline);
});

test('a data folder that vanishes ends the command', async () => {
  // Its owner is still writing there.
  await rm(data, { recursive: true, force: true, maxRetries: 20 });
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toContain(`the data folder ${data} is gone`);
});
