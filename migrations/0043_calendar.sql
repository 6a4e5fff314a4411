-- Appointments, holds and series: the rule that nothing is booked twice, resources that the database chooses, statuses.
alter table appointments add foreign key (company_id) references companies;
alter table holds add foreign key (company_id) references companies;
alter table series add foreign key (company_id) references companies;
alter table occupancies add foreign key (company_id) references companies;

-- Functions of SQL alone have no settings of their own, so that they become part of the statement that calls them.

-- What a document says ------------------------------------------------------------------------------------------------

-- Whether parts follow each other from the start on, each of somebody, of some service, and with processing that fits.
create function app.parts_fit(p_parts jsonb) returns boolean language plpgsql immutable parallel safe set search_path = '' as $$
declare p jsonb; v_end int := 0;
begin
  if jsonb_array_length(p_parts) not between 1 and 20 or (p_parts -> 0 ->> 'startOffsetMinutes')::int <> 0 then return false; end if;
  for p in select * from jsonb_array_elements(p_parts) loop
    if not coalesce((p ->> 'startOffsetMinutes')::int between v_end and 1440 and (p ->> 'durationMinutes')::int between 1 and 1440
      and (p ->> 'bufferBeforeMinutes')::int between 0 and 1440 and (p ->> 'bufferAfterMinutes')::int between 0 and 1440
      and (p ->> 'staffId')::uuid is not null and (p ->> 'serviceId')::uuid is not null
      and app.processing_fits(p -> 'processing', (p ->> 'durationMinutes')::int), false)
    then return false; end if;
    v_end := (p ->> 'startOffsetMinutes')::int + (p ->> 'durationMinutes')::int;
  end loop;
  return true;
exception when data_exception then return false;
end $$;

-- Whether each resource has a kind, and none is named twice.
create function app.resources_fit(p_resources jsonb) returns boolean language sql immutable parallel safe as $$
  select jsonb_typeof(p_resources) = 'array' and (
    select count(*) <= 20 and count(r ->> 'resourceId') = count(distinct r ->> 'resourceId') and count(*) = count(r ->> 'kind')
    from jsonb_array_elements(case when jsonb_typeof(p_resources) = 'array' then p_resources else '[]' end) r)
$$;

create function app.parts_end(p_starts timestamptz, p_parts jsonb) returns timestamptz language sql stable parallel safe as $$
  select p_starts + make_interval(mins => (p_parts -> -1 ->> 'startOffsetMinutes')::int + (p_parts -> -1 ->> 'durationMinutes')::int)
$$;

-- The whole span, with the first part's buffer before it and the last one's after it: when resources are busy.
create function app.whole_span(p_starts timestamptz, p_parts jsonb) returns tstzrange language sql stable parallel safe as $$
  select tstzrange(p_starts - make_interval(mins => (p_parts -> 0 ->> 'bufferBeforeMinutes')::int),
    app.parts_end(p_starts, p_parts) + make_interval(mins => (p_parts -> -1 ->> 'bufferAfterMinutes')::int))
$$;

