import pg from 'pg';
import { withMaintenance } from './roles.ts';

const quote = pg.escapeIdentifier;

/** Creates an empty database unless it exists. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  await withMaintenance(adminUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${quote(name)}`);
  });
}

/**
 * Copies a database and what CREATE DATABASE does not copy: its grants and its settings per role.
 * `beforeTry` must close every session in the template that can be closed.
 */
export async function copyDatabase(
  adminUrl: string,
  name: string,
  template: string,
  beforeTry: () => Promise<void>,
): Promise<void> {
  await withMaintenance(adminUrl, async (client) => {
    const create = `create database ${quote(name)} template ${quote(template)}`;
    await beforeTry();
    await client.query(create).catch(async (error: unknown) => {
      // 55006: a session is open in the template; Postgres itself has waited 5 s for it by now.
      if (!(error instanceof pg.DatabaseError) || error.code !== '55006') throw error;
      await beforeTry();
      await client.query(create);
    });
    await copyGrants(client, name, template);
    await copySettings(client, name, template);
  });
}

/** Drops a database and ends its sessions; nothing happens when there is none. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withMaintenance(adminUrl, (client) => client.query(`drop database if exists ${quote(name)} with (force)`));
}

async function copyGrants(client: pg.Client, name: string, template: string): Promise<void> {
  const { rows } = await client.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `select r.rolname as grantee, a.privilege_type as privilege, a.is_grantable as grantable
     from pg_database d, aclexplode(d.datacl) a left join pg_roles r on r.oid = a.grantee
     where d.datname = $1`,
    [template],
  );
  // No list at all means the default, which a new database has anyway.
  if (rows.length === 0) return;
  const statements = [`revoke all on database ${quote(name)} from public`];
  for (const { grantee, privilege, grantable } of rows) {
    const to = grantee === null ? 'public' : quote(grantee);
    const option = grantable ? ' with grant option' : '';
    statements.push(`grant ${privilege} on database ${quote(name)} to ${to}${option}`);
  }
  await client.query(statements.join(';'));
}

async function copySettings(client: pg.Client, name: string, template: string): Promise<void> {
  const { rows } = await client.query<{ role: string | null; setting: string; value: string }>(
    `select r.rolname as role, split_part(c, '=', 1) as setting, substr(c, strpos(c, '=') + 1) as value
     from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
     left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c where d.datname = $1`,
    [template],
  );
  for (const { role, setting, value } of rows) {
    const whom = role === null ? `database ${quote(name)}` : `role ${quote(role)} in database ${quote(name)}`;
    await client.query(`alter ${whom} set ${setting} to ${pg.escapeLiteral(value)}`);
  }
}
