-- Of imported appointments that overlap as few as can be stand outside the rule: in the order of their starts each stays inside
-- that meets none of those that did. Where a file tells an earlier one later, the ones behind it are judged anew.

-- Those that an import put outside, and nobody has touched since: they may come back. Whatever else says so stands.
create table overlaps_found (
  company_id uuid not null,
  appointment_id uuid not null,
  -- The appointment's then.
  version int not null,
  primary key (company_id, appointment_id),
  constraint overlaps_found_appointment foreign key (company_id, appointment_id) references appointments (company_id, id) on delete cascade
);
insert into app.tenant_tables (table_name, entity, grants) values ('overlaps_found', null, 'select');
grant select, insert, delete on overlaps_found to cp_definer;

-- What is in a subject's way, whoever stands outside the rule included; looked up for each row (`rows`, `offset 0`), where a join
-- would read all appointments of the company for each. Nothing lasts longer than four days (app.parts_fit).
create function app.met_by(p_subject uuid, p_busy tstzmultirange)
returns table (appointment_id uuid, deliberate boolean, expires_at timestamptz) language sql stable rows 2 as $$
  select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
    where o.company_id = app.company() and o.subject_id = p_subject and not o.deliberate and o.begins > app.minute_of(lower(p_busy)) - 5760
      and o.begins < app.minute_of(upper(p_busy)) and o.ends > app.minute_of(lower(p_busy)) and o.busy && p_busy
  union all
  select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
    where o.company_id = app.company() and o.subject_id = p_subject and o.deliberate and o.begins > app.minute_of(lower(p_busy)) - 5760
      and o.begins < app.minute_of(upper(p_busy)) and o.ends > app.minute_of(lower(p_busy)) and o.busy && p_busy
$$;
grant execute on function app.met_by(uuid, tstzmultirange) to cp_definer;

-- Judges the rows that are new or move (`moved`), and behind them in order of start and id whatever imported ones that touches.
-- Answers the rows with `allow_overlap` and resources decided; of others the ids that now stand outside, and that come back; and
-- which of all are outside for this reason alone. What was booked here, and what is held, gives way to nobody. By the indexes of a
-- subject's stretches whatever is known of how many there are: a chunk is taken right after the one before it.
create function app.judge_file(p_rows jsonb, out rows jsonb, out outdone uuid[], out freed uuid[], out found_over uuid[])
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare v_own uuid[]; v_moved uuid[]; v_inside uuid[] := '{}'; v_outside uuid[] := '{}'; v_said uuid[] := '{}'; v_chosen jsonb := '{}';
  v_each record; v_row jsonb; v_resources jsonb; v_overlap boolean;
