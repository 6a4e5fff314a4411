import { parseArgs } from 'node:util';
import { callerOf } from './api.ts';
import { gaplessNumbers, rightBalances, rightSums } from './verify/books.ts';
import { legalStatuses, noOverlap } from './verify/calendar.ts';
import { LISTED, listsAgree, type Row } from './verify/lists.ts';
import { type Event, gapless, type Verdict } from './verify/log.ts';

// Reads a company's log from the first revision through the public API, and says whether the laws of calendar and books hold.
// It shares no code with the product, so it cannot be wrong with it. The lists are read only to be held against the log.
const USAGE = `usage: npm run verify -- (--token TOKEN | --email EMAIL --password PASSWORD) [--url URL] [--company comp_…]
The token is that of an owner or admin, or of a key with every read scope, users:read and admin too: whoever may not see all
that is logged sees gaps.
Ends with 0 when every law holds, 1 when one is broken, 2 when the log cannot be read whole.`;

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    url: { type: 'string', default: 'http://127.0.0.1:8787' },
    token: { type: 'string' },
    email: { type: 'string' },
    password: { type: 'string' },
    company: { type: 'string' },
  },
});

/** @param least the revision that an answer must not be older than */
async function ask(
  path: string,
  token: string | null,
  body?: object,
  least?: number,
): Promise<Record<string, unknown>> {
  const answer = await callerOf(values.url, token)(body === undefined ? 'GET' : 'POST', path, {
    ...(body !== undefined && { body }),
    // As it is stored: what a cache may say is the promise of others.
    headers: { 'Cache-Control': 'no-cache', ...(least !== undefined && { 'Min-Revision': String(least) }) },
  }).catch(() => fail(`${values.url} does not answer: is npm run dev running?`));
  if (answer.status >= 300) fail(`${path}: ${answer.json.code}: ${answer.json.detail}`);
  return answer.json;
}

async function tokenOf(): Promise<string> {
  const { token, email, password } = values;
  if (token !== undefined) return token;
  if (email === undefined || password === undefined) fail(USAGE);
  return String((await ask('/auth/login', null, { email, password })).accessToken);
}

if (values.help === true) {
  console.log(USAGE);
  process.exit(0);
}
const token = await tokenOf();
const company = await ask('/company', token);
if (values.company !== undefined && values.company !== company.id)
  fail(`The token is of ${company.id}, not of ${values.company}.`);
const events: Event[] = [];
/** Reads the log to its end; answers the head. */
async function read(): Promise<number> {
  for (;;) {
    const { data, head } = await ask(`/events?after=${events.at(-1)?.revision ?? 0}&limit=500`, token);
    const page = data as Event[];
    events.push(...page);
    if (page.length === 0) return Number(head);
  }
}

/** A list from its first page to its last, none older than the log as it was read. */
async function walk(path: string, least: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const answer = await ask(`${path}&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`, token, undefined, least);
    rows.push(...(answer.data as Row[]));
    cursor = (answer.pagination as { nextCursor: string | null }).nextCursor;
  }
  return rows;
}

const before = await read();
const lists = new Map<string, Row[]>();
for (const { entity, path } of LISTED) lists.set(entity, await walk(path, before));
const head = await read();
const verdicts: Verdict[] = [
  gapless(events, head),
  noOverlap(events),
  legalStatuses(events),
  rightSums(events),
  rightBalances(events),
  gaplessNumbers(events),
  listsAgree(events, before, lists),
];
for (const { law, looked, breaches } of verdicts) {
  console.log(`${breaches.length === 0 ? 'ok    ' : 'BROKEN'} ${law} (${looked})`);
  for (const breach of breaches.slice(0, 10)) console.log(`       ${breach}`);
}
process.exit(verdicts.every(({ breaches }) => breaches.length === 0) ? 0 : 1);