-- Whom and what it keeps busy, and when. A staff member has the buffer before their first part and the one after their last,
-- and is free while a part of theirs is processed.
create function app.busy_subjects(p_starts timestamptz, p_parts jsonb, p_resources jsonb)
returns table (staff_id uuid, resource_id uuid, busy tstzmultirange) language sql stable parallel safe as $$
  with parts as (
    select (p ->> 'staffId')::uuid as staff_id, n, p_starts + make_interval(mins => (p ->> 'startOffsetMinutes')::int) as starts_at, p,
      row_number() over mine = 1 as first, row_number() over (partition by p ->> 'staffId' order by n desc) = 1 as last
    from jsonb_array_elements(p_parts) with ordinality x (p, n) window mine as (partition by p ->> 'staffId' order by n)),
  taken as (
    select staff_id, range_agg(tstzrange(
      starts_at - make_interval(mins => case when first then (p ->> 'bufferBeforeMinutes')::int else 0 end),
      starts_at + make_interval(mins => (p ->> 'durationMinutes')::int + case when last then (p ->> 'bufferAfterMinutes')::int else 0 end))) as busy
    from parts group by staff_id),
  processed as (
    select staff_id, range_agg(tstzrange(starts_at + make_interval(mins => (i ->> 'afterMinutes')::int),
      starts_at + make_interval(mins => (i ->> 'afterMinutes')::int + (i ->> 'minutes')::int))) as free
    from parts, jsonb_array_elements(p -> 'processing') i group by staff_id)
  select t.staff_id, null::uuid, t.busy - coalesce(f.free, '{}') from taken t left join processed f using (staff_id)
  union all
  select null, (r ->> 'resourceId')::uuid, tstzmultirange(app.whole_span(p_starts, p_parts))
  from jsonb_array_elements(p_resources) r where r ->> 'resourceId' is not null
$$;

create function app.occupies(p_status text) returns boolean language sql immutable parallel safe
  as $$ select p_status not in ('CANCELLED', 'NO_SHOW') $$;

-- Whether hours as branches have them are open throughout, in local time of the zone. No hours leave it to the branch.
create function app.open_throughout(p_hours jsonb, p_zone text, p_from timestamptz, p_to timestamptz) returns boolean
language sql stable parallel safe set search_path = '' as $$
  select p_hours = '[]' or coalesce((
    select range_agg(tsrange(d + (h ->> 'start')::time, d + (h ->> 'end')::time)) @> tsrange(p_from at time zone p_zone, p_to at time zone p_zone)
    from generate_series((p_from at time zone p_zone)::date, (p_to at time zone p_zone)::date, interval '1 day') x (day),
      lateral (select x.day::date as d) y, jsonb_array_elements(p_hours) h
    where (h ->> 'weekday')::int = extract(isodow from d) and d between coalesce((h ->> 'validFrom')::date, d) and coalesce((h ->> 'validTo')::date, d)), false)
$$;
grant execute on function app.parts_fit(jsonb), app.resources_fit(jsonb), app.parts_end(timestamptz, jsonb), app.whole_span(timestamptz, jsonb),
  app.busy_subjects(timestamptz, jsonb, jsonb), app.occupies(text), app.open_throughout(jsonb, text, timestamptz, timestamptz) to cp_app, cp_definer;

