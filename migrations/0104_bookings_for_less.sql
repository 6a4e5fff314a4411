-- What a booking costs the database (0103): what a document says is looked at without a question where it can be, and what follows from
-- it is worked out in general only where there is more than one part, or one that is processed.

-- As in 0043. Both are asked of each appointment that is written, twice of a new one.
create or replace function app.parts_fit(p_parts jsonb) returns boolean language plpgsql immutable parallel safe set search_path = '' as $$
declare p jsonb; v_end int := 0;
begin
  if jsonb_array_length(p_parts) not between 1 and 20 or (p_parts -> 0 ->> 'startOffsetMinutes')::int <> 0 then return false; end if;
  for i in 0 .. coalesce(jsonb_array_length(p_parts), 0) - 1 loop
    p := p_parts -> i;
    if not coalesce((p ->> 'startOffsetMinutes')::int between v_end and 1440 and (p ->> 'durationMinutes')::int between 1 and 1440
      and (p ->> 'bufferBeforeMinutes')::int between 0 and 1440 and (p ->> 'bufferAfterMinutes')::int between 0 and 1440
      and (p ->> 'staffId')::uuid is not null and (p ->> 'serviceId')::uuid is not null
      and (p -> 'processing' = '[]' or app.processing_fits(p -> 'processing', (p ->> 'durationMinutes')::int)), false)
    then return false; end if;
    v_end := (p ->> 'startOffsetMinutes')::int + (p ->> 'durationMinutes')::int;
  end loop;
  return true;
exception when data_exception then return false;
end $$;

create or replace function app.resources_fit(p_resources jsonb) returns boolean language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if p_resources = '[]' then return true; end if;
  return jsonb_typeof(p_resources) = 'array' and (
    select count(*) <= 20 and count(r ->> 'resourceId') = count(distinct r ->> 'resourceId') and count(*) = count(r ->> 'kind')
    from jsonb_array_elements(case when jsonb_typeof(p_resources) = 'array' then p_resources else '[]' end) r);
end $$;

-- As in 0047, and one stretch without a question.
create or replace function app.pieces_of(p_busy tstzmultirange) returns text language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  if p_busy = tstzmultirange(range_merge(p_busy)) then
    return (date_part('epoch', lower(p_busy)) / 60)::int || ',' || (date_part('epoch', upper(p_busy) - lower(p_busy)) / 60)::int;
  end if;
  return (select string_agg((date_part('epoch', lower(r)) / 60)::int || ',' || (date_part('epoch', upper(r) - lower(r)) / 60)::int, ',' order by r) from unnest(p_busy) r);
end $$;

-- As in 0048, one after the other.
create or replace function app.day_pieces(p_busy tstzmultirange, p_day int) returns text language plpgsql immutable strict parallel safe set search_path = '' as $$
declare r tstzrange; v_from int; v_to int; v_last int := 0; v_text text := '';
begin
  for r in select unnest(p_busy) loop
    v_from := greatest(app.minute_of(lower(r)) - p_day * 1440, 0);
    v_to := least(app.minute_of(upper(r)) - p_day * 1440, 1440);
    continue when v_from >= v_to;
    v_text := v_text || app.short_number(v_from - v_last) || app.short_number(v_to - v_from);
    v_last := v_to;
  end loop;
  return nullif(v_text, '');
end $$;

-- As in 0059, what is known being looked up without a question.
create or replace function app.local_at(p_zone text, p_at timestamptz) returns timestamp language plpgsql stable parallel safe set search_path = '' as $$
declare
  v_known constant jsonb := nullif(current_setting('app.clock', true), '')::jsonb -> p_zone;
  v_offset int;
begin
  if v_known is null then
    select z.offsets[1 + width_bucket(p_at, z.changes)] into v_offset from app.zones z
      where z.name = p_zone and p_at >= z.known_from and p_at < z.known_until;
    if v_offset is null then return p_at at time zone p_zone; end if;
  else
    v_offset := jsonb_path_query_array(v_known, 'strict $[*] ? (@[0] == null || @[0] <= $minute)',
      jsonb_build_object('minute', floor(extract(epoch from p_at) / 60))) -> -1 ->> 1;
  end if;
  return (p_at at time zone 'UTC') + make_interval(mins => v_offset);
