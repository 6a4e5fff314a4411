-- What earlier rows of a statement were given is kept as rows that an index finds: as text it was read and written whole for each row,
-- and a series of hundreds with twenty resources each took more than ten seconds of the company's lock.

-- Of the statement that is under way alone, so nobody misses it after a crash. Nobody else sees a row: they go before the commit.
create unlogged table app.claims (
  xact xid8 not null,
  resource_id uuid not null,
  -- Minutes since 1970. Of one resource they are apart, or the rule refuses the statement.
  begins int not null,
  ends int not null
);
create index claims_of on app.claims (xact, resource_id, begins, ends);
grant select, insert, delete on app.claims to cp_definer;

-- As in 0065, but all resources of a document at once, and each looked up once: of two who follow each other the last that begins
-- before the end says whether it is free. What stands outside the rule takes nothing from those inside. By indexes whatever is known
-- of how many rows there are. `app.claims`, where a file sets it (app.judge_file), is what is given besides.
set local role cp_definer;
create or replace function app.choose_resources(p_company uuid, p_branch uuid, p_owner uuid, p_starts timestamptz, p_parts jsonb, p_zone text,
  p_resources jsonb, p_prefer uuid[], p_overlap boolean) returns jsonb
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  k_span constant tstzrange := app.whole_span(p_starts, p_parts);
  k_from constant int := app.minute_of(lower(k_span));
  k_to constant int := app.minute_of(upper(k_span));
  k_end constant timestamptz := app.parts_end(p_starts, p_parts);
  k_any_time constant boolean := coalesce(current_setting('app.ignore_hours', true), '') = 'true';
  k_given constant jsonb := nullif(current_setting('app.claims', true), '')::jsonb;
  k_xact constant xid8 := pg_catalog.pg_current_xact_id();
  v_not uuid[];
  v_chosen jsonb;
  v_unknown int;
  v_lacking text;
begin
  v_not := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(p_resources) r where r ->> 'resourceId' is not null);
  if v_not <> '{}' then
    select min(n) - 1 into v_unknown from jsonb_array_elements(p_resources) with ordinality w (r, n)
      where r ->> 'resourceId' is not null and not exists (select from public.resources x
        where x.company_id = p_company and x.id = (r ->> 'resourceId')::uuid and x.branch_id = p_branch and x.kind = r ->> 'kind');
    perform app.refuse(v_unknown is not null, 'unknown_reference', jsonb_build_object('pointer', format('/resources/%s/resourceId', v_unknown),
      'detail', 'There is no such resource of this kind at the branch.'));
  end if;
  if cardinality(v_not) = jsonb_array_length(p_resources) then
    v_chosen := p_resources;
  else
    if not p_overlap and k_given is not null then
      v_not := v_not || array(select (c ->> 0)::uuid from jsonb_array_elements(k_given) c
        where (c ->> 1)::double precision / 60 < k_to and (c ->> 2)::double precision / 60 > k_from);
    end if;
    with wanted as materialized (
      select n, r ->> 'kind' as kind, (r ->> 'resourceId')::uuid as id,
        row_number() over (partition by r ->> 'kind', r ->> 'resourceId' is null order by n) as k
      from jsonb_array_elements(p_resources) with ordinality x (r, n)),
    -- In their order, until there are enough.
    free as (
      select k.kind, f.id, f.k from (select w.kind, count(*) as most from wanted w where w.id is null group by w.kind) k
        cross join lateral (
          select s.id, row_number() over () as k from (
            select x.id, x.working_hours from public.resources x
            where x.company_id = p_company and x.branch_id = p_branch and x.kind = k.kind and x.is_active and x.id <> all (v_not)
            order by x.id = any (p_prefer) desc, x.name, x.id offset 0) s
          where (p_overlap or not coalesce((select o.ends > k_from from public.occupancies o
              where o.company_id = p_company and o.subject_id = s.id and not o.deliberate and o.begins < k_to
                and o.appointment_id is distinct from p_owner and o.hold_id is distinct from p_owner order by o.begins desc limit 1), false))
            and (p_overlap or not coalesce((select c.ends > k_from from app.claims c
              where c.xact = k_xact and c.resource_id = s.id and c.begins < k_to order by c.begins desc limit 1), false))
            and (k_any_time or s.working_hours = '[]' or app.open_throughout(s.working_hours, p_zone, p_starts, k_end))
            and (k_any_time or not exists (select from public.time_off t where t.company_id = p_company and coalesce(t.staff_id, t.resource_id) = s.id
              and tstzrange(t.starts_at, t.ends_at) && tstzrange(p_starts, k_end)))
          limit k.most) f)
    select jsonb_agg(jsonb_build_object('kind', w.kind, 'resourceId', coalesce(w.id, f.id)) order by w.n),
        (array_agg(w.kind order by w.n) filter (where coalesce(w.id, f.id) is null))[1]
      into v_chosen, v_lacking
      from wanted w left join free f on w.id is null and f.kind = w.kind and f.k = w.k;
    perform app.refuse(v_lacking is not null, 'slot_taken', jsonb_build_object('kind', v_lacking, 'detail', format('No %s is free then.', v_lacking)));
  end if;
  if not p_overlap then
    insert into app.claims (xact, resource_id, begins, ends)
      select k_xact, (r ->> 'resourceId')::uuid, k_from, k_to from jsonb_array_elements(v_chosen) r;
    perform set_config('app.claimed', 'true', true);
  end if;
  return v_chosen;
