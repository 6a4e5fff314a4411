import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { StackError } from './errors.ts';
import { type RolePasswords, rolesFile, rolesLock, withClient, withDatabase, withMaintenance } from './roles.ts';

/** A database on a server that is not ours: what there is of `npm run dev` carries a mark, and nothing else is touched. */
export interface ExternalDatabase {
  /** Login of an administrator of the server (superuser or CREATEROLE). */
  serverUrl: string;
  database: string;
  passwords: RolePasswords;
  /** Names the data folder; what another folder made is not ours either. */
  folder: string;
}

const roles = ['cp_owner', 'cp_definer', 'cp_app', 'cp_auth', 'cp_jobs'];
const shared = ['postgres', 'template0', 'template1'];
const remark = 'made by npm run dev of Clients+, data folder';

/** A name for a data folder that gives nothing of its secrets away. */
export function folderName(secret: string): string {
  return createHash('sha256').update(`folder ${secret}`).digest('hex').slice(0, 12);
}

/**
 * Makes the database and the roles, or finds those this data folder made before. Everything is looked at before anything
 * is made: a role or a database that is somebody else's is refused by a StackError that names the way out.
 */
export async function prepareExternal(external: ExternalDatabase): Promise<void> {
  const { serverUrl, database, passwords, folder } = external;
  const { host } = new URL(serverUrl);
  const mark = `${remark} ${folder}`;
  if (shared.includes(database)) {
    throw new StackError(
      `the database ${database} on ${host} is everybody's: name one for Clients+ alone, as in --postgres ${example(serverUrl)} (made when missing)`,
    );
  }
  await withMaintenance(serverUrl, async (server) => {
    await server.query(rolesLock);
    await refuseForeignRoles(server, host, mark);
    const known = await remarkOf(server, database);
    if (known === undefined) await server.query(`create database ${pg.escapeIdentifier(database)}`);
    else if (known !== mark) await refuseForeignDatabase(external, known);
    await comment(server, `database ${pg.escapeIdentifier(database)}`, mark);
    await withClient(withDatabase(serverUrl, database), (client) => setUp(client, passwords, mark));
  });
}

/** Whether a company exists. Asked as cp_jobs, which sees the heads of all; before the first migration there is none. */
export async function holdsCompanies(serverUrl: string, database: string, password: string): Promise<boolean> {
  const url = new URL(withDatabase(serverUrl, database));
  url.username = 'cp_jobs';
  url.password = password;
  return await withClient(url.href, async (client) => {
    const { rows } = await client.query<{ some: boolean }>('select exists (select from company_heads) as some');
    return rows[0]?.some === true;
  });
}

async function refuseForeignRoles(server: pg.Client, host: string, mark: string): Promise<void> {
  const { rows } = await server.query<{ name: string; remark: string | null }>(
    `select rolname as name, shobj_description(oid, 'pg_authid') as remark from pg_roles where rolname = any($1)`,
    [roles],
  );
  const foreign = rows.find((role) => role.remark !== mark);
  if (foreign === undefined) return;
  const way = foreign.remark?.startsWith(remark)
    ? 'start with the --persist DIR that made it, or use another server'
    : 'use a server without Clients+ on it, or leave out --postgres for the embedded one';
  throw new StackError(`the server ${host} has a role ${foreign.name} already, which is never altered: ${way}`);
}

async function remarkOf(server: pg.Client, database: string): Promise<string | null | undefined> {
  const { rows } = await server.query<{ remark: string | null }>(
    `select shobj_description(oid, 'pg_database') as remark from pg_database where datname = $1`,
    [database],
  );
  return rows[0]?.remark;
}

async function refuseForeignDatabase({ serverUrl, database }: ExternalDatabase, known: string | null): Promise<void> {
  const { host } = new URL(serverUrl);
  if (known?.startsWith(remark)) {
    throw new StackError(
      `the database ${database} on ${host} belongs to npm run dev in another data folder: start with its --persist DIR, or name another database`,
    );
  }
  const table = await withClient(withDatabase(serverUrl, database), firstTable);
  if (table === undefined) return;
  throw new StackError(
    `the database ${database} on ${host} is in use (it holds ${table}): name one that is empty or does not exist yet, as in --postgres ${example(serverUrl)}`,
  );
}

/** A table, view or sequence of somebody's; those of extensions are nobody's. */
async function firstTable(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%s.%s', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by 1 limit 1`,
  );
  return rows[0]?.name;
}

/** In one transaction, so that no role is left without its mark. */
async function setUp(client: pg.Client, passwords: RolePasswords, mark: string): Promise<void> {
  await client.query("set client_min_messages = 'warning'");
  await client.query('begin');
  await client.query(await readFile(rolesFile, 'utf8'));
  for (const [role, password] of Object.entries(passwords)) {
    await client.query(`alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`);
  }
  for (const role of roles) await comment(client, `role ${pg.escapeIdentifier(role)}`, mark);
  await client.query('commit');
}

async function comment(client: pg.Client, what: string, mark: string): Promise<void> {
  await client.query(`comment on ${what} is ${pg.escapeLiteral(mark)}`);
}

function example(serverUrl: string): string {
  const { protocol, host } = new URL(serverUrl);
  return `${protocol}//…@${host}/clientsplus_dev`;
}