alter table appointments
  add constraint appointments_services check (app.parts_fit(services)),
  add constraint appointments_resources check (app.resources_fit(resources)),
  add constraint appointments_status check (status in ('PENDING', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
  add constraint appointments_history check (status_history -> -1 ->> 'status' is not distinct from status),
  -- Whole minutes: what is free is found with integers.
  add constraint appointments_minute check (starts_at = date_trunc('minute', starts_at, 'UTC'));
alter table holds
  add constraint holds_services check (app.parts_fit(services)),
  add constraint holds_resources check (app.resources_fit(resources)),
  add constraint holds_minute check (starts_at = date_trunc('minute', starts_at, 'UTC'));
alter table occupancies
  add constraint occupancies_owner check (num_nonnulls(appointment_id, hold_id) = 1),
  add constraint occupancies_subject check (num_nonnulls(staff_id, resource_id) = 1),
  -- The rule. Both neighbours' buffers are in, so they add up.
  add constraint occupancies_once exclude using gist (company_id with =, subject_id with =, busy with &&) where (not deliberate);

insert into app.tenant_tables (table_name, entity, grants) values
  ('appointments', 'appointment', 'select, insert, update'),
  ('holds', 'hold', 'select, insert, update, delete'),
  ('series', 'series', 'select, insert, update'),
  ('appointment_parts', null, 'select'),
  ('occupancies', null, 'select');
grant select, insert, delete on appointment_parts, occupancies to cp_definer;
grant select, update on appointments to cp_definer;
grant select, update, delete on holds to cp_definer;
grant select, update on series to cp_definer;

-- Statuses ------------------------------------------------------------------------------------------------------------

create function app.next_statuses(p_status text) returns text[] language sql immutable parallel safe set search_path = '' as $$
  select case p_status when 'PENDING' then '{CONFIRMED,CANCELLED}' when 'CONFIRMED' then '{CHECKED_IN,NO_SHOW,CANCELLED}'
    when 'CHECKED_IN' then '{IN_PROGRESS,CANCELLED}' when 'IN_PROGRESS' then '{COMPLETED}'
    when 'CANCELLED' then '{CONFIRMED}' when 'NO_SHOW' then '{CONFIRMED}' else '{}' end::text[]
$$;
grant execute on function app.next_statuses(text) to cp_app, cp_definer;

-- The history follows the status. One step at a time; several where they are written out behind the history so far. As
-- whoever writes the row, so that erasing, which cp_definer does, may take reasons out of it.
create function app.admit_status() returns trigger language plpgsql set search_path = '' as $$
declare
  k_known constant int := case tg_op when 'UPDATE' then jsonb_array_length(old.status_history) else 0 end;
  v_from text;
  v_step jsonb;
begin
  if tg_op = 'INSERT' then
    perform app.refuse(new.source <> 'IMPORT' and new.status not in ('PENDING', 'CONFIRMED'), 'illegal_transition',
      jsonb_build_object('detail', 'A new appointment is PENDING or CONFIRMED.', 'allowed', array['PENDING', 'CONFIRMED'], 'pointer', '/status'));
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
      perform app.refuse(new.status <> all (app.next_statuses(v_from)), 'illegal_transition', jsonb_build_object(
        'detail', format('From %s an appointment cannot become %s.', v_from, new.status), 'allowed', app.next_statuses(v_from), 'pointer', '/status'));
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
    if new.status_reason is not distinct from old.status_reason then new.status_reason := null; end if;
  end if;
  new.status_history := new.status_history || jsonb_build_object('status', new.status,
    'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'by', coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user), 'reason', new.status_reason);
  return new;
end $$;
create trigger admit_status before insert or update on appointments for each row execute function app.admit_status();

-- Where it is to be ---------------------------------------------------------------------------------------------------

-- Chooses a resource for each kind that names none, and holds those that are named to their kind and branch. Chosen is one
-- that is active, free, open and not out of use, p_prefer first, then by name. Free of what earlier rows of the same
-- statement were given too (app.claims): those are projected when the statement ends.
create function app.choose_resources(p_company uuid, p_branch uuid, p_owner uuid, p_starts timestamptz, p_parts jsonb, p_zone text,
  p_resources jsonb, p_prefer uuid[], p_overlap boolean) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  k_busy constant tstzmultirange := tstzmultirange(app.whole_span(p_starts, p_parts));
  k_end constant timestamptz := app.parts_end(p_starts, p_parts);
  k_any_time constant boolean := coalesce(current_setting('app.ignore_hours', true), '') = 'true';
  v_claims jsonb := coalesce(nullif(current_setting('app.claims', true), ''), '[]')::jsonb;
  v_taken uuid[];
  v_chosen jsonb := '[]';
  v_id uuid;
  v_known boolean;
  r jsonb;
  n int := 0;
begin
  v_taken := array(select (x ->> 'resourceId')::uuid from jsonb_array_elements(p_resources) x where x ->> 'resourceId' is not null);
  for r in select * from jsonb_array_elements(p_resources) loop
    v_id := (r ->> 'resourceId')::uuid;
    if v_id is not null then
      v_known := exists (select from public.resources x where x.company_id = p_company and x.id = v_id and x.branch_id = p_branch and x.kind = r ->> 'kind');
      perform app.refuse(not v_known, 'unknown_reference', jsonb_build_object('pointer', format('/resources/%s/resourceId', n),
        'detail', 'There is no such resource of this kind at the branch.'));
    else
      select x.id into v_id from public.resources x
      where x.company_id = p_company and x.branch_id = p_branch and x.kind = r ->> 'kind' and x.is_active and x.id <> all (v_taken)
        and (p_overlap or not exists (select from public.occupancies o where o.company_id = p_company and o.subject_id = x.id and not o.deliberate
          and o.busy && k_busy and o.appointment_id is distinct from p_owner and o.hold_id is distinct from p_owner))
        and (p_overlap or not exists (select from jsonb_array_elements(v_claims) c where c ->> 'resourceId' = x.id::text and (c ->> 'busy')::tstzmultirange && k_busy))
        and (k_any_time or app.open_throughout(x.working_hours, p_zone, p_starts, k_end))
        and (k_any_time or not exists (select from public.time_off t where t.company_id = p_company and coalesce(t.staff_id, t.resource_id) = x.id
          and tstzrange(t.starts_at, t.ends_at) && tstzrange(p_starts, k_end)))
      order by x.id = any (p_prefer) desc, x.name, x.id limit 1;
      perform app.refuse(v_id is null, 'slot_taken', jsonb_build_object('kind', r ->> 'kind', 'detail', format('No %s is free then.', r ->> 'kind')));
    end if;
    v_taken := v_taken || v_id;
    v_chosen := v_chosen || jsonb_build_object('kind', r ->> 'kind', 'resourceId', v_id);
    v_claims := v_claims || jsonb_build_object('resourceId', v_id, 'busy', k_busy::text);
    n := n + 1;
  end loop;
  perform set_config('app.claims', v_claims::text, true);
  return v_chosen;
end $$;

create function app.forget_claims() returns trigger language plpgsql set search_path = ''
  as $$ begin perform set_config('app.claims', '', true); return null; end $$;
create trigger forget_claims before insert or update on appointments for each statement execute function app.forget_claims();
create trigger forget_claims before insert or update on holds for each statement execute function app.forget_claims();

-- Ends holds that have expired and would still be in the way of that span. Each is logged, and before what takes its place.
create function app.end_expired_holds(p_company uuid, p_span tstzrange) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare v_ids uuid[] := array(select o.hold_id from public.occupancies o
  where o.company_id = p_company and o.expires_at <= clock_timestamp() and o.busy && tstzmultirange(p_span));
begin
  -- A statement that deletes nothing calls the log's triggers all the same.
  if v_ids <> '{}' then delete from public.holds h where h.company_id = p_company and h.id = any (v_ids); end if;
end $$;

-- Completes an appointment that is new or moves: its end, its resources, and the hold that it ends.
create function app.arrange_appointment() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_held jsonb; v_prefer uuid[] := '{}';
begin
  -- A row of another company is refused by the walls, a moment from now.
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  if tg_op = 'UPDATE' then
    new.hold_id := old.hold_id;
    if (new.starts_at, new.branch_id, new.services, new.resources, new.allow_overlap, app.occupies(new.status))
      is not distinct from (old.starts_at, old.branch_id, old.services, old.resources, old.allow_overlap, app.occupies(old.status))
    then
      new.ends_at := old.ends_at;
      return new;
    end if;
    v_prefer := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(old.resources) r where r ->> 'resourceId' is not null);
  end if;
  new.ends_at := new.starts_at;
  if not coalesce(app.parts_fit(new.services) and app.resources_fit(new.resources), false) then return new; end if;
  new.ends_at := app.parts_end(new.starts_at, new.services);
  if tg_op = 'INSERT' and new.hold_id is not null then
    delete from public.holds h where h.company_id = new.company_id and h.id = new.hold_id and h.expires_at > clock_timestamp() returning h.resources into v_held;
    perform app.refuse(not found, 'hold_expired', '{"pointer": "/holdId"}');
    v_prefer := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(v_held) r);
  end if;
  if not app.occupies(new.status) then return new; end if;
  if not new.allow_overlap then perform app.end_expired_holds(new.company_id, app.whole_span(new.starts_at, new.services)); end if;
  if new.resources <> '[]' then
    new.resources := app.choose_resources(new.company_id, new.branch_id, new.id, new.starts_at, new.services, new.time_zone, new.resources, v_prefer, new.allow_overlap);
  end if;
  return new;
end $$;
create trigger arrange before insert or update on appointments for each row execute function app.arrange_appointment();

create function app.arrange_hold() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  new.ends_at := new.starts_at;
  if not coalesce(app.parts_fit(new.services) and app.resources_fit(new.resources), false) then return new; end if;
  new.ends_at := app.parts_end(new.starts_at, new.services);
  perform app.end_expired_holds(new.company_id, app.whole_span(new.starts_at, new.services));
  if new.resources <> '[]' then
    new.resources := app.choose_resources(new.company_id, new.branch_id, new.id, new.starts_at, new.services, new.time_zone, new.resources, '{}', false);
  end if;
  return new;
end $$;
create trigger arrange before insert or update on holds for each row execute function app.arrange_hold();

-- What it keeps busy --------------------------------------------------------------------------------------------------

-- Writes what owners occupy, p_rows [{"companyId", "appointmentId" | "holdId", "startsAt", "services", "resources", "deliberate",
-- "expiresAt"}], whose old rows are gone. A violation of the rule is answered with who or what is in the way.
create function app.occupy(p_rows jsonb) returns void language plpgsql volatile security definer set search_path = '' as $$
declare v_staff uuid; v_resource uuid; v_by uuid;
begin
  insert into public.occupancies (company_id, appointment_id, hold_id, staff_id, resource_id, busy, deliberate, expires_at)
    select (r ->> 'companyId')::uuid, (r ->> 'appointmentId')::uuid, (r ->> 'holdId')::uuid, b.staff_id, b.resource_id, b.busy,
      coalesce((r ->> 'deliberate')::boolean, false), (r ->> 'expiresAt')::timestamptz
    from jsonb_array_elements(p_rows) r, app.busy_subjects((r ->> 'startsAt')::timestamptz, r -> 'services', r -> 'resources') b;
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

-- By the statement, so that appointments may change places within one. After the log's triggers, by its name, and so behind the head's lock.
create function app.project_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_moved uuid[]; v_rows jsonb;
begin
  if tg_op = 'INSERT' then
    v_moved := array(select n.id from new_rows n);
  else
    v_moved := array(select n.id from new_rows n join old_rows o on o.id = n.id
      where (n.company_id, n.starts_at, n.time_zone, n.services, n.resources, n.allow_overlap, app.occupies(n.status))
        is distinct from (o.company_id, o.starts_at, o.time_zone, o.services, o.resources, o.allow_overlap, app.occupies(o.status)));
    if v_moved = '{}' then return null; end if;
    delete from public.occupancies o using new_rows n where o.company_id = n.company_id and o.appointment_id = n.id and n.id = any (v_moved);
    delete from public.appointment_parts p using new_rows n where p.company_id = n.company_id and p.appointment_id = n.id and n.id = any (v_moved);
  end if;
  insert into public.appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
    select n.company_id, n.id, k, (p ->> 'serviceId')::uuid, (p ->> 'staffId')::uuid, l.t::date, l.t::time
    from new_rows n, jsonb_array_elements(n.services) with ordinality x (p, k),
      lateral (select (n.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) at time zone n.time_zone) l (t)
    where n.id = any (v_moved);
  select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'appointmentId', n.id, 'startsAt', n.starts_at, 'services', n.services,
      'resources', n.resources, 'deliberate', n.allow_overlap)) into v_rows
    from new_rows n where n.id = any (v_moved) and app.occupies(n.status);
  if v_rows is not null then perform app.occupy(v_rows); end if;
  return null;