end $$;

set local role cp_owner;

-- Before and after each statement. Hardly any has taken something.
create or replace function app.forget_claims() returns trigger language plpgsql security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  if coalesce(current_setting('app.claimed', true), '') <> '' then
    delete from app.claims c where c.xact = pg_catalog.pg_current_xact_id();
    perform set_config('app.claimed', '', true);
  end if;
  perform set_config('app.claims', '', true);
  return null;
end $$;
alter function app.forget_claims() owner to cp_definer;
set local role cp_definer;
grant execute on function app.forget_claims() to cp_owner;
set local role cp_owner;
create trigger forget_claims_after after insert or update on appointments for each statement execute function app.forget_claims();
create trigger forget_claims_after after insert or update on holds for each statement execute function app.forget_claims();

-- As in 0059, but that the clock is asked once for each part, and for the first not at all; and what another clock tells of an
-- appointment (0071) keeps busy whom it did.
set local role cp_definer;
create or replace function app.project_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_moved uuid[]; v_told uuid[]; v_rows jsonb;
begin
  if tg_op = 'INSERT' then
    v_moved := array(select n.id from new_rows n);
  else
    v_moved := array(select n.id from new_rows n join old_rows o on o.id = n.id
      where (n.company_id, n.starts_at, n.services, n.resources, n.allow_overlap, app.occupies(n.status))
        is distinct from (o.company_id, o.starts_at, o.services, o.resources, o.allow_overlap, app.occupies(o.status)));
    v_told := array(select n.id from new_rows n join old_rows o on o.id = n.id where n.time_zone <> o.time_zone);
    if v_moved = '{}' and v_told = '{}' then return null; end if;
    delete from public.occupancies o using new_rows n where o.company_id = n.company_id and o.appointment_id = n.id and n.id = any (v_moved);
    v_told := v_told || v_moved;
    delete from public.appointment_parts p using new_rows n where p.company_id = n.company_id and p.appointment_id = n.id and n.id = any (v_told);
  end if;
  -- From where the visit begins on, so that its parts are never at odds with it. `offset 0`: worked out once for each, and not wherever
  -- it is named.
  insert into public.appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
    select n.company_id, n.id, k, (p ->> 'serviceId')::uuid, (p ->> 'staffId')::uuid, l.t::date, l.t::time
    from new_rows n, lateral (select app.local_at(n.time_zone, n.starts_at) as t offset 0) b,
      jsonb_array_elements(n.services) with ordinality x (p, k),
      lateral (select n.local_date + n.local_start + case when k = 1 then interval '0'
        else app.local_at(n.time_zone, n.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) - b.t end as t offset 0) l
    where n.id = any (coalesce(v_told, v_moved));
  select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'appointmentId', n.id, 'startsAt', n.starts_at, 'services', n.services,
      'resources', n.resources, 'deliberate', n.allow_overlap)) into v_rows
    from new_rows n where n.id = any (v_moved) and app.occupies(n.status);
  if v_rows is not null then perform app.occupy(v_rows); end if;
  return null;
end $$;
set local role cp_owner;

-- As in 0047, of functions that are immutable themselves, so that it becomes part of what calls it.
create or replace function app.minute_of(p_at timestamptz) returns int language sql immutable strict parallel safe
  as $$ select (date_part('epoch', p_at - timestamptz '1970-01-01 00:00:00Z') / 60)::int $$;

