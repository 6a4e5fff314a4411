import type pg from 'pg';

/** What stands around one table, or should. Policies, grants and triggers are in words, in order. */
type Wall = {
  security: string;
  owner: string;
  policies: string[];
  grants: string[];
  triggers: string[];
};

type Found = Wall & {
  name: string;
  generated: string;
  entity: string | null;
  schema_version: number;
  hidden: string;
  company_column: string;
  registered: string[] | null;
};

/** Every table that holds rows of a company, with its registration. */
const catalogue = `
  select c.relname::text as name, c.relowner::regrole::text as owner,
    concat_ws(' ', case when relrowsecurity then 'enabled' end, case when relforcerowsecurity then 'forced' end) as security,
    array(select concat_ws(' ', p.policyname, p.permissive, 'for', p.cmd, 'to', p.roles::text, 'using', p.qual, 'check', p.with_check)
      from pg_policies p where p.schemaname = 'public' and p.tablename = c.relname order by 1) as policies,
    array(select concat_ws(' ', case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end, a.privilege_type, r.col)
      from (select c.relacl as acl, null as col union all
            select attacl, attname::text from pg_attribute where attrelid = c.oid and attacl is not null) r, aclexplode(r.acl) a
      where a.grantee not in (c.relowner, 'cp_definer'::regrole) order by 1) as grants,
    array(select pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' DISABLED' end
      from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal order by 1) as triggers,
    coalesce((select array_agg(attname::text order by attnum) from pg_attribute
      where attrelid = c.oid and attgenerated <> '' and not attisdropped), '{}')::text as generated,
    t.entity, t.schema_version, coalesce(t.hidden, '{}')::text as hidden, coalesce(t.company_column, 'company_id') as company_column,
    regexp_split_to_array(upper(t.grants), ', *') as registered
  from pg_class c left join app.tenant_tables t on t.table_name = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f')
    and (t.table_name is not null or c.relname = 'companies' or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'company_id' and not a.attisdropped))
  order by 1`;

/** The log is written by its triggers alone; the sweep of cp_jobs reads all heads. */
const LOG = new Set(['changes', 'company_heads']);

function wanted(table: Found): Wall {
  const { name, company_column: column, entity } = table;
  const tenant = `(${column} = ( SELECT app.company() AS company))`;
  const heads = name === 'company_heads';
  return {
    security: 'enabled forced',
    owner: 'cp_owner',
    policies: [
      'definer PERMISSIVE for ALL to {cp_definer} using true check true',
      ...(heads ? ['jobs PERMISSIVE for SELECT to {cp_jobs} using true check'] : []),
      LOG.has(name)
        ? 'owner PERMISSIVE for SELECT to {cp_owner} using true check'
        : 'owner PERMISSIVE for ALL to {cp_owner} using true check true',
      `tenant PERMISSIVE for ALL to {cp_app} using ${tenant} check ${tenant}`,
    ],
    grants: [
      ...(table.registered ?? []).map((privilege) => `cp_app ${privilege}`).sort(),
      ...(heads ? ['cp_jobs SELECT'] : []),
    ],
    triggers: [
      `CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON public.${name} FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_truncate()`,
      ...(entity === null ? [] : loggingOf(table, entity)),
    ],
  };
}

function loggingOf({ name, generated, company_column, hidden, schema_version }: Found, entity: string): string[] {
  const values = `'${entity}', '${company_column}', '${hidden}', '${schema_version}'`;
  const log = (event: string, tables: string): string =>
    `CREATE TRIGGER log_${event.toLowerCase()} AFTER ${event} ON public.${name} REFERENCING ${tables} FOR EACH STATEMENT EXECUTE FUNCTION app.log_${event.toLowerCase()}(${values})`;
  return [
    log('DELETE', 'OLD TABLE AS old_rows'),
    log('INSERT', 'NEW TABLE AS new_rows'),
    log('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
    `CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON public.${name} FOR EACH ROW EXECUTE FUNCTION app.touch('${generated}')`,
  ];
}

/** Names of all tables that hold rows of a company, by the catalogue and not by anybody's list. */
export async function tenantTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<Found>(catalogue);
  return rows.map(({ name }) => name);
}

/** What is missing in the walls around every tenant table or should not be there, a line each: `clients lacks …`. */
export async function breaches(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<Found>(catalogue);
  return rows.flatMap((found) => {
    const want = wanted(found);
    const lines = [
      ...difference(want.policies, found.policies),
      ...difference(want.grants, found.grants),
      // Other triggers are a table's own business.
      ...want.triggers.filter((each) => !found.triggers.includes(each)).map((each) => `lacks ${each}`),
      ...(found.security === want.security ? [] : [`has row security ${found.security}`]),
      ...(found.owner === want.owner ? [] : [`belongs to ${found.owner}`]),
    ];
    return lines.map((line) => `${found.name} ${line}`);
  });
}

function difference(want: string[], found: string[]): string[] {
  return [
    ...want.filter((each) => !found.includes(each)).map((each) => `lacks ${each}`),
    ...found.filter((each) => !want.includes(each)).map((each) => `has ${each}`),
  ];
}
