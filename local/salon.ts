import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// Imports the clients of a salon's exported files through the public API alone, and says what is stored beside what the
// files hold. A second run finds everything there and changes nothing.
const USAGE = 'usage: npm run salon -- FOLDER [--url URL] [--email EMAIL] [--password PASSWORD]';

/** Ends with one line: what went wrong here is a matter of the command, not of this file. */
function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

process.on('uncaughtException', (error) =>
  fail(error.message === 'fetch failed' ? `${values.url} does not answer: is npm run dev running?` : error.message),
);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    url: { type: 'string', default: 'http://127.0.0.1:8787' },
    email: { type: 'string', default: 'owner@salon.example' },
    password: { type: 'string', default: 'correct horse battery' },
  },
});
const [folder] = positionals;
if (values.help === true) {
  console.log(USAGE);
  process.exit(0);
}
if (folder === undefined) fail(USAGE);

/** The column that names the client, per file. */
const FILES = { 'bookings.csv': 'Code', 'cancellations.csv': 'Code', 'no-shows.csv': 'Code', 'receipts.csv': 'Client' };

/** One CSV record (RFC 4180): quoted cells may hold commas and doubled quotes. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"').trim(),
  );
}

async function codesOf(file: string, column: string): Promise<string[]> {
  const [header = '', ...lines] = (await readFile(join(folder ?? '', file), 'utf8')).split(/\r?\n/);
  const at = cells(header).indexOf(column);
  return lines.filter((line) => line !== '').map((line) => cells(line)[at] ?? '');
}

type Answer = { status: number; revision: number; body: Record<string, unknown> };

/** @param body JSON, or the text of a CSV file */
async function ask(method: string, path: string, token: string | null, body?: unknown): Promise<Answer> {
  const file = typeof body === 'string';
  for (;;) {
    const answer = await fetch(`${values.url}/api/v1${path}`, {
      method,
      headers: {
        'Content-Type': file ? 'text/csv' : 'application/json',
        ...(token !== null && { Authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: file ? body : JSON.stringify(body) }),
    });
    if (answer.status === 429 || answer.status === 503) {
      await answer.arrayBuffer();
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after') ?? 1) * 1000));
      continue;
    }
    const revision = Number(answer.headers.get('revision'));
    return { status: answer.status, revision, body: (await answer.json()) as Record<string, unknown> };
  }
}

async function signIn(): Promise<string> {
  const { email, password } = values;
  const login = await ask('POST', '/auth/login', null, { email, password });
  if (login.status === 200) return String(login.body.accessToken);
  const company = { name: 'The Salon', currency: 'CAD', timeZone: 'America/Vancouver' };
  const opened = await ask('POST', '/auth/signup', null, { company, user: { name: 'Owner', email, password } });
  if (opened.status !== 201) throw new Error(`sign-up answered ${opened.status}: ${JSON.stringify(opened.body)}`);
  return String(opened.body.accessToken);
}

/** Every external id the company has, by walking its clients. */
async function stored(token: string): Promise<{ codes: Set<string>; revision: number }> {
  const codes = new Set<string>();
  let path: string | null = '/clients?limit=100&status=ACTIVE,INACTIVE,ARCHIVED&fields=externalId';
  let revision = 0;
  while (path !== null) {
    const page: Answer = await ask('GET', path, token);
    revision = page.revision;
    for (const client of page.body.data as { externalId: string | null }[]) {
      if (client.externalId !== null) codes.add(client.externalId);
    }
    const { nextCursor } = page.body.pagination as { nextCursor: string | null };
    path =
      nextCursor === null
        ? null
        : `/clients?limit=100&status=ACTIVE,INACTIVE,ARCHIVED&fields=externalId&cursor=${nextCursor}`;
  }
  return { codes, revision };
}

const perFile = await Promise.all(Object.entries(FILES).map(([file, column]) => codesOf(file, column)));
const codes = new Set(perFile.flat().filter((code) => code !== ''));
const blank = perFile.flat().length - perFile.flat().filter((code) => code !== '').length;
const token = await signIn();
const before = await stored(token);
// The files call an external id "Code": the import is told so, as an owner would.
const columns = encodeURIComponent(JSON.stringify({ Code: 'externalId' }));
const asked = await ask('POST', `/imports?resource=clients&columns=${columns}`, token, ['Code', ...codes].join('\n'));
if (asked.status !== 202) throw new Error(`the import answered ${asked.status}: ${JSON.stringify(asked.body)}`);
let job = asked.body;
while (job.finishedAt === null) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  job = (await ask('GET', `/imports/${job.id}`, token)).body;
}
if (job.status !== 'COMPLETED' || job.failed !== 0) throw new Error(`the import ended so: ${JSON.stringify(job)}`);
const after = await stored(token);
const missing = [...codes].filter((code) => !after.codes.has(code)).length;
console.log(`distinct client codes in the files: ${codes.size} (${blank} rows without one)`);
console.log(`clients stored:                     ${after.codes.size} (${job.created} created now, ${missing} missing)`);
console.log(`revision before and after:          ${before.revision} → ${after.revision}`);
