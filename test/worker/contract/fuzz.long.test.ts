import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf } from '../../../local/site/route-errors.ts';
import { SCOPES } from '../../../src/account/permissions.ts';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import { type Answer, hangUp, send, type Wire } from '../../fuzz/caller.ts';
import { cook, type Kitchen, sideOf } from '../../fuzz/cook.ts';
import { Pantry } from '../../fuzz/pantry.ts';
import { readBack } from '../../fuzz/readback.ts';
import { anyRecipe, type Recipe } from '../../fuzz/recipe.ts';
import { addKey, addMember } from '../../support/accounts.ts';
import type { Json, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { checkAnswer } from '../../support/contract.ts';
import { operationNamed, operationOf, operations } from '../../support/operations.ts';
import { LEAKS } from '../../support/problem.ts';
import { everySignInVerb } from '../../support/sign-in-verbs.ts';
import { until } from '../../support/until.ts';
import { openWorld, type World } from '../../support/world.ts';

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 6000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** Requests in flight together, at most. */
const TOGETHER = 16;

let world: World;
let salon: Tenant;
let rival: Tenant;
let kitchen: Kitchen;

/** They succeed only with objects that fit each other, or a secret, which chance alone does not make: the suites of all routes do. */
const FITTING =
  /^\/(?:calendars|analytics|health\/history|appointments|holds|availability|invoices|payments|refunds|(?:staff|resources)\/:id\/time-off|services|staff|resources)/;

/** Answers by route and first digit of their status. */
const seen = new Map<string, Map<number, number>>();
const count = (name: string, status: number): void => {
  const row = seen.get(name) ?? new Map<number, number>();
  seen.set(name, row);
  const digit = Math.floor(status / 100);
  row.set(digit, (row.get(digit) ?? 0) + 1);
};
let sent = 0;

beforeAll(async () => {
  world = await openWorld();
  salon = await openCompany(world, 'Fuzzed');
  rival = await openCompany(world, 'Rival');
  const key = await addKey(salon.api, [...SCOPES]);
  const narrow = await addKey(salon.api, ['clients:read']);
  kitchen = {
    tenant: salon,
    visitor: (await addMember(world, salon, 'READONLY')).api.token,
    pantry: new Pantry([salon.userId, rival.userId, key.id, narrow.id]),
    tokens: {
      owner: salon.api.token,
      other: rival.api.token,
      key: key.secret,
      narrow: narrow.secret,
      none: null,
      garbage: 'eyJhbGciOiJub25lIn0.e30.',
    },
  };
  for (const [name, reply] of await everySignInVerb(world, salon)) count(name, reply.status);
});
afterAll(async () => {
  hangUp();
  await world.close();
});

/** The verbs that may be busy in earnest: they hash a password, or hand rows to an object that takes so many at a time. */
const mayBeBusy = ({ spec }: (typeof operations)[number]): boolean =>
  /^\/(?:auth\/(?:signup|login|password)|users$|imports$)/.test(spec.path) && spec.method === 'post';

function judge({ method, path }: Wire, { status, headers, text }: Answer): void {
  const where = `${method} ${path.slice(0, 300)} answered ${status}: ${text.slice(0, 1000)}`;
  expect(headers.get('request-id'), where).toMatch(/^req_/);
  // As it was sent: the runtime does not resolve dots.
  const below = path.slice('/api/v1'.length);
  const at = below.split(/[?#]/, 1)[0] ?? '';
  const operation = operationOf(method === 'HEAD' ? 'GET' : method, at);
  if (status === 503) {
    expect(operation !== null && mayBeBusy(operation), where).toBe(true);
    expect(JSON.parse(text).code, where).toBe('busy');
    expect(Number(headers.get('retry-after')), where).toBeGreaterThan(0);
  } else expect(status, where).toBeLessThan(500);
  checkAnswer(method, below, { status, headers, text });
  if (status >= 400) expect(text).not.toMatch(LEAKS);
  if (operation !== null) count(operation.name, status);
}

async function serve(recipe: Recipe): Promise<void> {
  const wire = await cook(recipe, kitchen);
  const answer = await send(world.api.url, wire);
  sent += 1;
  judge(wire, answer);
  if (answer.status >= 300) return;
  if (wire.method === 'HEAD' || answer.headers.get('content-type') !== 'application/json') return;
  const json = JSON.parse(answer.text) as Json;
  kitchen.pantry.learn(
    sideOf(recipe.caller),
    operationNamed(recipe.route),
    wire.path.slice('/api/v1'.length),
    answer.headers,
    json,
  );
}

test(`${REQUESTS} requests: none makes a 500, each answer is as documented`, { timeout: 3_600_000 }, async () => {
  const together = fc.array(anyRecipe, { minLength: 1, maxLength: TOGETHER, size: 'max' });
  const property = fc.asyncProperty(together, async (recipes) => void (await Promise.all(recipes.map(serve))));
  for (let seed = SEED; sent < REQUESTS; seed += 1) await fc.assert(property, { seed, numRuns: 20 });
  const table = [...seen].map(
    ([name, row]) => `${name}: ${[...row].map(([digit, n]) => `${n} × ${digit}xx`).join(', ')}`,
  );
  console.log(`${sent} requests with seed ${SEED}\n${table.sort().join('\n')}`);
  for (const operation of operations) {
    const { name, spec } = operation;
    if (FITTING.test(spec.path)) continue;
    const row = seen.get(name);
    expect((row?.get(2) ?? 0) > 0, `${name} succeeded`).toBe(true);
    // What only a parameter that nobody declared is refused for, chance seldom asks for.
    const refuses = errorsOf(spec).some((code) => code !== 'unknown_parameter' && ERROR_CODES[code].status < 500);
    if (refuses) expect((row?.get(4) ?? 0) > 0, `${name} refused`).toBe(true);
  }
});

test('whatever was stored can be read, and all readers agree', { timeout: 600_000 }, async () => {
  const open = 'select 1 from imports where finished_at is null';
  await until('every import has ended', async () => (await world.sql(open)).length === 0, 60_000);
  for (const tenant of [salon, rival]) {
    const { objects, revisions } = await readBack(tenant.api);
    expect(revisions).toBeGreaterThanOrEqual(objects);
    console.log(`${objects} objects, ${revisions} revisions`);
  }
  const heads = await world.sql<{ revision: string; last: string }>(
    'select h.revision, (select max(c.revision) from changes c where c.company_id = h.company_id) as last from company_heads h',
  );
  for (const { revision, last } of heads) expect(revision).toBe(last);
});
