import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ensureDatabase } from '../../../local/databases.ts';
import { type ExternalDatabase, folderName, holdsCompanies, prepareExternal } from '../../../local/external.ts';
import { migrate } from '../../../local/migrate.ts';
import { type LocalPostgres, startPostgres } from '../../../local/postgres.ts';
import { secretsFile } from '../../../local/print-secrets.ts';
import { withClient, withDatabase } from '../../../local/roles.ts';
import { setRoles } from '../../../local/set-roles.ts';
import { checkSettings } from '../../../local/settings.ts';

// What `npm run dev -- --postgres URL` does to a server: the shared one stands for a deployment's, an own one is empty.
const passwords = { cp_app: 'a', cp_auth: 'b', cp_jobs: 'c' };
let dir: string;
let server: LocalPostgres;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clientsplus-external-'));
  await chmod(dir, 0o755);
  server = await startPostgres({ dir, durable: false });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

const asks = (database: string, more: Partial<ExternalDatabase> = {}): ExternalDatabase => ({
  serverUrl: server.adminUrl,
  database,
  passwords,
  folder: folderName('one'),
  ...more,
});
const exists = (url: string, database: string): Promise<boolean> =>
  withClient(url, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    return rowCount === 1;
  });

test('a server with roles of a deployment is refused before anything is made; its passwords work as before', async () => {
  const serverUrl = inject('adminUrl');
  const roles = `select a.rolname, a.rolpassword, s.setconfig from pg_authid a left join pg_db_role_setting s on s.setrole = a.oid and s.setdatabase = 0 where a.rolname like 'cp_%' order by 1`;
  const look = (): Promise<unknown[]> => withClient(serverUrl, async (client) => (await client.query(roles)).rows);
  const before = await look();
  await expect(prepareExternal(asks('external_dev', { serverUrl }))).rejects.toThrow(/role cp_\w+ already.*--postgres/);
  expect(await look()).toEqual(before);
  expect(await exists(serverUrl, 'external_dev')).toBe(false);
});

test('databases of others are refused, each with the way out', async () => {
  await ensureDatabase(server.adminUrl, 'shop');
  await withClient(withDatabase(server.adminUrl, 'shop'), (client) => client.query('create table orders (id int)'));
  await expect(prepareExternal(asks('postgres'))).rejects.toThrow(/everybody.*--postgres/);
  await expect(prepareExternal(asks('shop'))).rejects.toThrow(/holds public\.orders.*--postgres/);
});

test('an empty one is made and found again by the folder that made it, and by no other', async () => {
  await prepareExternal(asks('dev'));
  await migrate(withDatabase(server.adminUrl, 'dev'));
  await prepareExternal(asks('dev'));
  await expect(prepareExternal(asks('dev', { folder: folderName('two') }))).rejects.toThrow(
    /cp_\w+ already.*--persist/,
  );

  expect(await holdsCompanies(server.adminUrl, 'dev', passwords.cp_jobs)).toBe(false);
  await withClient(withDatabase(server.adminUrl, 'dev'), (client) =>
    client.query(
      `insert into companies (id, name, currency, time_zone) values (uuidv7(), 'Theirs', 'EUR', 'Europe/Vienna')`,
    ),
  );
  expect(await holdsCompanies(server.adminUrl, 'dev', passwords.cp_jobs)).toBe(true);
});

test('a deployment: unprepared it says what to run; roles that are there keep their passwords unless told', async () => {
  await ensureDatabase(server.adminUrl, 'prod');
  const url = withDatabase(server.adminUrl, 'prod');
  await expect(migrate(url)).rejects.toThrow('npm run roles');
  const secrets = secretsFile(withDatabase(server.adminUrl, 'prod'));
  const values = parseEnv(secrets);
  await expect(setRoles(url, secrets, false)).rejects.toThrow(/cp_app.*--replace/);
  expect(await holdsCompanies(server.adminUrl, 'dev', passwords.cp_jobs)).toBe(true);
  await setRoles(url, secrets, true);
  expect((await migrate(url)).applied.length).toBeGreaterThan(5);
  for (const name of ['DATABASE_URL', 'DATABASE_AUTH_URL', 'DATABASE_JOBS_URL'])
    await withClient(String(values[name]), (client) => client.query('select 1'));
  // With the addresses of a Redis it is all a deployment needs.
  checkSettings({
    ...(values as Record<string, string>),
    UPSTASH_REDIS_REST_URL: 'https://redis.example.com',
    UPSTASH_REDIS_REST_TOKEN: 'x'.repeat(32),
  });
});
