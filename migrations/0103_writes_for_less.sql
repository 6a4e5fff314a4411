-- What every write costs the database, once more (0102): plans are made anew for each, so a question less is time less.
set local role cp_definer;

-- As in 0102. What was and what is are taken in one question, and only those there are; who writes is read where it is written down.
do $$
declare
  template constant text := $f$
create or replace function app.log_%1$s() returns trigger language plpgsql security definer set search_path = '' set timezone = 'UTC' as $body$
declare
  k_company constant text := tg_argv[1];
  k_hidden constant text[] := tg_argv[2]::text[];
  k_noise constant text[] := array['version', 'updated_at'];
  v_write text := nullif(current_setting('app.write_company', true), '');
  v_unlogged bigint;
  v_foreign boolean;
  v_rows bigint;
  v_before jsonb;
  v_after jsonb;
  v_company uuid;
  v_revision bigint;
begin
  select (select count(*) from (select from %4$s limit 2) x), (%2$s limit 1), (%3$s limit 1) into v_rows, v_before, v_after;
  if v_rows < 2 and (%5$s) then
    if v_before - k_noise is not distinct from v_after - k_noise then return null; end if;
    v_company := coalesce(v_after, v_before) ->> k_company;
    update public.company_heads h set revision = h.revision + 1, changed_at = clock_timestamp() where h.company_id = v_company
      returning h.revision into v_revision;
    if not found then raise exception 'change without a company head' using errcode = 'CP404'; end if;
    insert into public.changes (company_id, revision, entity, entity_id, operation, schema_version, before, after, actor, request_id, changed_at)
      values (v_company, v_revision, tg_argv[0], (coalesce(v_after, v_before) ->> 'id')::uuid, upper('%1$s'), tg_argv[3]::int, v_before, v_after,
        coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user), nullif(current_setting('app.request_id', true), ''), clock_timestamp());
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
    select c.company_id, a.base + row_number() over (partition by c.company_id order by c.id, c.version), tg_argv[0], c.id,
           case when c.before is null then 'INSERT' when c.after is null then 'DELETE' else 'UPDATE' end,
           tg_argv[3]::int, c.before, c.after, coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user),
           nullif(current_setting('app.request_id', true), ''), clock_timestamp()
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
  -- Of an update one row before and one after, of the same object and a version apart, or else those of a cascade.
  follows constant text := $n$v_rows = 0 or v_before ->> 'id' = v_after ->> 'id' and v_before ->> k_company = v_after ->> k_company
    and (v_after -> 'version')::int - (v_before -> 'version')::int in (0, 1)$n$;
begin
  execute format(template, 'insert', no_rows, new_rows, 'new_rows', 'true');
  execute format(template, 'update', old_rows, new_rows, 'new_rows', follows);
  execute format(template, 'delete', old_rows, no_rows, 'old_rows', 'true');
end $$;

-- As in 0003, but that session and user are looked up one after the other: together they are a join, which is planned with all its ways.
create or replace function app.check_credential(p_company uuid, p_credential jsonb) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare v_role text;
begin
  if p_credential ? 'system' then return; end if;
  if p_credential ? 'session' then
    perform from public.sessions s where s.company_id = p_company and s.id = (p_credential ->> 'session')::uuid
      and s.user_id = (p_credential ->> 'user')::uuid and s.revoked_at is null and s.expires_at > clock_timestamp();
    if found then
      select u.role into v_role from public.users u where u.company_id = p_company and u.id = (p_credential ->> 'user')::uuid and u.status = 'ACTIVE';
    end if;
    if not found then raise exception 'session ended' using errcode = 'CP401'; end if;
    if not coalesce((p_credential -> 'roles') ? v_role, false) then raise exception 'role may not' using errcode = 'CP403'; end if;
    return;
  end if;
  if p_credential ? 'key' then
    perform from public.api_keys k where k.company_id = p_company and k.id = (p_credential ->> 'key')::uuid
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp());
    if not found then raise exception 'key ended' using errcode = 'CP401'; end if;
    return;
  end if;
  raise exception 'unknown credential' using errcode = 'CP401';
end $$;

-- As in 0102; where nothing was logged since the plan was made, nothing is asked of the log.
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
      or jsonb_path_exists(p_guard, 'strict $.entities.* ? (@.type() == "object").* ? (@.type() <> "array")')
    then
      raise exception 'guard incomplete' using errcode = 'CP001';
    end if;
    if revision > (p_guard ->> 'since')::bigint and exists (
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

-- As in 0013, the row of the log being the answer's as it is.
create or replace function app.end_write() returns table (
  epoch uuid, head bigint, revision bigint, entity text, entity_id uuid, operation text, schema_version int,
  before jsonb, after jsonb, actor text, request_id text, changed_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
declare
  k_most constant int := 2097152;
  k_company constant uuid := app.company();
  k_base constant bigint := current_setting('app.base_revision');
  v_bytes bigint := 0;
  v_some boolean := false;
begin
  select h.epoch, h.revision into epoch, head from public.company_heads h where h.company_id = k_company;
  for revision, entity, entity_id, operation, schema_version, before, after, actor, request_id, changed_at in
    select x.revision, x.entity, x.entity_id, x.operation, x.schema_version, x.before, x.after, x.actor, x.request_id, x.changed_at
    from public.changes x where x.company_id = k_company and x.revision > k_base order by x.revision
  loop
    v_bytes := v_bytes + 300 + coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0);
    exit when v_some and v_bytes > k_most;
    v_some := true;
    return next;
  end loop;
  if not v_some then return next; end if;
end $$;
set local role cp_owner;