end $$;
create trigger project_insert after insert on appointments referencing new table as new_rows for each statement execute function app.project_appointments();
create trigger project_update after update on appointments referencing old table as old_rows new table as new_rows for each statement execute function app.project_appointments();

create function app.project_holds() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_rows jsonb;
begin
  delete from public.occupancies o using new_rows n where o.company_id = n.company_id and o.hold_id = n.id;
  select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'holdId', n.id, 'startsAt', n.starts_at, 'services', n.services,
    'resources', n.resources, 'expiresAt', n.expires_at)) into v_rows from new_rows n;
  if v_rows is not null then perform app.occupy(v_rows); end if;
  return null;
end $$;
create trigger project_insert after insert on holds referencing new table as new_rows for each statement execute function app.project_holds();
create trigger project_update after update on holds referencing new table as new_rows for each statement execute function app.project_holds();

-- What is busy --------------------------------------------------------------------------------------------------------

-- When subjects (staff, resources) are busy between two instants: where each stretch begins and where it ends, in minutes since
-- 1970, merged, in order and cut to the span. `until`: when a hold among them expires, and the answer with it. One row per
-- subject. As cp_definer: overlap is not leakproof, so behind row-level security every booking of the past would be looked at.
-- date_part, because extract answers numeric, which took five times as long as all the rest.
create function app.busy(p_subjects uuid[], p_from timestamptz, p_to timestamptz)
returns table (subject_id uuid, starts int[], ends int[], until timestamptz)
language sql stable security definer set search_path = '' as $$
  select s.id, coalesce(m.starts, '{}'), coalesce(m.ends, '{}'), b.until
  from unnest(p_subjects) s (id) cross join lateral (
    select range_agg(o.busy) * tstzmultirange(tstzrange(p_from, p_to)) as ranges, min(o.expires_at) as until from public.occupancies o
    where o.company_id = app.company() and o.subject_id = s.id and o.busy && tstzmultirange(tstzrange(p_from, p_to)) and not o.deliberate
      and (o.expires_at is null or o.expires_at > clock_timestamp())) b
  cross join lateral (
    select array_agg((date_part('epoch', lower(r)) / 60)::int) as starts, array_agg((date_part('epoch', upper(r)) / 60)::int) as ends
    from unnest(b.ranges) r) m
