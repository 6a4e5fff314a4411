-- What a new resource needs besides its table: one line of its migration.

-- Puts a table under the log and the walls: a row of a company, logged as p_entity; with a column search_text, searchable.
create function app.add_resource(p_table regclass, p_entity text) returns void language plpgsql set search_path = '' as $$
declare v_searched constant boolean := exists (select from pg_catalog.pg_attribute where attrelid = p_table and attname = 'search_text');
begin
  execute format('alter table %s add foreign key (company_id) references public.companies', p_table);
  insert into app.tenant_tables (table_name, entity, hidden, grants)
    values (p_table, p_entity, case when v_searched then '{search_text}'::text[] else '{}' end, 'select, insert, update');
  if v_searched then execute format('grant select on %s to cp_definer', p_table); end if;
end $$;

-- The rows of a resource that a search finds, with their rank: 3 every word is a word of the row, 2 begins one, 1 stands
-- somewhere in it, 0 nearly so. For tables of thousands of rows, not of a hundred thousand: every hit is ranked. Owned by
-- cp_definer, because LIKE is not leakproof: behind row-level security no index would be asked.
create function app.search_rows(p_table text, p_search text) returns table (id uuid, rank int)
language plpgsql stable security definer set search_path = '' set jit = off rows 100 as $$
declare c text[]; v_near text;
begin
  -- It becomes SQL in the hands of a role that stands above the walls.
  if not exists (select from app.tenant_tables t where t.table_name = to_regclass(format('public.%I', p_table)) and t.hidden @> '{search_text}') then
    raise exception 'not searched' using errcode = 'CP001';
  end if;
  select s.conditions into c from app.search_conditions(p_search) s;
  select string_agg(case when length(w) between 4 and 40
      then format('(search_text like %L or public.word_similarity(%L, search_text) >= 0.5)', '%' || w || '%', w)
      else format('search_text like %L', '%' || w || '%') end, ' and ') into v_near
    from regexp_split_to_table(trim(app.search_fold(p_search)), ' +') w where w <> '';
  return query execute format('select id, case when %s then 3 when %s then 2 when %s then 1 else 0 end from public.%I where company_id = %L and (%s or %s)',
    c[1], c[2], c[3], p_table, app.company(), c[3], coalesce(v_near, 'false'));
end $$;
grant execute on function app.search_rows(text, text) to cp_app;
alter function app.search_rows(text, text) owner to cp_definer;

-- Erasure takes whatever is not named here, so that a column that comes later is not forgotten in it.
create function app.kept_of_client() returns text[] language sql immutable parallel safe set search_path = ''
  as $$ select array['id', 'company_id', 'version', 'created_at', 'updated_at', 'status', 'merged_into', 'erased_at'] $$;
create or replace function app.erased_client(p_image jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select p_image || coalesce((select jsonb_object_agg(k, case k when 'name' then '"Erased"' when 'tags' then '[]' when 'custom_fields' then '{}' else 'null' end::jsonb)
    from jsonb_object_keys(p_image) k where k <> all (app.kept_of_client())), '{}')
$$;
grant execute on function app.kept_of_client() to cp_app, cp_definer;

-- As in 0024, but for the columns it clears.
set local role cp_definer;
create or replace function app.erase_client(p_id uuid) returns void language plpgsql volatile security definer set search_path = '' as $$
declare v_ids uuid[]; v_marks bytea[]; v_words text[];
begin
  with recursive gone as (
    select c.id from public.clients c where c.company_id = app.company() and c.id = p_id
    union
    select c.id from public.clients c join gone g on c.merged_into = g.id where c.company_id = app.company())
  select array_agg(id) into v_ids from gone;
  -- All that the person was ever known by: a file may be older than the last change.
  with images as (
    select to_jsonb(c) as image from public.clients c where c.company_id = app.company() and c.id = any (v_ids) and c.erased_at is null
    union all
    select i from public.changes l, lateral (values (l.before), (l.after)) x (i)
      where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids) and i ->> 'erased_at' is null),
  said as (select distinct e.key, e.value from images, jsonb_each_text(image) e
    where e.key in ('first_name', 'last_name', 'name', 'email', 'phone', 'external_id') and trim(e.value) <> '')
  select array_agg(app.person_mark(key, value)) filter (where key in ('email', 'phone', 'external_id')), array_agg(value)
    into v_marks, v_words from said;
  insert into public.erased_marks (company_id, import_id, mark)
    select i.company_id, i.id, m from public.imports i, unnest(v_marks) m
    where i.company_id = app.company() and i.status in ('QUEUED', 'RUNNING') on conflict do nothing;
  update public.imports i set report = app.report_without(i.report, v_words)
    where i.company_id = app.company() and i.report_bytes > 0 and i.report is distinct from app.report_without(i.report, v_words);
  execute (select format('update public.clients c set %s, status = ''ARCHIVED'', erased_at = coalesce(c.erased_at, clock_timestamp())
      where c.company_id = $1 and c.id = any ($2)', string_agg(format('%I = %s', attname, case when attnotnull then 'default' else 'null' end), ', '))
    from pg_catalog.pg_attribute where attrelid = 'public.clients'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
      and attname <> all (app.kept_of_client())) using app.company(), v_ids;
  update public.changes l set before = app.erased_client(l.before), after = app.erased_client(l.after)
    where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids)
      and (app.erased_client(l.before), app.erased_client(l.after)) is distinct from (l.before, l.after);
end $$;
set local role cp_owner;

-- As in 0007, but that a column which comes later is filled as well.
create or replace function app.merge_clients(p_target uuid, p_source uuid, p_expected int) returns void
language plpgsql volatile set search_path = '' as $$
declare t public.clients; s public.clients; v_moves boolean;
begin
  select * into t from public.clients c where c.company_id = app.company() and c.id = p_target;
  perform app.refuse(t.id is null, 'not_found');
  select * into s from public.clients c where c.company_id = app.company() and c.id = p_source;
  perform app.refuse(s.id is null, 'unknown_reference', '{"pointer": "/sourceId", "detail": "There is no such client."}');
  perform app.expect_version(t.version, p_expected);
  perform app.refuse(t.erased_at is not null or s.erased_at is not null, 'erased');
  if s.merged_into = p_target then return; end if;
  perform app.refuse(s.merged_into is not null, 'conflict', '{"detail": "The source was merged into another client before."}');
  perform app.refuse(t.merged_into is not null, 'conflict', '{"detail": "This client was merged into another one itself."}');
  -- The source goes first: an external id belongs to one client at a time, and stays where it is all that names the client.
  v_moves := t.external_id is null and coalesce(s.first_name, s.last_name, s.email, s.phone) is not null;
  update public.clients c set status = 'ARCHIVED', merged_into = p_target, external_id = case when v_moves then null else c.external_id end
    where c.company_id = app.company() and c.id = p_source;
  execute (select format('update public.clients c set %s, external_id = $4, custom_fields = s.custom_fields || c.custom_fields,
        tags = c.tags || array(select u from unnest(s.tags) with ordinality x (u, n) where u <> all (c.tags) order by n)
      from (select ($3).*) s where c.company_id = $1 and c.id = $2', string_agg(format('%1$I = coalesce(c.%1$I, s.%1$I)', attname), ', '))
    from pg_catalog.pg_attribute where attrelid = 'public.clients'::regclass and attnum > 0 and not attisdropped and attgenerated = '' and not attnotnull
      and attname <> all (app.kept_of_client() || 'external_id'::text))
    using app.company(), p_target, s, case when v_moves then s.external_id else t.external_id end;
end $$;