begin
  v_own := array(select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r);
  v_moved := array(select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r where (r ->> 'moved')::boolean);
  outdone := '{}'; freed := '{}';
  for v_each in
    with recursive own as materialized (
      select (r ->> 'id')::uuid as id, (r ->> 'starts_at')::timestamptz as starts_at, r from jsonb_array_elements(p_rows) r where (r ->> 'moved')::boolean),
    wanted as materialized (
      select o.id, o.starts_at, coalesce(b.staff_id, b.resource_id) as subject_id, b.busy
      from own o, app.busy_subjects(o.starts_at, o.r -> 'services', o.r -> 'resources') b where app.occupies(o.r ->> 'status')),
    left_behind as materialized (
      select o.id, a.starts_at, c.subject_id, c.busy from own o
        cross join lateral (select a.starts_at from public.appointments a where a.company_id = app.company() and a.id = o.id offset 0) a
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = o.id offset 0) c),
    touched (id, starts_at, deliberate) as (
      select a.id, a.starts_at, m.deliberate from (select * from wanted union all select * from left_behind) w
        cross join lateral app.met_by(w.subject_id, w.busy) m
        cross join lateral (select a.id, a.starts_at from public.appointments a where a.company_id = app.company() and a.id = m.appointment_id and a.source = 'IMPORT' offset 0) a
      where a.id <> all (v_moved) and (a.starts_at, a.id) > (w.starts_at, w.id)
      union
      select a.id, a.starts_at, m.deliberate from touched t
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = t.id offset 0) c
        cross join lateral app.met_by(c.subject_id, c.busy) m
        cross join lateral (select a.id, a.starts_at from public.appointments a where a.company_id = app.company() and a.id = m.appointment_id and a.source = 'IMPORT' offset 0) a
      where a.id <> all (v_moved) and (a.starts_at, a.id) > (t.starts_at, t.id)),
    found_before as materialized (
      select f.* from (select t.id from touched t union all select o.id from own o where o.r ->> 'version' is not null) x
        cross join lateral (select f.appointment_id as id, f.version from public.overlaps_found f where f.company_id = app.company() and f.appointment_id = x.id offset 0) f),
    judged as materialized (
      select o.id, o.starts_at, false as stands, (o.r ->> 'allow_overlap')::boolean
        and not exists (select from found_before f where f.id = o.id and f.version = (o.r ->> 'version')::int) as said
      from own o where app.occupies(o.r ->> 'status')
      union all
      select t.id, t.starts_at, t.deliberate, t.deliberate and not exists (select from found_before f
        where f.id = t.id and f.version = (select a.version from public.appointments a where a.company_id = app.company() and a.id = t.id))
      from touched t),
    places as materialized (
      select w.id, w.starts_at, w.subject_id, w.busy from wanted w
      union all
      select t.id, t.starts_at, c.subject_id, c.busy from touched t
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = t.id offset 0) c),
    known as materialized (select array_agg(distinct p.id) || v_moved as ids from places p),
    blocked as materialized (
      select distinct p.id from places p cross join lateral app.met_by(p.subject_id, p.busy) m cross join known k
      where not m.deliberate and (m.appointment_id is null or m.appointment_id <> all (k.ids)) and (m.expires_at is null or m.expires_at > clock_timestamp())),
    met as materialized (
      select p.id, array_agg(x.id) as before from places p join places x on x.subject_id = p.subject_id and x.busy && p.busy
      where (x.starts_at, x.id) < (p.starts_at, p.id) group by p.id)
    select j.id, j.starts_at, j.stands, coalesce(j.said, false) as said,
      j.id in (select b.id from blocked b) as is_blocked, coalesce(m.before, '{}') as before
    from judged j left join met m on m.id = j.id order by j.starts_at, j.id
  loop
    if v_each.said then v_said := v_said || v_each.id;
    elsif v_each.is_blocked or v_each.before && v_inside then
      v_outside := v_outside || v_each.id;
      if v_each.id <> all (v_moved) and not v_each.stands then outdone := outdone || v_each.id; end if;
    else
      v_inside := v_inside || v_each.id;
      if v_each.stands then freed := freed || v_each.id; end if;
    end if;
  end loop;

  -- Those that name their resources first: the others take what these leave, and not what is taken by who comes back.
  perform set_config('app.claims', coalesce((select jsonb_agg(jsonb_build_array(o.resource_id, date_part('epoch', lower(o.busy)), date_part('epoch', upper(o.busy))))
      from public.occupancies o where o.company_id = app.company() and o.appointment_id = any (freed) and o.resource_id is not null)::text, ''), true),
    set_config('app.ignore_hours', 'true', true);
  for v_row in select r from jsonb_array_elements(p_rows) with ordinality x (r, n)
    where (r ->> 'moved')::boolean and r -> 'resources' <> '[]' and app.occupies(r ->> 'status')
    order by jsonb_path_exists(r -> 'resources', '$[*] ? (@.resourceId == null)'), n
  loop
    v_overlap := (v_row ->> 'id')::uuid <> all (v_inside);
    begin
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', v_overlap);
    exception when sqlstate 'CP400' then
      -- None is free: it shares one.
      if sqlerrm <> 'slot_taken' then raise; end if;
      v_outside := v_outside || (v_row ->> 'id')::uuid;
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', true);
    end;
    v_chosen := v_chosen || jsonb_build_object(v_row ->> 'id', jsonb_build_object('resources', v_resources));
  end loop;
  rows := (select jsonb_agg(r || coalesce(v_chosen -> (r ->> 'id'), '{}') || jsonb_build_object('allow_overlap', case
      when i.id = any (v_outside) then true
      when i.id = any (v_inside) then false
      else coalesce((r ->> 'allow_overlap')::boolean, false) end) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n), lateral (select (r ->> 'id')::uuid as id) i);
  found_over := v_outside;
  outdone := array(select x from unnest(outdone) x where x <> all (v_own));
  freed := array(select x from unnest(freed) x where x <> all (v_own));
end $$;

-- Of `p_judged` it is those in `p_found` that stand outside because an import found them there.
create function app.keep_overlaps(p_judged uuid[], p_found uuid[]) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  delete from public.overlaps_found f where f.company_id = app.company() and f.appointment_id = any (p_judged || p_found);
  insert into public.overlaps_found (company_id, appointment_id, version)
    select a.company_id, a.id, a.version from public.appointments a where a.company_id = app.company() and a.id = any (p_found) and a.allow_overlap;
end $$;
alter function app.judge_file(jsonb) owner to cp_definer;
alter function app.keep_overlaps(uuid[], uuid[]) owner to cp_definer;
do $$ begin
  set local role cp_definer;
  grant execute on function app.judge_file(jsonb), app.keep_overlaps(uuid[], uuid[]) to cp_app;
  set local role cp_owner;
end $$;

