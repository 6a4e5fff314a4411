-- The company log: who may see a tenant's rows, and how every change gets its revision.
alter table company_heads add foreign key (company_id) references companies on delete cascade;
alter table changes add foreign key (company_id) references company_heads on delete cascade;
alter table idempotency_keys add foreign key (company_id) references companies on delete cascade;
alter table users add foreign key (company_id) references companies;
alter table clients add foreign key (company_id) references companies;
alter table clients add foreign key (company_id, merged_into) references clients (company_id, id);
-- Updated by every write: room for HOT updates on the page, and vacuumed long before bloat shows.
alter table company_heads set (fillfactor = 20, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The tenant of this transaction. No tenant is an error, never "no rows": an empty result would read as a false 404.
create function app.company() returns uuid language sql stable parallel safe
  as $$ select current_setting('app.company_id')::uuid $$;

-- What the application may do with a tenant table, and how its rows are logged (entity null: not logged).
create table app.tenant_tables (
  table_name regclass primary key,
  entity text unique,
  schema_version int not null default 1,
  hidden text[] not null default '{}',
  company_column text not null default 'company_id',
  grants text
);

-- One text, three functions: a transition table may only be named in a trigger of its own event.
-- A row counts as changed when its image differs in more than version and updated_at. A statement whose cascades rewrite a
-- row more than once brings all its states in one table: those one version apart follow each other, and each is a revision.
-- company_heads is updated in company order, so statements over several companies cannot deadlock.
do $$
declare
  template constant text := $f$
create function app.log_%1$s() returns trigger language plpgsql security definer set search_path = '' set timezone = 'UTC' as $body$
declare
  k_entity constant text := tg_argv[0];
  k_company constant text := tg_argv[1];
  k_hidden constant text[] := tg_argv[2]::text[];
  k_schema constant int := tg_argv[3]::int;
  k_noise constant text[] := array['version', 'updated_at'];
  v_actor text := coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user);
  v_request text := nullif(current_setting('app.request_id', true), '');
  v_write text := nullif(current_setting('app.write_company', true), '');
  v_unlogged bigint;
  v_foreign boolean;
begin
  with old_images as (%2$s), new_images as (%3$s),
  changed as materialized (
    select distinct on (1, 2, 3) (coalesce(n.image, o.image) ->> k_company)::uuid company_id, (coalesce(n.image, o.image) ->> 'id')::uuid id,
           (coalesce(n.image, o.image) ->> 'version')::int version, o.image before, n.image after
    from old_images o full join new_images n
      on n.image ->> 'id' = o.image ->> 'id' and n.image ->> k_company = o.image ->> k_company
        and (n.image -> 'version')::int - (o.image -> 'version')::int in (0, 1)
    where (o.image - k_noise) is distinct from (n.image - k_noise) order by 1, 2, 3),
  counted as (select company_id, count(*) n from changed group by company_id),
  locked as materialized (
    select h.company_id from public.company_heads h
    where h.company_id in (select company_id from counted) order by h.company_id for no key update),
  advanced as (
    update public.company_heads h set revision = h.revision + counted.n, changed_at = clock_timestamp()
    from counted, locked where h.company_id = counted.company_id and locked.company_id = counted.company_id
    returning h.company_id, h.revision - counted.n base),
  logged as (
    insert into public.changes (company_id, revision, entity, entity_id, operation, schema_version, before, after, actor, request_id, changed_at)
    select c.company_id, a.base + row_number() over (partition by c.company_id order by c.id, c.version), k_entity, c.id,
           case when c.before is null then 'INSERT' when c.after is null then 'DELETE' else 'UPDATE' end,
           k_schema, c.before, c.after, v_actor, v_request, clock_timestamp()
    from changed c join advanced a using (company_id) returning 1)
  select (select count(*) from changed) - (select count(*) from logged),
         exists (select from counted where company_id::text is distinct from v_write)
  into v_unlogged, v_foreign;
  if v_unlogged <> 0 then raise exception 'change without a company head' using errcode = 'CP404'; end if;
  if v_foreign and session_user in ('cp_app', 'cp_auth', 'cp_jobs') then
    raise exception 'write without begin_write' using errcode = 'CP002';
  end if;
  return null;
end $body$ $f$;
  old_rows constant text := 'select to_jsonb(r) - k_hidden image from old_rows r';
  new_rows constant text := 'select to_jsonb(r) - k_hidden image from new_rows r';
  no_rows constant text := 'select null::jsonb image where false';
begin
  execute format(template, 'insert', no_rows, new_rows);
  execute format(template, 'update', old_rows, new_rows);
  execute format(template, 'delete', old_rows, no_rows);
end $$;

-- version and updated_at belong to the database: a new row starts at version 1, now. A row left equal keeps them and takes no revision; it returns OLD,
-- not NULL, so that UPDATE … RETURNING still answers with the row.
create function app.touch() returns trigger language plpgsql set search_path = '' as $$
declare k_ignored constant text[] := array['version', 'updated_at', 'created_at'] || tg_argv[0]::text[];
begin
  new.updated_at := clock_timestamp();
  if tg_op = 'INSERT' then
    new.version := 1;
    return new;
  end if;
  if to_jsonb(new) - k_ignored = to_jsonb(old) - k_ignored then return old; end if;
  new.version := old.version + 1;
  new.created_at := old.created_at;
  return new;