-- Which of items (app.bulk_insert) want somebody or something that is taken, each as it would be refused alone. Whoever stands outside
-- the rule, or has held the time, is not asked for.
create function app.items_taken(p_items jsonb) returns jsonb language plpgsql volatile security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  return (with wanted as materialized (
    select n, i -> 'index' as index, b.staff_id, b.resource_id, b.busy, app.minute_of(lower(b.busy)) as begins, app.minute_of(upper(b.busy)) as ends
    from jsonb_array_elements(p_items) with ordinality x (i, n), lateral (select i -> 'row' as r) y,
      app.busy_subjects((r ->> 'starts_at')::timestamptz, r -> 'services', r -> 'resources') b
    where r ->> 'hold_id' is null and not coalesce((r ->> 'allow_overlap')::boolean, false)),
  met as (
    select distinct on (w.n) w.n, w.index, w.staff_id, w.resource_id, o.appointment_id
    from wanted w cross join lateral (
      select o.appointment_id from public.occupancies o
      where o.company_id = app.company() and o.subject_id = coalesce(w.staff_id, w.resource_id) and not o.deliberate
        and o.begins > w.begins - 5760 and o.begins < w.ends and o.ends > w.begins and o.busy && w.busy
        and (o.expires_at is null or o.expires_at > clock_timestamp()) order by o.appointment_id limit 1) o
    order by w.n, w.staff_id, w.resource_id)
  select jsonb_agg(jsonb_build_object('index', m.index, 'state', 'CP400', 'constraint', null, 'message', 'slot_taken',
      'detail', app.taken_by(m.staff_id, m.resource_id, m.appointment_id)::text) order by m.n) from met m);
end $$;
create function app.taken_by(p_staff uuid, p_resource uuid, p_appointment uuid) returns jsonb language sql immutable parallel safe set search_path = '' as $$
  select jsonb_strip_nulls(jsonb_build_object('staffId', p_staff, 'resourceId', p_resource, 'conflictingAppointmentId', p_appointment,
    'detail', case when p_staff is null then 'The resource is taken then.' else 'The staff member is booked then.' end))
$$;
grant execute on function app.taken_by(uuid, uuid, uuid) to cp_definer;
grant execute on function app.items_taken(jsonb) to cp_app;
alter function app.items_taken(jsonb) owner to cp_definer;

-- As in 0052, but that of many which are refused no row is written nine times: those that others have taken meanwhile are told apart at
-- once, and the rest is tried again in sixteen pieces and not in two.
create or replace function app.bulk_insert(p_table text, p_items jsonb, p_atomic boolean) returns void language plpgsql set search_path = '' as $$
declare
  v_stack int[] := array[0, jsonb_array_length(p_items)];
  v_low int; v_high int; v_step int; v_state text; v_constraint text; v_message text; v_detail text;
  v_items jsonb; v_taken jsonb; v_gone jsonb := '[]'; v_done jsonb := '[]'; v_faults jsonb := '[]';
begin
  while cardinality(v_stack) > 0 loop
    v_low := v_stack[cardinality(v_stack) - 1];
    v_high := v_stack[cardinality(v_stack)];
    v_stack := v_stack[:cardinality(v_stack) - 2];
    v_items := (select jsonb_agg(p_items -> i order by i) from generate_series(v_low, v_high - 1) i where not v_gone @> (p_items -> i -> 'index'));
    continue when v_items is null;
    v_state := null;
    begin
      perform app.insert_rows(p_table, (select jsonb_agg(e -> 'row' order by n) from jsonb_array_elements(v_items) with ordinality x (e, n)));
    exception when integrity_constraint_violation or data_exception or sqlstate 'CP400' then
      get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name, v_message = message_text, v_detail = pg_exception_detail;
    end;
    if v_state is null then
      v_done := v_done || (select jsonb_agg(jsonb_build_object('index', e -> 'index', 'id', e -> 'row' -> 'id') order by n)
        from jsonb_array_elements(v_items) with ordinality x (e, n));
      continue;
    end if;
    if v_state = 'CP400' and v_message = 'slot_taken' and p_table = 'appointments' and v_high - v_low > 1 then
      v_taken := app.items_taken(v_items);
      if v_taken is not null then
        v_faults := v_faults || v_taken;
        v_gone := v_gone || jsonb_path_query_array(v_taken, '$[*].index');
        v_stack := v_stack || array[v_low, v_high];
        continue;
      end if;
    end if;
    if v_high - v_low = 1 then
      -- What the database itself says may hold values.
      v_faults := v_faults || (jsonb_build_object('index', v_items -> 0 -> 'index', 'state', v_state, 'constraint', v_constraint)
        || case when v_state = 'CP400' then jsonb_build_object('message', v_message, 'detail', v_detail) else '{}' end);
    else
      v_step := (v_high - v_low + 15) / 16;
      v_stack := v_stack || array(select b from generate_series(v_low, v_high - 1, v_step) a,
        lateral (values (1, a), (2, least(a + v_step, v_high))) x (n, b) order by a desc, n);
    end if;
  end loop;
  if p_atomic and v_faults <> '[]' then raise exception 'bulk refused' using errcode = 'CP207', detail = v_faults::text; end if;
  perform set_config('app.result', (v_done || v_faults)::text, true);
end $$;
