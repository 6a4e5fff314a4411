import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grantableScopes, ROLES, rank, SCOPES, scopesAllow } from '../../../src/account/permissions.ts';
import { Random } from '../../storm/random.ts';
import { makeCompany, openStage, refusal, type Stage, write } from '../support.ts';

// What the application's role may do about users is decided by the database, whatever a statement forgets.

let stage: Stage;
let app: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  company = await makeCompany(stage);
});
afterAll(() => stage.close());

async function user(role: string): Promise<string> {
  const id = randomUUID();
  await stage.sql(
    `insert into users (company_id, id, name, email, role) values ($1, $2::uuid, 'U', $2::text || '@example.com', $3)`,
    [company, id, role],
  );
  return id;
}
async function key(scopes: readonly string[]): Promise<string> {
  const id = randomUUID();
  await stage.sql(`insert into api_keys (company_id, id, name, scopes, created_by) values ($1, $2, 'K', $3, 'SQL')`, [
    company,
    id,
    scopes,
  ]);
  return id;
}
const as = (actor: string, statement: string, values: unknown[]): Promise<string | null> =>
  refusal(write(app, company, () => app.query(statement, values), { actor }));
const invite = (actor: string, target: string) => as(actor, 'select app.invite($1, $2)', [target, randomBytes(32)]);
const password = (actor: string, target: string) => as(actor, `select app.first_password($1, 'x')`, [target]);

test('an invitation or a first password for whoever stands above the actor is refused by the function itself', async () => {
  const [owner, admin, staff] = [await user('OWNER'), await user('ADMIN'), await user('STAFF')];
  for (const act of [invite, password]) {
    expect(await act(`USER:${admin}`, owner)).toBe('CP400');
    expect(await act(`USER:${staff}`, admin)).toBe('CP400');
    expect(await act('SYSTEM', staff)).toBe('CP400');
    expect(await act(`USER:${owner}`, admin)).toBeNull();
  }
  expect(await invite(`API_KEY:${await key(SCOPES)}`, staff)).toBeNull();
  expect(await invite(`API_KEY:${await key(['users:write'])}`, staff)).toBe('CP400');
  expect(await password(`API_KEY:${await key(SCOPES)}`, staff)).toBe('CP400');
});

test('how high scopes stand is the same here as in the table of permissions', async () => {
  const random = new Random(7);
  const sets = [
    ...ROLES.map((role) => grantableScopes(role)),
    ...Array.from({ length: 400 }, () => {
      const base = grantableScopes(random.pick(ROLES));
      return base.filter(() => random.next() > 0.04).concat(SCOPES.filter(() => random.next() < 0.1));
    }),
  ];
  const covers = (scopes: readonly string[], role: (typeof ROLES)[number]): boolean =>
    role !== 'OWNER' && grantableScopes(role).every((scope) => scopesAllow(scopes, scope));
  const expected = sets.map((scopes) =>
    Math.max(0, ...ROLES.filter((role) => covers(scopes, role)).map((role) => rank(role) + 1)),
  );
  const rows = await stage.sql<{ rank: number }>(
    `select app.rank_of_scopes(array(select jsonb_array_elements_text(s.value))) as rank from jsonb_array_elements($1::jsonb) with ordinality s order by s.ordinality`,
    [JSON.stringify(sets)],
  );
  expect(rows.map((row) => row.rank)).toEqual(expected);
  expect(new Set(expected)).toEqual(new Set([0, 1, 2, 3, 4]));
});
