import { parseArgs } from 'node:util';
import { gaplessNumbers, rightBalances, rightSums } from './verify/books.ts';
import { legalStatuses, noOverlap } from './verify/calendar.ts';
import { type Event, gapless, type Verdict } from './verify/log.ts';

// Reads a company's log from the first revision through the public API, and says whether the laws of calendar and books hold.
// It shares no code with the product, so it cannot be wrong with it.
const USAGE = `usage: npm run verify -- (--token TOKEN | --email EMAIL --password PASSWORD) [--url URL] [--company comp_…]
The token is that of an owner or admin, or of a key that may read events and all that is looked at.
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

async function ask(path: string, token: string | null, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${values.url}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => fail(`${values.url} does not answer: is npm run dev running?`));
  const json = (await answer.json()) as Record<string, unknown>;
  if (answer.status === 429) {
    await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('Retry-After') ?? 1) * 1000));
    return ask(path, token, body);
  }
  if (!answer.ok) fail(`${path}: ${json.code}: ${json.detail}`);
  return json;
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
let head = 0;
for (let page: Event[] | null = null; page === null || page.length > 0; ) {
  const answer = await ask(`/events?after=${events.at(-1)?.revision ?? 0}&limit=500`, token);
  page = answer.data as Event[];
  head = Number(answer.head);
  events.push(...page);
}
const verdicts: Verdict[] = [
  gapless(events, head),
  noOverlap(events),
  legalStatuses(events),
  rightSums(events),
  rightBalances(events),
  gaplessNumbers(events),
];
for (const { law, looked, breaches } of verdicts) {
  console.log(`${breaches.length === 0 ? 'ok    ' : 'BROKEN'} ${law} (${looked})`);
  for (const breach of breaches.slice(0, 10)) console.log(`       ${breach}`);
}
process.exit(verdicts.every(({ breaches }) => breaches.length === 0) ? 0 : 1);
