import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import pg from 'pg';
import { loadDotEnv } from './dot-env.ts';
import { errorText, StackError } from './errors.ts';
import { rolesFile, rolesLock, withClient } from './roles.ts';

const usage = 'usage: DATABASE_MIGRATION_URL=… npm run roles -- .secrets [--replace]';
const names = ['DATABASE_URL', 'DATABASE_AUTH_URL', 'DATABASE_JOBS_URL'];

/**
 * Makes the roles of a deployment in the database of `url` by `migrations/setup/roles.sql`, with the passwords that the
 * addresses in `secrets` carry. Roles that are there already serve a deployment: their passwords change on `replace` only.
 */
export async function setRoles(url: string, secrets: string, replace: boolean): Promise<string[]> {
  const passwords = readPasswords(secrets);
  return await withClient(url, async (client) => {
    await client.query(rolesLock);
    const known = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
      [...passwords.keys()],
    ]);
    if (known.rows.length > 0 && !replace) {
      const list = known.rows.map(({ rolname }) => rolname).join(', ');
      throw new StackError(
        `the server has ${list} already, which another deployment may use: --replace gives them the passwords of this file`,
      );
    }
    await client.query(`set client_min_messages = 'warning'`);
    await client.query('begin');
    await client.query(await readFile(rolesFile, 'utf8'));
    for (const [role, password] of passwords) {
      await client.query(`alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`);
    }
    await client.query('commit');
    return [...passwords.keys()];
  });
}

function readPasswords(secrets: string): Map<string, string> {
  const values = parseEnv(secrets);
  const passwords = new Map<string, string>();
  for (const name of names) {
    const text = values[name] ?? '';
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || url.username === '' || url.password === '')
      throw new StackError(`${name} in the file is no Postgres URL with a role and a password`);
    passwords.set(decodeURIComponent(url.username), decodeURIComponent(url.password));
  }
  return passwords;
}

async function main(): Promise<void> {
  loadDotEnv();
  const [file, option] = process.argv.slice(2);
  const url = process.env.DATABASE_MIGRATION_URL ?? '';
  if (file === undefined || url === '' || (option !== undefined && option !== '--replace')) throw new StackError(usage);
  const made = await setRoles(url, await readFile(file, 'utf8'), option === '--replace');
  console.log(`set ${made.join(', ')}; next: npm run migrate`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(errorText(error));
    process.exitCode = 1;
  }
}
