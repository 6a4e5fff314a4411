import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { loadDotEnv } from './dot-env.ts';
import { errorText, StackError } from './errors.ts';
import { withClient } from './roles.ts';

export interface MigrateOptions {
  /** Receives one line per applied file. */
  log?: (line: string) => void;
}

export interface Migration {
  name: string;
  text: string;
  sha256: string;
}

export const migrationsFolder = join(import.meta.dirname, '..', 'migrations');
const breakpoint = '--> statement-breakpoint';
const lock = `select pg_advisory_lock(hashtext('clients-plus migrations'))`;
const begin = `begin; set local role cp_owner; set local lock_timeout = '5s';
  do $$ begin
    if to_regclass('public.company_heads') is not null then lock table public.company_heads in access exclusive mode; end if;
  end $$`;
const ledger = `create table if not exists public.app_migrations (
  name text primary key, sha256 text not null, applied_at timestamptz not null default now())`;

/**
 * Applies the files of `migrations/` that `url`'s database has not seen, in the order of their names, each in a
 * transaction of its own as the role cp_owner; then lets `app.secure_tables()` check grants and policies.
 * Throws StackError naming file and line for a failing file, and the file for one that changed after it was applied.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<{ applied: string[] }> {
  const migrations = await readMigrations();
  return await withClient(url, async (client) => {
    await client.query(lock);
    await requireRoles(client);
    await client.query(`set client_min_messages = 'warning'`);
    const known = await readLedger(client);
    const changed = migrations.find(({ name, sha256 }) => known.has(name) && known.get(name) !== sha256);
    if (changed !== undefined) {
      throw new StackError(
        `migrations/${changed.name} was changed after it was applied: restore it and add a new file`,
      );
    }
    const applied: string[] = [];
    for (const migration of migrations.filter(({ name }) => !known.has(name))) {
      await apply(client, migration);
      options.log?.(`applied ${migration.name}`);
      applied.push(migration.name);
    }
    await inTransaction(client, () => client.query('select app.secure_tables()'));
    return { applied };
  });
}

/** The files of `migrations/` in the order of their names. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(migrationsFolder)).filter((name) => /^\d.*\.sql$/.test(name)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(migrationsFolder, name), 'utf8');
      // A checkout on Windows may turn line ends; that is no change of the migration.
      const sha256 = createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
      return { name, text, sha256 };
    }),
  );
}

/** Without this a missing role would be told as "permission denied for schema public". */
async function requireRoles(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ ready: boolean }>(
    `select coalesce(bool_and(pg_has_role(current_user, oid, 'SET') and has_schema_privilege(oid, 'public', 'CREATE')), false)
       as ready from pg_roles where rolname = 'cp_owner'`,
  );
  if (rows[0]?.ready === true) return;
  throw new StackError(
    'this database is not prepared, or this login may not act as cp_owner: as its administrator run npm run roles first (docs/operations.md)',
  );
}

async function readLedger(client: pg.Client): Promise<Map<string, string>> {
  return await inTransaction(client, async () => {
    await client.query(ledger);
    const { rows } = await client.query<{ name: string; sha256: string }>(
      'select name, sha256 from public.app_migrations',
    );
    return new Map(rows.map((row) => [row.name, row.sha256]));
  });
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await inTransaction(client, async () => {
    let start = 0;
    for (const part of migration.text.split(breakpoint)) {
      await client.query(part).catch((error: unknown) => {
        throw new StackError(describe(error, migration, start, part));
      });
      start += part.length + breakpoint.length;
    }
    // The file may have changed the role; the ledger is cp_owner's.
    await client.query('set local role cp_owner');
    const values = [migration.name, migration.sha256];
    await client.query('insert into public.app_migrations (name, sha256) values ($1, $2)', values).catch((error) => {
      throw new StackError(describe(error, migration, 0, migration.text));
    });
  });
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query(begin);
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** "migrations/x.sql:12: message" with what else Postgres said; the line is that of the statement when known. */
function describe(error: unknown, migration: Migration, start: number, part: string): string {
  if (!(error instanceof pg.DatabaseError)) return `migrations/${migration.name}: ${errorText(error)}`;
  // Postgres counts characters (code points) from 1.
  const known = error.position === undefined ? undefined : Number(error.position) - 1;
  const offset = known === undefined ? undefined : start + [...part].slice(0, known).join('').length;
  const line = offset === undefined ? undefined : migration.text.slice(0, offset).split('\n').length;
  const place = line === undefined ? migration.name : `${migration.name}:${line}`;
  const more = [error.detail, error.hint && `hint: ${error.hint}`, error.where].filter((text) => text);
  return [`migrations/${place}: ${error.message} (${error.code})`, ...more].join('\n  ');
}

async function main(): Promise<void> {
  loadDotEnv();
  const url = process.env.DATABASE_MIGRATION_URL;
  if (url === undefined || url === '') throw new StackError('set DATABASE_MIGRATION_URL to the owner’s Postgres URL');
  const { applied } = await migrate(url, { log: (line) => console.log(line) });
  console.log(applied.length === 0 ? 'nothing to apply' : `applied ${applied.length}`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(errorText(error));
    process.exitCode = 1;
  }
}
