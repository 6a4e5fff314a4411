import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { StackError } from './errors.ts';

/** Passwords of the three roles that log in. */
export interface RolePasswords {
  cp_app: string;
  cp_auth: string;
  cp_jobs: string;
}

export const rolesFile = join(import.meta.dirname, '..', 'migrations', 'setup', 'roles.sql');
// Roles belong to the whole server: two set-ups at once would fail with "tuple concurrently updated".
export const rolesLock = `select pg_advisory_lock(hashtext('clients-plus roles'))`;

/** The same server and login as `url`, but another database. */
export function withDatabase(url: string, database: string): string {
  const copy = new URL(url);
  copy.pathname = `/${encodeURIComponent(database)}`;
  return copy.href;
}

/** Runs `work` on one connection to `url` and closes it. Rejects with pg's errors. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // Not repeated: it holds a password.
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new StackError('a Postgres URL is like postgres://user:password@host/database');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // An idle client that loses its server must not end the whole process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs `work` with a connection to the server's `postgres` database, or to the one `url` names when that is closed. */
export async function withMaintenance<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const usual = withDatabase(url, 'postgres');
  const open = await withClient(usual, () => Promise.resolve(true)).catch(() => false);
  return await withClient(open ? usual : url, work);
}

/**
 * Creates roles, grants and extensions in `database` by `migrations/setup/roles.sql` and sets the passwords.
 * For a server of our own: it alters roles that exist. May be run any number of times. `adminUrl` is a superuser's or a CREATEROLE owner's login on the server.
 */
export async function setUpRoles(adminUrl: string, database: string, passwords: RolePasswords): Promise<void> {
  const text = await readFile(rolesFile, 'utf8');
  await withMaintenance(adminUrl, async (guard) => {
    await guard.query(rolesLock);
    await withClient(withDatabase(adminUrl, database), async (client) => {
      await client.query("set client_min_messages = 'warning'");
      await client.query(text);
      for (const [role, password] of Object.entries(passwords)) {
        await client.query(`alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`);
      }
    });
  });
}
