-- What else calendars touch: guards by field, bulk with refusals, clients that are merged or erased, holds that end by themselves.

-- As in 0003, and a guard may name entities by a field of theirs: {"time-off": {"staff_id": ["<uuid>", …]}} is broken by a change
-- of one that had or has one of these values. Somebody else's time off fails nothing.
set local role cp_definer;
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
  -- A missing part would compare as null, which refuses nothing: the caller would believe that it is guarded.
  if p_guard is not null and ((p_guard ->> 'since') is null or jsonb_typeof(p_guard -> 'entities') is distinct from 'object'
    or exists (select from jsonb_each(p_guard -> 'entities') e, jsonb_each(case jsonb_typeof(e.value) when 'object' then e.value else '{}' end) f
      where jsonb_typeof(f.value) <> 'array'))
  then
    raise exception 'guard incomplete' using errcode = 'CP001';
  end if;
  if p_guard is not null and exists (
    select from public.changes c join jsonb_each(p_guard -> 'entities') e on e.key = c.entity
    where c.company_id = p_company and c.revision > (p_guard ->> 'since')::bigint
      and case jsonb_typeof(e.value) when 'array' then e.value ? c.entity_id::text
        when 'object' then exists (select from jsonb_each(e.value) f where f.value ? (c.before ->> f.key) or f.value ? (c.after ->> f.key))
        else true end
  ) then
    raise exception 'planned from older data' using errcode = 'CP409';
  end if;
  perform set_config('app.company_id', p_company::text, true), set_config('app.write_company', p_company::text, true),
          set_config('app.actor', p_actor, true), set_config('app.request_id', coalesce(p_request, ''), true),
          set_config('app.base_revision', revision::text, true);
  return next;
end $$;
set local role cp_owner;

-- As in 0007, and a row that one of our rules refuses (CP400) is a fault like one that a constraint refuses.
create or replace function app.bulk_insert(p_table text, p_items jsonb, p_atomic boolean) returns void language plpgsql set search_path = '' as $$
declare
  v_stack int[] := array[0, jsonb_array_length(p_items)];
  v_low int; v_high int; v_state text; v_constraint text; v_message text; v_detail text;
  v_done jsonb := '[]'; v_faults jsonb := '[]';
begin
  while cardinality(v_stack) > 0 loop
    v_low := v_stack[cardinality(v_stack) - 1];
    v_high := v_stack[cardinality(v_stack)];
    v_stack := v_stack[:cardinality(v_stack) - 2];
    continue when v_low >= v_high;
    v_state := null;
    begin
      perform app.insert_rows(p_table, (select jsonb_agg(p_items -> i -> 'row' order by i) from generate_series(v_low, v_high - 1) i));
    exception when integrity_constraint_violation or data_exception or sqlstate 'CP400' then
      get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name, v_message = message_text, v_detail = pg_exception_detail;
    end;
    if v_state is null then
      v_done := v_done || (select jsonb_agg(jsonb_build_object('index', p_items -> i -> 'index', 'id', p_items -> i -> 'row' -> 'id') order by i)
        from generate_series(v_low, v_high - 1) i);
    elsif v_high - v_low = 1 then
      v_faults := v_faults || (jsonb_build_object('index', p_items -> v_low -> 'index', 'state', v_state, 'constraint', v_constraint)
        || case when v_state = 'CP400' then jsonb_build_object('message', v_message, 'detail', v_detail) else '{}' end);
    else
      v_stack := v_stack || array[(v_low + v_high) / 2, v_high, v_low, (v_low + v_high) / 2];
    end if;
  end loop;
  if p_atomic and v_faults <> '[]' then raise exception 'bulk refused' using errcode = 'CP207', detail = v_faults::text; end if;
  perform set_config('app.result', (v_done || v_faults)::text, true);
end $$;

-- Clients --------------------------------------------------------------------------------------------------------------

-- Whatever names a client in a `client_id`, of every logged table, moves to another one.
create function app.move_client(p_source uuid, p_target uuid) returns void language plpgsql volatile set search_path = '' as $$
declare v_table regclass;
begin
  for v_table in select t.table_name from app.logged_tables() t
    where exists (select from pg_catalog.pg_attribute a where a.attrelid = t.table_name and a.attname = 'client_id' and not a.attisdropped)
    order by t.table_name::text
  loop
    execute format('update %s set client_id = $1 where company_id = app.company() and client_id = $2', v_table) using p_target, p_source;
  end loop;
