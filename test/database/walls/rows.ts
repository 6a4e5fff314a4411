import pg from 'pg';
import type { Stage } from '../support.ts';
import { tenantTables } from './check.ts';

/** A table with a row of each company, and what its registration lets the application do. */
export type Planted = { name: string; column: string; grants: string[]; columns: string[] };

const column = `(select coalesce((select company_column from app.tenant_tables where table_name = $1::regclass), 'company_id'))`;
const describe = `select ${column} as "column",
  (select regexp_split_to_array(lower(grants), ', *') from app.tenant_tables where table_name = $1::regclass) as grants,
  array(select quote_ident(attname) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
    and attgenerated = '' order by attnum) as columns`;

/** What a row cannot do without: columns that are neither null nor filled in by themselves. */
const needs = `select attname as name, format_type(atttypid, atttypmod) as type, t.typtype, t.typcategory from pg_attribute a
  join pg_type t on t.oid = a.atttypid where attrelid = $1::regclass and attnum > 0 and not attisdropped
    and (attnotnull or attname like '%\\_id') and not atthasdef and attidentity = '' and attname <> ${column}`;
type Need = { name: string; type: string; typtype: string; typcategory: string };

function anyValue({ name, type, typtype, typcategory }: Need): string {
  // Generated columns ask it for the local time.
  if (name === 'time_zone') return `'UTC'`;
  if (typtype === 'e') return `(enum_range(null::${type}))[1]`;
  if (typcategory === 'A') return `'{}'`;
  if (typtype === 'm') return `'{}'`;
  if (typcategory === 'R') return `'empty'`;
  if (typcategory === 'D') return 'clock_timestamp()';
  if (typcategory === 'B') return 'true';
  if (typcategory === 'N') return '1';
  if (typcategory === 'T') return `'1 hour'`;
  if (type === 'uuid') return 'gen_random_uuid()';
  if (type === 'bytea') return `decode(md5(random()::text), 'hex')`;
  return type.startsWith('json') ? `'{}'` : 'md5(random()::text)';
}

/**
 * Sees to it that every tenant table holds a row of each of the companies, whatever its columns: constraints and
 * triggers are out of the way meanwhile, because here only the walls count.
 */
export async function plantRows(stage: Stage, companies: string[]): Promise<Planted[]> {
  const admin = new pg.Client({ connectionString: stage.adminUrl });
  await admin.connect();
  try {
    await admin.query(`do $$ declare c record; begin
      for c in select conrelid::regclass as name, conname from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace
      loop execute format('alter table %s drop constraint %I', c.name, c.conname); end loop; end $$`);
    await admin.query(`set session_replication_role = replica`);
    const planted: Planted[] = [];
    for (const name of await tenantTables(admin)) {
      const { rows } = await admin.query<Planted>(describe, [name]);
      const table = { ...(rows[0] as Planted), grants: rows[0]?.grants ?? [], name };
      for (const company of companies) await plant(admin, table, company);
      planted.push(table);
    }
    return planted;
  } finally {
    await admin.end();
  }
}

async function plant(admin: pg.Client, { name, column }: Planted, company: string): Promise<void> {
  const { rowCount } = await admin.query(`select from ${name} where ${column} = $1`, [company]);
  if (rowCount !== 0) return;
  const { rows } = await admin.query<Need>(needs, [name]);
  const names = [column, ...rows.map((need) => pg.escapeIdentifier(need.name))];
  const values = ['$1', ...rows.map((need) => `(${anyValue(need)})::${need.type}`)];
  await admin.query(`insert into ${name} (${names.join(', ')}) values (${values.join(', ')})`, [company]);
}
