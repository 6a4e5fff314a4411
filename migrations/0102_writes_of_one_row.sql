-- What a write of one row costs the database. The hosted proxy forgets all plans after each request, so whatever a function comes near
-- is planned each time: a change of one client's notes took 5 ms of Postgres' processor, half of them for plans, and most of those for
-- what it did not need: the words of a name that stayed, tags that there are none of, a guard that was not given, and joins among many
-- rows for the one that changed.
set local role cp_definer;

-- As in 0002, and one row, as most statements write, without joins: the same images, behind the same lock.
do $$
declare
  template constant text := $f$
create or replace function app.log_%1$s() returns trigger language plpgsql security definer set search_path = '' set timezone = 'UTC' as $body$
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
  v_before jsonb[];
  v_after jsonb[];
  v_company uuid;
  v_revision bigint;
begin
  select array(select image from (%2$s limit 2) o), array(select image from (%3$s limit 2) n) into v_before, v_after;
  if cardinality(v_before) < 2 and cardinality(v_after) < 2 and (cardinality(v_before) + cardinality(v_after) < 2
    or v_before[1] ->> 'id' = v_after[1] ->> 'id' and v_before[1] ->> k_company = v_after[1] ->> k_company
      and (v_after[1] -> 'version')::int - (v_before[1] -> 'version')::int in (0, 1))
  then
    if v_before[1] - k_noise is not distinct from v_after[1] - k_noise then return null; end if;
    v_company := coalesce(v_after[1], v_before[1]) ->> k_company;
    update public.company_heads h set revision = h.revision + 1, changed_at = clock_timestamp() where h.company_id = v_company
      returning h.revision into v_revision;
    if not found then raise exception 'change without a company head' using errcode = 'CP404'; end if;
    insert into public.changes (company_id, revision, entity, entity_id, operation, schema_version, before, after, actor, request_id, changed_at)
      values (v_company, v_revision, k_entity, (coalesce(v_after[1], v_before[1]) ->> 'id')::uuid, upper('%1$s'), k_schema, v_before[1], v_after[1],
        v_actor, v_request, clock_timestamp());
    if v_company::text is distinct from v_write and session_user in ('cp_app', 'cp_auth', 'cp_jobs') then
      raise exception 'write without begin_write' using errcode = 'CP002';
    end if;
    return null;
  end if;
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

-- As in 0044; what a guard says is looked at where there is one.
create or replace function app.begin_write(p_company uuid, p_actor text, p_request text, p_credential jsonb, p_guard jsonb default null)
returns table (epoch uuid, revision bigint) language plpgsql volatile security definer set search_path = '' as $$
begin
  -- A REPEATABLE READ snapshot would predate the lock and fail with 40001 instead of seeing the last commit.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'begin_write needs READ COMMITTED' using errcode = 'CP001';
  end if;
  if coalesce(p_actor, '') = '' then raise exception 'actor missing' using errcode = 'CP001'; end if;
  select h.epoch, h.revision into epoch, revision from public.company_heads h where h.company_id = p_company for no key update;
  if not found then raise exception 'company not found' using errcode = 'CP404'; end if;
  perform app.check_credential(p_company, p_credential);
  if p_guard is not null then
    -- A missing part would compare as null, which refuses nothing: the caller would believe that it is guarded.
    if (p_guard ->> 'since') is null or jsonb_typeof(p_guard -> 'entities') is distinct from 'object'
      or exists (select from jsonb_each(p_guard -> 'entities') e, jsonb_each(case jsonb_typeof(e.value) when 'object' then e.value else '{}' end) f
        where jsonb_typeof(f.value) <> 'array')
    then
      raise exception 'guard incomplete' using errcode = 'CP001';
    end if;
    if exists (
      select from public.changes c join jsonb_each(p_guard -> 'entities') e on e.key = c.entity
      where c.company_id = p_company and c.revision > (p_guard ->> 'since')::bigint
        and case jsonb_typeof(e.value) when 'array' then e.value ? c.entity_id::text
          when 'object' then exists (select from jsonb_each(e.value) f where f.value ? (c.before ->> f.key) or f.value ? (c.after ->> f.key))
          else true end
    ) then
      raise exception 'planned from older data' using errcode = 'CP409';
    end if;
  end if;
  perform set_config('app.company_id', p_company::text, true), set_config('app.write_company', p_company::text, true),
          set_config('app.actor', p_actor, true), set_config('app.request_id', coalesce(p_request, ''), true),
          set_config('app.base_revision', revision::text, true);
  return next;