end $$;

create function app.refuse_truncate() returns trigger language plpgsql as
  $$ begin raise exception 'TRUNCATE bypasses the log' using errcode = 'CP003'; end $$;

create function app.make_head() returns trigger language plpgsql security definer set search_path = '' as
  $$ begin insert into public.company_heads (company_id) values (new.id); return null; end $$;
create trigger a_make_head after insert on companies for each row execute function app.make_head();

-- Puts the walls and the log around one table; safe to repeat. A table nobody registered gets walls and no grants.
create function app.secure_table(p_table regclass) returns void language plpgsql set search_path = '' as $$
declare
  t app.tenant_tables;
  v_role text;
  v_generated text[] := coalesce((select array_agg(attname::text) from pg_catalog.pg_attribute
    where attrelid = p_table and attgenerated <> '' and not attisdropped), '{}');
begin
  select * into t from app.tenant_tables where table_name = p_table;
  t.company_column := coalesce(t.company_column, 'company_id');
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('drop policy if exists tenant on %s', p_table);
  execute format('create policy tenant on %s to cp_app using (%I = (select app.company())) with check (%I = (select app.company()))',
    p_table, t.company_column, t.company_column);
  execute format('drop policy if exists definer on %s', p_table);
  execute format('create policy definer on %s to cp_definer using (true) with check (true)', p_table);
  execute format('drop policy if exists owner on %s', p_table);
  -- Not even the owner writes the log: deleting from it once went unnoticed until the gap test found it.
  execute format(case when p_table::text in ('company_heads', 'changes', 'public.company_heads', 'public.changes')
    then 'create policy owner on %s for select to cp_owner using (true)'
    else 'create policy owner on %s to cp_owner using (true) with check (true)' end, p_table);
  execute format('revoke all on %s from public, cp_app, cp_auth, cp_jobs', p_table);
  if t.grants is not null then execute format('grant %s on %s to cp_app', t.grants, p_table); end if;
  -- Row-level security does not stop TRUNCATE, not even on the log itself.
  execute format('create or replace trigger refuse_truncate before truncate on %s for each statement execute function app.refuse_truncate()', p_table);
  if t.entity is null then return; end if;
  execute format('create or replace trigger touch before insert or update on %s for each row execute function app.touch(%L)', p_table, v_generated);
  execute format('create or replace trigger log_insert after insert on %s referencing new table as new_rows for each statement execute function app.log_insert(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
  execute format('create or replace trigger log_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function app.log_update(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
  execute format('create or replace trigger log_delete after delete on %s referencing old table as old_rows for each statement execute function app.log_delete(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
end $$;

-- The migrator calls this after every run, so a table that a migration forgot is walled in all the same.
create function app.secure_tables() returns void language plpgsql set search_path = '' as $$
declare v_table regclass;
begin
  for v_table in
    select c.oid::regclass from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
      and (c.oid in (select table_name from app.tenant_tables)
        or exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'company_id' and not a.attisdropped))
    order by c.oid::regclass::text
  loop
    perform app.secure_table(v_table);
  end loop;
  -- The sweep compares all heads; retention trims all logs.
  drop policy if exists jobs on public.company_heads;
  create policy jobs on public.company_heads for select to cp_jobs using (true);
  grant select on public.company_heads to cp_jobs;
end $$;

insert into app.tenant_tables (table_name, entity, hidden, company_column, grants) values
  ('companies', 'company', '{}', 'id', 'select, update'),
  ('users', 'user', '{}', 'company_id', 'select, insert, update'),
  ('clients', 'client', '{search_text}', 'company_id', 'select, insert, update'),
  ('company_heads', null, '{}', 'company_id', 'select'),
  ('changes', null, '{}', 'company_id', 'select'),
  ('idempotency_keys', null, '{}', 'company_id', 'select, insert, update'),
  ('credentials', null, '{}', 'company_id', null),
  ('sessions', null, '{}', 'company_id', null),
  ('refresh_tokens', null, '{}', 'company_id', null);

grant select, insert, update on company_heads to cp_definer;
grant select, insert on changes to cp_definer;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.log_insert()', 'app.log_update()', 'app.log_delete()', 'app.make_head()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    -- Whoever creates a trigger must be allowed to execute its function. Granted by the new owner: a change of owner
    -- rewrites what the old one held.
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;
grant execute on function app.company() to cp_app, cp_auth, cp_jobs, cp_definer;
select app.secure_tables();

create function app.key_count(jsonb) returns int language sql immutable strict parallel safe as $$ select count(*)::int from jsonb_object_keys($1) $$;
grant execute on function app.key_count(jsonb) to cp_app, cp_auth, cp_jobs, cp_definer;
alter table clients add constraint clients_custom_fields check (app.key_count(custom_fields) <= 50);
