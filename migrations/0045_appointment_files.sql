-- Appointments of another system (src/calendar/appointments/file): in whatever status they ended, beside each other as they were.

-- What rows of a file meet, p_rows [{"id", "branch_id", "services", "resources", "starts_at", "time_zone", "status", "allow_overlap"}]:
-- the same rows with `allow_overlap` and resources decided, and the ids of earlier imported ones that now stand outside the
-- rule. Of two that overlap it is the later one by start, then by id, which imports give in the order of rows; so it does not
-- matter in which order, or in how many chunks, they come. What was booked here, and what is held, gives way to nobody.
create function app.judge_imported(p_rows jsonb, out rows jsonb, out outdone uuid[])
language plpgsql volatile security definer set search_path = '' as $$
declare v_over uuid[]; v_row jsonb; v_resources jsonb; v_overlap boolean; v_busy tstzmultirange;
begin
  with own as materialized (
    select (r ->> 'id')::uuid as id, (r ->> 'starts_at')::timestamptz as starts_at, r from jsonb_array_elements(p_rows) r
    where app.occupies(r ->> 'status')),
  wanted as materialized (
    select o.id, o.starts_at, coalesce(b.staff_id, b.resource_id) as subject_id, b.busy
    from own o, app.busy_subjects(o.starts_at, o.r -> 'services', o.r -> 'resources') b),
  met as materialized (
    select w.id, w.starts_at, m.* from wanted w cross join lateral (
      select o.appointment_id, o.deliberate, a.starts_at as other_starts, a.source from public.occupancies o
        left join public.appointments a on a.company_id = o.company_id and a.id = o.appointment_id
      where o.company_id = app.company() and o.subject_id = w.subject_id and o.busy && w.busy
        and (o.expires_at is null or o.expires_at > clock_timestamp()) offset 0) m
    where m.appointment_id is null or m.appointment_id not in (select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r)),
  over as (
    select m.id from met m where case when m.source = 'IMPORT' then (m.other_starts, m.appointment_id) < (m.starts_at, m.id) else not m.deliberate end
    union
    select w.id from wanted w join wanted x on x.subject_id = w.subject_id and x.busy && w.busy and (x.starts_at, x.id) < (w.starts_at, w.id))
  select array(select id from over), array(select distinct m.appointment_id from met m
      where m.source = 'IMPORT' and not m.deliberate and (m.other_starts, m.appointment_id) > (m.starts_at, m.id))
    into v_over, outdone;

  -- Those that name their resources first: the others take what these leave.
  rows := '[]';
  perform set_config('app.claims', '', true), set_config('app.ignore_hours', 'true', true);
  for v_row in select r from jsonb_array_elements(p_rows) with ordinality x (r, n)
    order by jsonb_path_exists(r -> 'resources', '$[*] ? (@.resourceId == null)'), n
  loop
    v_overlap := coalesce((v_row ->> 'allow_overlap')::boolean, false) or (v_row ->> 'id')::uuid = any (v_over);
    v_resources := v_row -> 'resources';
    if v_resources <> '[]' and app.occupies(v_row ->> 'status') then
      begin
        v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
          v_row -> 'services', v_row ->> 'time_zone', v_resources, '{}', v_overlap);
      exception when sqlstate 'CP400' then
        -- None is free: it shares one.
        if sqlerrm <> 'slot_taken' then raise; end if;
        v_overlap := true;
        v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
          v_row -> 'services', v_row ->> 'time_zone', v_resources, '{}', true);
      end;
    end if;
    rows := rows || (v_row || jsonb_build_object('allow_overlap', v_overlap, 'resources', v_resources));
  end loop;
end $$;
grant execute on function app.next_statuses(text), app.without_reasons(jsonb) to cp_definer;
alter function app.judge_imported(jsonb) owner to cp_definer;
do $$ begin
  set local role cp_definer;
  grant execute on function app.judge_imported(jsonb) to cp_app;
  set local role cp_owner;
end $$;

-- Takes rows in, each with another key, and answers how many were created, updated and left as they were. `version` is that of the
-- one they were made from, null for none; `history` comes behind the history that is there, `steps` are statuses on the way to this one.
create function app.import_appointments(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare v_judged record; v_created int; v_updated int; k_actor constant text := coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user);
begin
  perform app.expect_still(not exists (
    select from jsonb_array_elements(p_rows) r left join public.appointments a on a.company_id = app.company() and a.external_id = r ->> 'key'
    where a.version is distinct from (r ->> 'version')::int));
  select j.* into v_judged from app.judge_imported((
    select jsonb_agg(r || jsonb_build_object('id', coalesce(a.id, (r ->> 'id')::uuid)) order by n) from jsonb_array_elements(p_rows) with ordinality x (r, n)
      left join public.appointments a on a.company_id = app.company() and a.external_id = r ->> 'key')) j;
  update public.appointments a set allow_overlap = true where a.company_id = app.company() and a.id = any (v_judged.outdone);

  with given as (
    select r ->> 'key' as key, p.*, r -> 'history' || coalesce((
        select jsonb_agg(jsonb_build_object('status', s, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'by', k_actor, 'reason', case when n = jsonb_array_length(r -> 'steps') then r -> 'reason' end) order by n)
        from jsonb_array_elements(r -> 'steps') with ordinality x (s, n)), '[]') as told
    from jsonb_array_elements(v_judged.rows) r, jsonb_populate_record(null::public.appointments, r || jsonb_build_object('status_reason', r -> 'reason')) p
    where r ->> 'version' is not null),
  changed as (
    update public.appointments a set branch_id = g.branch_id, client_id = g.client_id, services = g.services, resources = g.resources,
        starts_at = g.starts_at, time_zone = g.time_zone, status = g.status, status_reason = g.status_reason, status_history = a.status_history || g.told,
        notes = g.notes, price = g.price, allow_overlap = g.allow_overlap
      from given g
      where a.company_id = app.company() and a.external_id = g.key
        and (a.branch_id, a.client_id, a.services, a.resources, a.starts_at, a.time_zone, a.status, a.notes, a.price, a.allow_overlap)
          is distinct from (g.branch_id, g.client_id, g.services, g.resources, g.starts_at, g.time_zone, g.status, g.notes, g.price, g.allow_overlap)
      returning old.version <> new.version as really)
  select count(*) into v_updated from changed where really;

  insert into public.appointments (company_id, id, external_id, branch_id, client_id, services, resources, starts_at, time_zone, status, status_reason,
      status_history, notes, price, source, allow_overlap)
    select app.company(), p.id, r ->> 'key', p.branch_id, p.client_id, p.services, p.resources, p.starts_at, p.time_zone, p.status, r ->> 'reason',
      r -> 'history', p.notes, p.price, 'IMPORT', p.allow_overlap
    from jsonb_array_elements(v_judged.rows) r, jsonb_populate_record(null::public.appointments, r) p where r ->> 'version' is null order by p.id;
  get diagnostics v_created = row_count;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;
grant execute on function app.import_appointments(jsonb) to cp_app;

-- As in 0044, and whom another system named as the one who did it goes as well.
create or replace function app.without_reasons(p_history jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select coalesce(jsonb_agg(h || '{"reason": null}' || case when h ->> 'by' like 'IMPORT:%' then '{"by": "IMPORT"}'::jsonb else '{}' end order by n), '[]')
  from jsonb_array_elements(p_history) with ordinality x (h, n)
$$;
