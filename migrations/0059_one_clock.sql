-- Local time has one source: whoever plans a booking says what they know of its zone (src/calendar/clock.ts), and what is stored
-- follows from that. A row that is written without (a console, a file) is in Postgres' own zones.

-- What the wall clock of a zone shows: by the offsets that this transaction was told, {zone: [[from minute or null, offset], …]}
-- in order, else by Postgres.
create function app.local_at(p_zone text, p_at timestamptz) returns timestamp language plpgsql stable parallel safe set search_path = '' as $$
declare
  v_known constant jsonb := nullif(current_setting('app.clock', true), '')::jsonb -> p_zone;
  k_minute constant bigint := floor(extract(epoch from p_at) / 60);
  v_offset int;
begin
  if v_known is null then return p_at at time zone p_zone; end if;
  select (o ->> 1)::int into v_offset from jsonb_array_elements(v_known) with ordinality x (o, n)
    where o ->> 0 is null or (o ->> 0)::bigint <= k_minute order by n desc limit 1;
  return (p_at at time zone 'UTC') + make_interval(mins => v_offset);
end $$;
grant execute on function app.local_at(text, timestamptz) to cp_app, cp_definer;

alter table appointments alter column local_date drop expression, alter column local_start drop expression;

-- After `arrange` and before `touch`, by its name.
create function app.keep_clock() returns trigger language plpgsql set search_path = '' as $$
declare v_local timestamp;
begin
  if tg_op = 'UPDATE' and (new.starts_at, new.time_zone) is not distinct from (old.starts_at, old.time_zone) then
    new.local_date := old.local_date;
    new.local_start := old.local_start;
    return new;
  end if;
  v_local := app.local_at(new.time_zone, new.starts_at);
  new.local_date := v_local::date;
  new.local_start := v_local::time;
  return new;
end $$;
create trigger keep_clock before insert or update on appointments for each row execute function app.keep_clock();

-- As in 0043, by that clock.
create or replace function app.open_throughout(p_hours jsonb, p_zone text, p_from timestamptz, p_to timestamptz) returns boolean
language sql stable parallel safe set search_path = '' as $$
  select p_hours = '[]' or coalesce((
    select range_agg(tsrange(d + (h ->> 'start')::time, d + (h ->> 'end')::time)) @> tsrange(min(c.opens), min(c.closes))
    from (select app.local_at(p_zone, p_from) as opens, app.local_at(p_zone, p_to) as closes) c,
      generate_series(c.opens::date, c.closes::date, interval '1 day') x (day),
      lateral (select x.day::date as d) y, jsonb_array_elements(p_hours) h
    where (h ->> 'weekday')::int = extract(isodow from d) and d between coalesce((h ->> 'validFrom')::date, d) and coalesce((h ->> 'validTo')::date, d)), false)
$$;

set local role cp_definer;
create or replace function app.project_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
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
  -- From where the visit begins on, so that its parts are never at odds with it.
  insert into public.appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
    select n.company_id, n.id, k, (p ->> 'serviceId')::uuid, (p ->> 'staffId')::uuid, l.t::date, l.t::time
    from new_rows n, lateral (select app.local_at(n.time_zone, n.starts_at) as t) b,
      jsonb_array_elements(n.services) with ordinality x (p, k),
      lateral (select n.local_date + n.local_start
        + (app.local_at(n.time_zone, n.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) - b.t)) l (t)
    where n.id = any (v_moved);
  select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'appointmentId', n.id, 'startsAt', n.starts_at, 'services', n.services,
      'resources', n.resources, 'deliberate', n.allow_overlap)) into v_rows
    from new_rows n where n.id = any (v_moved) and app.occupies(n.status);
  if v_rows is not null then perform app.occupy(v_rows); end if;
  return null;
end $$;
set local role cp_owner;