$$;

-- When they are away or out of use, likewise; outwards to the minute.
create function app.away(p_subjects uuid[], p_from timestamptz, p_to timestamptz) returns table (subject_id uuid, starts int[], ends int[])
language sql stable security definer set search_path = '' as $$
  select s.id, coalesce(m.starts, '{}'), coalesce(m.ends, '{}')
  from unnest(p_subjects) s (id) cross join lateral (
    select range_agg(tstzrange(x.starts_at, x.ends_at)) * tstzmultirange(tstzrange(p_from, p_to)) as ranges from public.time_off x
    where x.company_id = app.company() and coalesce(x.staff_id, x.resource_id) = s.id
      and tstzrange(x.starts_at, x.ends_at) && tstzrange(p_from, p_to)) t
  cross join lateral (
    select array_agg(floor(date_part('epoch', lower(r)) / 60)::int) as starts, array_agg(ceil(date_part('epoch', upper(r)) / 60)::int) as ends
    from unnest(t.ranges) r) m
$$;

grant execute on function app.busy(uuid[], timestamptz, timestamptz), app.away(uuid[], timestamptz, timestamptz) to cp_app;
grant execute on function app.refuse(boolean, text, jsonb) to cp_definer;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.busy(uuid[],timestamptz,timestamptz)', 'app.away(uuid[],timestamptz,timestamptz)', 'app.occupy(jsonb)',
    'app.choose_resources(uuid,uuid,uuid,timestamptz,jsonb,text,jsonb,uuid[],boolean)', 'app.end_expired_holds(uuid,tstzrange)']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
  end loop;
  foreach f in array array['app.arrange_appointment()', 'app.arrange_hold()', 'app.project_appointments()', 'app.project_holds()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;
select app.secure_tables();