end $$;
grant execute on function app.move_client(uuid, uuid) to cp_app;

-- As in 0007, and what belongs to the source moves.
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
  update public.clients c set first_name = coalesce(c.first_name, s.first_name), last_name = coalesce(c.last_name, s.last_name),
    email = coalesce(c.email, s.email), phone = coalesce(c.phone, s.phone), notes = coalesce(c.notes, s.notes),
    external_id = case when v_moves then s.external_id else c.external_id end, custom_fields = s.custom_fields || c.custom_fields,
    tags = c.tags || array(select u from unnest(s.tags) with ordinality x (u, n) where u <> all (c.tags) order by n)
    where c.company_id = app.company() and c.id = p_target;
  perform app.move_client(p_source, p_target);
end $$;

create function app.history_without_reasons(p_history jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select coalesce(jsonb_agg(h || '{"reason": null}' order by n), '[]') from jsonb_array_elements(p_history) with ordinality x (h, n)
$$;

-- The image of an appointment or series of one of these clients, without what was written about them in words.
create function app.erased_booking(p_image jsonb, p_clients uuid[]) returns jsonb language sql immutable set search_path = '' as $$
  select case when (p_image ->> 'client_id')::uuid = any (p_clients) then p_image
    || case when p_image ? 'notes' then '{"notes": null}' else '{}' end::jsonb
    || case when p_image ? 'status_history' then jsonb_build_object('status_reason', null, 'status_history', app.history_without_reasons(p_image -> 'status_history'))
      else '{}' end else p_image end
$$;
grant execute on function app.erased_booking(jsonb, uuid[]), app.history_without_reasons(jsonb) to cp_definer;

-- As in 0024, and what bookings say of the person goes too: notes and reasons, those of today and those in the log.
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
  update public.appointments a set notes = null, status_reason = null, status_history = app.history_without_reasons(a.status_history)
    where a.company_id = app.company() and a.client_id = any (v_ids)
      and (a.notes, a.status_reason, a.status_history) is distinct from (null, null, app.history_without_reasons(a.status_history));
  update public.series s set notes = null where s.company_id = app.company() and s.client_id = any (v_ids) and s.notes is not null;
  update public.clients c set first_name = null, last_name = null, email = null, phone = null, tags = '{}', notes = null, custom_fields = '{}',
    external_id = null, status = 'ARCHIVED', erased_at = coalesce(c.erased_at, clock_timestamp())
    where c.company_id = app.company() and c.id = any (v_ids);
  update public.changes l set before = app.erased_client(l.before), after = app.erased_client(l.after)
    where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids)
      and (app.erased_client(l.before), app.erased_client(l.after)) is distinct from (l.before, l.after);
  -- By the images, not by the bookings of today: one may have been somebody else's since.
  update public.changes l set before = app.erased_booking(l.before, v_ids), after = app.erased_booking(l.after, v_ids)
    where l.company_id = app.company() and l.entity in ('appointment', 'series')
      and (app.erased_booking(l.before, v_ids), app.erased_booking(l.after, v_ids)) is distinct from (l.before, l.after);
end $$;
set local role cp_owner;

-- Holds ----------------------------------------------------------------------------------------------------------------

-- Ends up to p_most holds that have expired, of one company, and answers how many: 0 when nobody has any. They are in nobody's
-- way; this only tidies up. A company whose head is held is left for the next time.
create function app.end_holds(p_most int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_company uuid; v_gone int;
begin
  select k.company_id into v_company from public.company_heads k
    where k.company_id = any (array(select h.company_id from public.holds h where h.expires_at < clock_timestamp() - interval '1 minute' order by h.expires_at limit 100))
    order by k.company_id limit 1 for no key update skip locked;
  if not found then return 0; end if;
  perform set_config('app.write_company', v_company::text, true), set_config('app.actor', 'SYSTEM', true);
  delete from public.holds h where h.company_id = v_company and h.id in (
    select x.id from public.holds x where x.company_id = v_company and x.expires_at < clock_timestamp() - interval '1 minute' order by x.expires_at limit p_most);
  get diagnostics v_gone = row_count;
  return v_gone;
end $$;
grant execute on function app.end_holds(int) to cp_jobs;
alter function app.end_holds(int) owner to cp_definer;