end $$;

-- As in 0079; what a refusal says is put together where there is one.
create or replace function app.admit_status() returns trigger language plpgsql set search_path = '' as $$
declare
  k_known constant int := case tg_op when 'UPDATE' then jsonb_array_length(old.status_history) else 0 end;
  v_from text;
  v_step jsonb;
begin
  if tg_op = 'INSERT' then
    if new.source <> 'IMPORT' and new.status not in ('PENDING', 'CONFIRMED') then
      perform app.refuse(true, 'illegal_transition',
        jsonb_build_object('detail', 'A new appointment is PENDING or CONFIRMED.', 'allowed', array['PENDING', 'CONFIRMED'], 'pointer', '/status'));
    end if;
    if new.status_history <> '[]' then return new; end if;
    new.status_history := '[]';
  elsif new.status = old.status then
    if current_user <> 'cp_definer' then
      new.status_history := old.status_history;
      new.status_reason := old.status_reason;
    end if;
    return new;
  else
    v_from := old.status;
    if new.status_history = old.status_history or jsonb_array_length(new.status_history) <= k_known then
      new.status_history := old.status_history;
      if new.status <> all (app.next_statuses(v_from)) then
        perform app.refuse(true, 'illegal_transition', jsonb_build_object(
          'detail', format('From %s an appointment cannot become %s.', v_from, new.status), 'allowed', app.next_statuses(v_from), 'pointer', '/status'));
      end if;
    else
      for v_step in select x from jsonb_array_elements(new.status_history) with ordinality h (x, n) where n > k_known order by n loop
        perform app.refuse(v_step ->> 'status' is null or v_step ->> 'status' <> all (app.next_statuses(v_from)), 'illegal_transition', jsonb_build_object(
          'detail', format('From %s an appointment cannot become %s.', v_from, v_step ->> 'status'), 'allowed', app.next_statuses(v_from), 'pointer', '/status'));
        v_from := v_step ->> 'status';
      end loop;
      -- What was, stays.
      new.status_history := old.status_history || (select jsonb_agg(x order by n) from jsonb_array_elements(new.status_history) with ordinality h (x, n) where n > k_known);
      return new;
    end if;
    if new.status_reason is not distinct from old.status_reason and current_setting('app.reason_told', true) is distinct from new.id::text then
      new.status_reason := null;
    end if;
  end if;
  new.status_history := new.status_history || jsonb_build_object('status', new.status,
    'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'by', coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user), 'reason', new.status_reason);
  return new;
end $$;
set local role cp_definer;

-- As in 0082.
create or replace function app.forget_claims() returns trigger language plpgsql security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  if coalesce(current_setting('app.claimed', true), '') <> '' then
    delete from app.claims c where c.xact = pg_catalog.pg_current_xact_id();
    perform set_config('app.claimed', '', true);
  end if;
  if coalesce(current_setting('app.claims', true), '') <> '' then perform set_config('app.claims', '', true); end if;
  return null;
end $$;

-- As in 0048, a day at a time: a statement seldom has more than two, and all of them at once are planned as for thousands.
create or replace function app.tell_busy_days(p_companies uuid[], p_subjects uuid[], p_days int[]) returns void
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare d record; v_pieces text;
begin
  for d in select distinct * from unnest(p_companies, p_subjects, p_days) x (company_id, subject_id, day) order by company_id, day loop
    select app.day_pieces(range_agg(o.busy), d.day) into v_pieces from public.occupancies o
      where o.company_id = d.company_id and o.subject_id = d.subject_id and not o.deliberate and o.expires_at is null
        and o.begins > d.day * 1440 - 5760 and o.begins < d.day * 1440 + 1440 and o.ends > d.day * 1440;
    if v_pieces is null then
      delete from public.busy_days b where b.company_id = d.company_id and b.subject_id = d.subject_id and b.day = d.day;
    else
      insert into public.busy_days as b (company_id, subject_id, day, pieces) values (d.company_id, d.subject_id, d.day, v_pieces)
        on conflict (company_id, subject_id, day) do update set pieces = excluded.pieces where b.pieces <> excluded.pieces;
    end if;
  end loop;
end $$;

-- As in 0043. Where each has one part and nothing is processed, the staff member and the resources are busy for the whole span.
create or replace function app.occupy(p_rows jsonb) returns void language plpgsql volatile security definer set search_path = '' as $$
declare v_staff uuid; v_resource uuid; v_by uuid;
begin
  if jsonb_path_exists(p_rows, '$[*] ? (@.services.size() > 1 || @.services[*].processing.size() > 0)') then
    insert into public.occupancies (company_id, appointment_id, hold_id, staff_id, resource_id, busy, deliberate, expires_at)
      select (r ->> 'companyId')::uuid, (r ->> 'appointmentId')::uuid, (r ->> 'holdId')::uuid, b.staff_id, b.resource_id, b.busy,
        coalesce((r ->> 'deliberate')::boolean, false), (r ->> 'expiresAt')::timestamptz
      from jsonb_array_elements(p_rows) r, app.busy_subjects((r ->> 'startsAt')::timestamptz, r -> 'services', r -> 'resources') b;
  else
    insert into public.occupancies (company_id, appointment_id, hold_id, staff_id, resource_id, busy, deliberate, expires_at)
      select (r ->> 'companyId')::uuid, (r ->> 'appointmentId')::uuid, (r ->> 'holdId')::uuid, case n when 1 then s::uuid end, case when n > 1 then s::uuid end,
        tstzmultirange(app.whole_span((r ->> 'startsAt')::timestamptz, r -> 'services')), coalesce((r ->> 'deliberate')::boolean, false), (r ->> 'expiresAt')::timestamptz
      from jsonb_array_elements(p_rows) r,
        jsonb_array_elements_text(jsonb_path_query_array(r, '$.services[0].staffId') || jsonb_path_query_array(r, '$.resources[*].resourceId ? (@ != null)'))
          with ordinality x (s, n);
  end if;
exception when exclusion_violation then
  with wanted as (
    select (r ->> 'companyId')::uuid as company_id, coalesce(r ->> 'appointmentId', r ->> 'holdId') as owner, b.*
    from jsonb_array_elements(p_rows) r, app.busy_subjects((r ->> 'startsAt')::timestamptz, r -> 'services', r -> 'resources') b
    where not coalesce((r ->> 'deliberate')::boolean, false)),
  met as (
    select w.staff_id, w.resource_id, o.appointment_id, 1 as rank from wanted w join public.occupancies o
      on o.company_id = w.company_id and o.subject_id = coalesce(w.staff_id, w.resource_id) and o.busy && w.busy and not o.deliberate
    union all
    select w.staff_id, w.resource_id, null, 2 from wanted w join wanted x
      on x.company_id = w.company_id and coalesce(x.staff_id, x.resource_id) = coalesce(w.staff_id, w.resource_id) and x.busy && w.busy and x.owner < w.owner)
  select m.staff_id, m.resource_id, m.appointment_id into v_staff, v_resource, v_by from met m order by m.rank, m.staff_id, m.resource_id limit 1;
  perform app.refuse(true, 'slot_taken', jsonb_strip_nulls(jsonb_build_object('staffId', v_staff, 'resourceId', v_resource,
    'conflictingAppointmentId', v_by, 'detail', case when v_staff is null then 'The resource is taken then.' else 'The staff member is booked then.' end)));
end $$;

-- As in 0082, in one look at what has moved; parts stay where neither they nor their time did.
create or replace function app.project_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_companies uuid[]; v_moved uuid[]; v_told uuid[]; v_rows jsonb;
begin
  if tg_op = 'INSERT' then
    v_moved := array(select n.id from new_rows n);
    v_told := v_moved;
  else
    v_told := array(select n.id from new_rows n join old_rows o on o.id = n.id
      where (n.company_id, n.starts_at, n.time_zone, n.services, n.resources, n.allow_overlap, app.occupies(n.status))
        is distinct from (o.company_id, o.starts_at, o.time_zone, o.services, o.resources, o.allow_overlap, app.occupies(o.status)));
    if v_told = '{}' then return null; end if;
    v_moved := array(select n.id from new_rows n join old_rows o on o.id = n.id
      where (n.company_id, n.starts_at, n.services, n.resources, n.allow_overlap, app.occupies(n.status))
        is distinct from (o.company_id, o.starts_at, o.services, o.resources, o.allow_overlap, app.occupies(o.status)));
    v_told := array(select n.id from new_rows n join old_rows o on o.id = n.id
      where (n.company_id, n.starts_at, n.services, n.time_zone) is distinct from (o.company_id, o.starts_at, o.services, o.time_zone));
    v_companies := array(select distinct n.company_id from new_rows n);
    if v_moved <> '{}' then
      delete from public.occupancies o where o.company_id = any (v_companies) and o.appointment_id = any (v_moved);
    end if;
    if v_told <> '{}' then
      delete from public.appointment_parts p where p.company_id = any (v_companies) and p.appointment_id = any (v_told);
    end if;
  end if;
  -- From where the visit begins on, so that its parts are never at odds with it. `offset 0`: worked out once for each, and not wherever
  -- it is named.
  if v_told <> '{}' then
    insert into public.appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
      select n.company_id, n.id, k, (p ->> 'serviceId')::uuid, (p ->> 'staffId')::uuid, l.t::date, l.t::time
      from new_rows n, lateral (select case when jsonb_array_length(n.services) > 1 then app.local_at(n.time_zone, n.starts_at) end as t offset 0) b,
        jsonb_array_elements(n.services) with ordinality x (p, k),
        lateral (select n.local_date + n.local_start + case when k = 1 then interval '0'
          else app.local_at(n.time_zone, n.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) - b.t end as t offset 0) l
      where n.id = any (v_told);
  end if;
  if v_moved <> '{}' then
    select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'appointmentId', n.id, 'startsAt', n.starts_at, 'services', n.services,
        'resources', n.resources, 'deliberate', n.allow_overlap)) into v_rows
      from new_rows n where n.id = any (v_moved) and app.occupies(n.status);
    if v_rows is not null then perform app.occupy(v_rows); end if;
  end if;
  return null;
