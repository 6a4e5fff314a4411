-- A branch whose zone changes. When an appointment is, is an instant and stays; what the wall clock shows of it follows the branch's
-- new clock from the day before the change on (of UTC, so that a zone that was a mistake is undone by the one before). What was earlier
-- stays as it was told, as the days of invoices and payments do.

-- As in 0059; what another clock tells of an appointment keeps busy whom it did.
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
  -- From where the visit begins on, so that its parts are never at odds with it.
  insert into public.appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
    select n.company_id, n.id, k, (p ->> 'serviceId')::uuid, (p ->> 'staffId')::uuid, l.t::date, l.t::time
    from new_rows n, lateral (select app.local_at(n.time_zone, n.starts_at) as t) b,
      jsonb_array_elements(n.services) with ordinality x (p, k),
      lateral (select n.local_date + n.local_start
        + (app.local_at(n.time_zone, n.starts_at + make_interval(mins => (p ->> 'startOffsetMinutes')::int)) - b.t)) l (t)
    where n.id = any (coalesce(v_told, v_moved));
  select jsonb_agg(jsonb_build_object('companyId', n.company_id, 'appointmentId', n.id, 'startsAt', n.starts_at, 'services', n.services,
      'resources', n.resources, 'deliberate', n.allow_overlap)) into v_rows
    from new_rows n where n.id = any (v_moved) and app.occupies(n.status);
  if v_rows is not null then perform app.occupy(v_rows); end if;
  return null;
end $$;
set local role cp_owner;

-- After the log's triggers of the same statement, by its name. Holds live for minutes and are always to come. Of the application
-- so many at once as can be told within a statement's time, each being a revision; a console has the time it takes.
create function app.retell_branch() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_most constant int := 3000;
  k_from constant timestamptz := date_trunc('day', now(), 'UTC') - interval '1 day';
  v_told int;
begin
  if not exists (select from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id where n.time_zone <> o.time_zone) then return null; end if;
  if session_user = 'cp_app' then
    select count(*) into v_told from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
      join public.appointments a on a.company_id = n.company_id and a.branch_id = n.id
      where n.time_zone <> o.time_zone and a.local_date >= (k_from at time zone 'UTC')::date - 1 and a.starts_at >= k_from;
    perform app.refuse(v_told > k_most, 'conflict', jsonb_build_object('pointer', '/timeZone',
      'detail', format('%s appointments from yesterday on are told by its clock, and at most %s can be told anew at once.', v_told, k_most)));
  end if;
  update public.appointments a set time_zone = n.time_zone from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
    where n.time_zone <> o.time_zone and a.company_id = n.company_id and a.branch_id = n.id
      and a.local_date >= (k_from at time zone 'UTC')::date - 1 and a.starts_at >= k_from;
  update public.holds h set time_zone = n.time_zone from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
    where n.time_zone <> o.time_zone and h.company_id = n.company_id and h.branch_id = n.id;
  return null;
end $$;
alter function app.retell_branch() owner to cp_definer;
set local role cp_definer;
grant execute on function app.retell_branch() to cp_owner;
set local role cp_owner;
create trigger retell_update after update on branches referencing old table as old_rows new table as new_rows
  for each statement execute function app.retell_branch();