-- Takes rows in, each with another key, and answers how many were created, updated and left as they were. `version` is that of the
-- one they were made from, null for none; `history` comes behind the history that is there, `steps` are statuses on the way to this
-- one; `clock` is what their writer knows of zones (app.local_at), `moved` whether they are new or occupy another time.
create function app.take_appointments(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare
  k_actor constant text := coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user);
  v_rows jsonb; v_still boolean; v_is_known boolean; v_outdone uuid[] := '{}'; v_freed uuid[] := '{}'; v_found uuid[] := '{}'; v_moved uuid[] := '{}';
  v_before uuid[] := '{}'; v_created int; v_updated int := 0;
begin
  perform set_config('app.clock', coalesce(p_rows -> 0 ->> 'clock', ''), true);
  select jsonb_agg(r - 'clock' || jsonb_build_object('id', coalesce(a.id, (r ->> 'id')::uuid)) order by n),
      bool_and(a.version is not distinct from (r ->> 'version')::int), bool_or(a.version is not null)
    into v_rows, v_still, v_is_known from jsonb_array_elements(p_rows) with ordinality x (r, n)
      left join lateral (select a.id, a.version from public.appointments a where a.company_id = app.company() and a.external_id = r ->> 'key' offset 0) a on true;
  perform app.expect_still(v_still);
  if v_is_known then
    v_before := array(select f.appointment_id from jsonb_array_elements(v_rows) r join public.overlaps_found f
      on f.company_id = app.company() and f.appointment_id = (r ->> 'id')::uuid and f.version = (r ->> 'version')::int);
  end if;
  if jsonb_path_exists(v_rows, '$[*].moved ? (@ == true)') then
    v_moved := array(select (r ->> 'id')::uuid from jsonb_array_elements(v_rows) r where (r ->> 'moved')::boolean);
    select j.rows, j.outdone, j.freed, j.found_over into v_rows, v_outdone, v_freed, v_found from app.judge_file(v_rows) j;
    if v_outdone <> '{}' then
      update public.appointments a set allow_overlap = true where a.company_id = app.company() and a.id = any (v_outdone);
    end if;
  end if;

  if v_is_known then
    with given as materialized (
      select p.*, r -> 'history' || coalesce((
          select jsonb_agg(jsonb_build_object('status', s, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'by', k_actor, 'reason', case when n = jsonb_array_length(r -> 'steps') then r -> 'reason' end) order by n)
          from jsonb_array_elements(r -> 'steps') with ordinality x (s, n)), '[]') as told
      from jsonb_array_elements(v_rows) r, jsonb_populate_record(null::public.appointments, r || jsonb_build_object('status_reason', r -> 'reason')) p
      where r ->> 'version' is not null),
    differing as materialized (
      select g.* from given g, lateral (select a.* from public.appointments a where a.company_id = app.company() and a.id = g.id offset 0) a
      where (a.branch_id, a.client_id, a.services, a.resources, a.starts_at, a.time_zone, a.status, a.notes, a.price, a.allow_overlap)
        is distinct from (g.branch_id, g.client_id, g.services, g.resources, g.starts_at, g.time_zone, g.status, g.notes, g.price, g.allow_overlap)),
    changed as (
      update public.appointments a set branch_id = g.branch_id, client_id = g.client_id, services = g.services, resources = g.resources,
          starts_at = g.starts_at, time_zone = g.time_zone, status = g.status, status_reason = g.status_reason, status_history = a.status_history || g.told,
          notes = g.notes, price = g.price, allow_overlap = g.allow_overlap
        from differing g where a.company_id = app.company() and a.id = g.id
        returning old.version <> new.version as really)
    select count(*) into v_updated from changed where really;
  end if;

  insert into public.appointments (company_id, id, external_id, branch_id, client_id, services, resources, starts_at, time_zone, status, status_reason,
      status_history, notes, price, source, allow_overlap)
    select app.company(), p.id, r ->> 'key', p.branch_id, p.client_id, p.services, p.resources, p.starts_at, p.time_zone, p.status, r ->> 'reason',
      r -> 'history', p.notes, p.price, 'IMPORT', p.allow_overlap
    from jsonb_array_elements(v_rows) r, jsonb_populate_record(null::public.appointments, r) p where r ->> 'version' is null order by p.id;
  get diagnostics v_created = row_count;
  -- They come back once what they met has gone.
  if v_freed <> '{}' then
    update public.appointments a set allow_overlap = false where a.company_id = app.company() and a.id = any (v_freed);
  end if;
  v_found := v_found || array(select x from unnest(v_before) x where x <> all (v_moved));
  if v_freed || v_found || v_before <> '{}' then perform app.keep_overlaps(v_freed || v_before, v_found); end if;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;
grant execute on function app.take_appointments(jsonb) to cp_app;