end $$;

-- As in 0064; whom a row has already is found as it is written.
create or replace function app.keep_appointment_staff() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_staffed uuid[];
begin
  if tg_op = 'UPDATE' then
    update public.appointment_staff s set status = n.status, branch_id = n.branch_id, client_id = n.client_id, series_id = n.series_id,
        starts_at = n.starts_at, local_date = n.local_date, created_at = n.created_at, updated_at = n.updated_at
      from new_rows n where s.company_id = n.company_id and s.appointment_id = n.id;
    v_staffed := array(select n.id from new_rows n join old_rows o on o.id = n.id where n.services <> o.services);
    if v_staffed = '{}' then return null; end if;
    delete from public.appointment_staff s using new_rows n
      where s.company_id = n.company_id and s.appointment_id = n.id and n.id = any (v_staffed)
        and not exists (select from jsonb_array_elements(n.services) p where (p ->> 'staffId')::uuid = s.staff_id);
  end if;
  insert into public.appointment_staff (company_id, appointment_id, staff_id, status, branch_id, client_id, series_id, starts_at, local_date, created_at, updated_at)
    select n.company_id, n.id, (p ->> 'staffId')::uuid, n.status, n.branch_id, n.client_id, n.series_id, n.starts_at, n.local_date, n.created_at, n.updated_at
    from new_rows n, jsonb_array_elements(n.services) p where v_staffed is null or n.id = any (v_staffed)
    on conflict (company_id, appointment_id, staff_id) do nothing;
  return null;
end $$;
set local role cp_owner;