end $$;

-- As in 0012; where no name changed nothing is counted.
create or replace function app.keep_client_names() returns trigger language plpgsql security definer set search_path = ''
set enable_hashjoin = off set enable_mergejoin = off as $$
declare v_companies uuid[]; v_words text[]; v_more int[];
begin
  if tg_op = 'INSERT' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, count(*)::int n from new_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  elsif tg_op = 'DELETE' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, -count(*)::int n from old_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  else
    if not exists (select company_id, first_name, last_name from new_rows except all select company_id, first_name, last_name from old_rows) then
      return null;
    end if;
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select company_id, w, sum(n)::int n from (
        select a.company_id, w, 1 n from (
          select company_id, first_name, last_name from new_rows except all select company_id, first_name, last_name from old_rows) a,
          app.words_of_name(a.first_name, a.last_name) w
        union all
        select r.company_id, w, -1 from (
          select company_id, first_name, last_name from old_rows except all select company_id, first_name, last_name from new_rows) r,
          app.words_of_name(r.first_name, r.last_name) w) words
      group by 1, 2 having sum(n) <> 0) d;
  end if;
  if v_words is null then return null; end if;
  with changed as materialized (select * from unnest(v_companies, v_words, v_more) c (company_id, w, n)),
  known as (
    update public.client_names n set uses = n.uses + c.n from changed c where n.company_id = c.company_id and n.name = c.w
    returning n.company_id, n.name, n.uses),
  made as (
    insert into public.client_names (company_id, name, shorter, uses)
    -- app.one_letter_less(w), without a call for each.
    select c.company_id, c.w, array(select distinct case i when 0 then c.w else overlay(c.w placing '' from i for 1) end
      from generate_series(0, length(c.w)) i), c.n from changed c
    where c.n > 0 and not exists (select from known k where k.company_id = c.company_id and k.name = c.w))
  select array_agg(k.company_id), array_agg(k.name) into v_companies, v_words from known k where k.uses <= 0;
  delete from public.client_names n using unnest(v_companies, v_words) g (company_id, w) where n.company_id = g.company_id and n.name = g.w;
  return null;
end $$;

-- As in 0070; where nobody has a tag there is nothing to keep.
create or replace function app.keep_client_tags() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    if not exists (select from new_rows where tags <> '{}' union all select from old_rows where tags <> '{}') then return null; end if;
    if exists (select id, tags from old_rows except select id, tags from new_rows) then
      delete from public.client_tags t using old_rows o join new_rows n on n.id = o.id
        where o.tags <> n.tags and t.company_id = o.company_id and t.client_id = o.id and t.tag <> all (n.tags);
    end if;
  elsif not exists (select from new_rows where tags <> '{}') then
    return null;
  end if;
  insert into public.client_tags as t (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
    select n.company_id, n.id, u.tag, n.status, n.first_name, n.last_name, app.other_name(n.name, n.first_name, n.last_name), n.created_at, n.updated_at
    from new_rows n, lateral (select distinct tag from unnest(n.tags) tag) u
    on conflict (company_id, client_id, tag) do update set status = excluded.status, first_name = excluded.first_name,
      last_name = excluded.last_name, other_name = excluded.other_name, created_at = excluded.created_at, updated_at = excluded.updated_at;
  return null;
end $$;
set local role cp_owner;
