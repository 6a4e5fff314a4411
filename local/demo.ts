import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoClients } from './demo-clients.ts';

export interface Demo {
  email: string;
  password: string;
  /** Secret of the key named "demo", when the API has keys. */
  apiKey?: string;
}

export interface DemoOptions {
  /** File that remembers the key's secret from one start to the next; without it no key is made. */
  file?: string;
  /** False: a demo company that is not there is not made. */
  mayCreate?: boolean;
}

interface Memory {
  complete?: boolean;
  apiKey?: string;
}

type Call = (method: string, path: string, body?: unknown) => Promise<{ status: number; json: unknown }>;

const login = { email: 'demo@atelier-ansel.example', password: 'correct horse battery' };
const scopes = ['clients:read', 'clients:write', 'catalog:read', 'events:read'];
const weekdays = [1, 2, 3, 4, 5];
const branches = [
  { name: 'Mariahilf', line1: 'Mariahilfer Straße 88', postalCode: '1060', saturday: true },
  { name: 'Neubau', line1: 'Neubaugasse 31', postalCode: '1070', saturday: false },
].map(({ name, line1, postalCode, saturday }) => ({
  name,
  timeZone: 'Europe/Vienna',
  address: { line1, city: 'Wien', postalCode, country: 'AT' },
  openingHours: [
    ...weekdays.map((weekday) => ({ weekday, start: '09:00', end: '18:00' })),
    ...(saturday ? [{ weekday: 6, start: '09:00', end: '13:00' }] : []),
  ],
}));
// Few enough to leave the database to others, enough not to wait for sixty answers in turn.
const parallel = 6;

/**
 * Makes sure the demo company "Atelier Ansel" exists, through the public API only. Repeating it adds what is missing
 * and nothing else. Rejects with one readable line when the API refuses.
 */
export async function seedDemo(baseUrl: string, options: DemoOptions = {}): Promise<Demo> {
  const memory = await recall(options.file);
  // A key that works says that all is there, without a password to be derived for it.
  if (memory.complete === true && memory.apiKey !== undefined && (await works(baseUrl, memory.apiKey))) {
    return { ...login, apiKey: memory.apiKey };
  }
  const started = Date.now();
  const call = caller(baseUrl, await signIn(caller(baseUrl, undefined), options.mayCreate ?? true));
  const signedIn = Date.now();
  if (memory.complete !== true) {
    await addBranches(call);
    await addClients(call);
  }
  const apiKey = options.file === undefined ? undefined : await makeKey(call);
  const known = apiKey === undefined ? {} : { apiKey };
  if (options.file !== undefined) {
    await writeFile(options.file, `${JSON.stringify({ complete: true, ...known })}\n`, { mode: 0o600 });
  }
  // An isolate that has derived a password rests for as long again; the first sign-up must not be told to wait for it.
  await sleep(Math.max(0, 2 * signedIn - started - Date.now()));
  return { ...login, ...known };
}

async function signIn(call: Call, mayCreate: boolean): Promise<string> {
  const answer = await call('POST', '/auth/login', login);
  if (answer.status < 300) return text(answer.json, 'accessToken');
  if (!mayCreate) throw new Error('the database holds companies already, so none is put beside them');
  const created = await call('POST', '/auth/signup', {
    company: { name: 'Atelier Ansel', currency: 'EUR', timeZone: 'Europe/Vienna' },
    user: { name: 'Vera Ansel', ...login },
  });
  expect(created, 'sign-up');
  return text(created.json, 'accessToken');
}

async function addBranches(call: Call): Promise<void> {
  const existing = await call('GET', '/branches?limit=100');
  if (existing.status === 404) return;
  expect(existing, 'list of branches');
  const names = new Set(list(existing.json).map((branch) => text(branch, 'name')));
  for (const branch of branches.filter(({ name }) => !names.has(name))) {
    expect(await call('POST', '/branches', branch), `branch ${branch.name}`);
  }
}

async function addClients(call: Call): Promise<void> {
  const existing = await call('GET', '/clients?limit=100&status=ACTIVE,INACTIVE,ARCHIVED&fields=externalId');
  expect(existing, 'list of clients');
  const known = new Set(list(existing.json).map((client) => text(client, 'externalId')));
  const missing = demoClients.filter(({ body }) => !known.has(body.externalId));
  const add = async (): Promise<void> => {
    for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
      const created = await call('POST', '/clients', next.body);
      expect(created, `client ${next.body.externalId}`);
      const path = `/clients/${text(created.json, 'id')}`;
      if (next.state === 'INACTIVE') expect(await call('PATCH', path, { status: 'INACTIVE' }), 'inactive client');
      if (next.state === 'ARCHIVED') expect(await call('DELETE', path), 'archived client');
    }
  };
  await Promise.all(Array.from({ length: parallel }, add));
}

async function works(baseUrl: string, apiKey: string): Promise<boolean> {
  return (await caller(baseUrl, apiKey)('GET', '/clients?limit=1')).status < 300;
}

/** A new key, none when the API has no keys yet. */
async function makeKey(call: Call): Promise<string | undefined> {
  const created = await call('POST', '/api-keys', { name: 'demo', scopes });
  if (created.status === 404) return undefined;
  expect(created, 'API key');
  return text(created.json, 'secret');
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

function caller(baseUrl: string, token: string | undefined): Call {
  return async (method, path, body) => {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(new URL(`/api/v1${path}`, baseUrl), init);
    const json: unknown = await response.json().catch(() => undefined);
    return { status: response.status, json };
  };
}

function expect(answer: { status: number; json: unknown }, what: string): void {
  if (answer.status < 300) return;
  throw new Error(`${what}: ${answer.status} ${text(answer.json, 'code')} ${text(answer.json, 'detail')}`.trim());
}

function list(json: unknown): unknown[] {
  return typeof json === 'object' && json !== null && 'data' in json && Array.isArray(json.data) ? json.data : [];
}

/** A text member of a JSON object, '' when there is none. */
function text(json: unknown, name: string): string {
  if (typeof json !== 'object' || json === null) return '';
  const value: unknown = Object.entries(json).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : '';
}
