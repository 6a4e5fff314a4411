-- A branch whose zone changes. When an appointment is, is an instant and stays; what the wall clock shows of it follows the branch's
-- new clock from the day before the change on (of UTC, so that a zone that was a mistake is undone by the one before). What was earlier
-- stays as it was told, as the days of invoices and payments do.

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
