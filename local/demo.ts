import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ask, accepted, callerOf } from './api.ts';
import { demoClients } from './demo/clients.ts';
import { clockOf, instantOf } from './demo/clock.ts';
import { branches, holidaysFrom, ZONE } from './demo/company.ts';
import { catalogueRows, weekRows } from './demo/rows.ts';
import { demoWeek, lastDayOf, type Now } from './demo/week.ts';
import { load } from './imports.ts';

export interface Demo {
  email: string;
  password: string;
  /** Secret of the key named "demo". */
  apiKey?: string;
}

export interface DemoOptions {
  /** File that remembers the key's secret from one start to the next; without it no key is made. */
  file?: string;
  /** False: a demo company that is not there is not made. */
  mayCreate?: boolean;
  now?: Date;
}

interface Memory {
  apiKey?: string;
  /** The last day that was filled with bookings. */
  until?: string;
}

const login = { email: 'demo@atelier-ansel.example', password: 'correct horse battery' };
const scopes = [
  ...['clients:write', 'catalog:write', 'appointments:write', 'appointments:overlap', 'invoices:write'],
  ...['payments:write', 'analytics:read', 'events:read', 'import', 'export'],
];

/**
 * Makes sure the demo company "Atelier Ansel" exists and has bookings around today, through the public API only. Repeating
 * it adds what is missing and nothing else. Rejects with one readable line when the API refuses.
 */
export async function seedDemo(baseUrl: string, options: DemoOptions = {}): Promise<Demo> {
  const now = options.now ?? new Date();
  const memory = await recall(options.file);
  const until = lastDayOf(clockOf(now));
  const known = memory.apiKey === undefined || memory.until === undefined ? null : callerOf(baseUrl, memory.apiKey);
  // A key that works says that the company is there, without a password to be derived for it.
  const works = known !== null && (await known('GET', '/clients?limit=1')).status < 300;
  if (works && memory.until === until) return { ...login, ...memory };
  const started = Date.now();
  const ask = works ? known : callerOf(baseUrl, await signIn(callerOf(baseUrl, null), options.mayCreate ?? true));
  const signedIn = Date.now();
  if (!works) await addCompany(ask, now);
  await addWeek(ask, clockOf(now));
  if (options.file === undefined) return login;
  const apiKey = works ? String(memory.apiKey) : await makeKey(ask);
  await writeFile(options.file, `${JSON.stringify({ apiKey, until } satisfies Memory)}\n`, { mode: 0o600 });
  // An isolate that has derived a password rests for as long again; the first sign-up must not be told to wait for it.
  if (!works) await sleep(Math.max(0, 2 * signedIn - started - Date.now()));
  return { ...login, apiKey };
}

async function signIn(ask: Ask, mayCreate: boolean): Promise<string> {
  const answer = await ask('POST', '/auth/login', { body: login });
  if (answer.status < 300) return String(answer.json.accessToken);
  if (!mayCreate) throw new Error('the database holds companies already, so none is put beside them');
  const company = { name: 'Atelier Ansel', currency: 'EUR', timeZone: ZONE };
  const created = await ask('POST', '/auth/signup', { body: { company, user: { name: 'Vera Ansel', ...login } } });
  return String(accepted(created, 'sign-up').json.accessToken);
}

/** Everything but the bookings. */
async function addCompany(ask: Ask, now: Date): Promise<void> {
  accepted(await ask('PATCH', '/company', { body: { pricesIncludeTax: true } }), 'the company');
  const existing = accepted(await ask('GET', '/branches?limit=100'), 'list of branches');
  const ids = new Map((existing.json.data as { id: string; name: string }[]).map(({ id, name }) => [name, id]));
  for (const branch of branches) {
    const body = { ...branch, holidays: holidaysFrom(now.getFullYear()) };
    const id = ids.get(branch.name);
    const answer = id === undefined ? ask('POST', '/branches', { body }) : ask('PATCH', `/branches/${id}`, { body });
    accepted(await answer, `branch ${branch.name}`);
  }
  for (const each of [...catalogueRows(), { resource: 'clients', rows: demoClients }]) await load(ask, each);
}

/** Bookings, receipts and who is away, for the days behind those that were filled before. */
async function addWeek(ask: Ask, now: Now): Promise<void> {
  const latest = accepted(await ask('GET', '/appointments?limit=1&sort=-startsAt&fields=localStart'), 'appointments');
  const [last] = latest.json.data as { localStart: string }[];
  const present = demoClients.filter(({ status }) => status === 'ACTIVE').map(({ externalId }) => externalId);
  const week = demoWeek(now, present, last?.localStart.slice(0, 10) ?? '');
  for (const each of weekRows(week)) if (each.rows.length > 0) await load(ask, each);
  const { json } = accepted(await ask('GET', '/staff?limit=100&fields=externalId'), 'list of staff');
  const ids = new Map(
    (json.data as { id: string; externalId: string }[]).map(({ id, externalId }) => [externalId, id]),
  );
  for (const { staff, date, from, to, reason } of week.timeOff) {
    const span = { startsAt: instantOf(date, from), endsAt: instantOf(date, to) };
    const body = { ...span, reason, externalId: `demo-${staff}-${date}` };
    const answer = await ask('POST', `/staff/${ids.get(staff)}/time-off`, { body });
    if (answer.json.code !== 'external_id_taken') accepted(answer, 'time off');
  }
}

async function makeKey(ask: Ask): Promise<string> {
  const created = accepted(await ask('POST', '/api-keys', { body: { name: 'demo', scopes } }), 'API key');
  return String(created.json.secret);
}

async function recall(file: string | undefined): Promise<Memory> {
  if (file === undefined) return {};
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Memory;
  } catch {
    // Missing on the first start; unreadable means the same: look again what is there.
    return {};
  }
}
