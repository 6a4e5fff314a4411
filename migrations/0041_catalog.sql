-- Staff, services, resources and time off: walls, log, rules, and the rows that hold their references.
alter table staff add foreign key (company_id) references companies;
alter table services add foreign key (company_id) references companies;
alter table resources add foreign key (company_id) references companies;
alter table time_off add foreign key (company_id) references companies;

-- Whether each list of processing lies within the duration, in order and apart: the staff member is there before, between
-- and after. False for what is no such list.
create function app.processing_fits(p_processing jsonb, p_duration int) returns boolean language plpgsql immutable parallel safe set search_path = '' as $$
declare p jsonb; v_end int := 0;
begin
  for p in select * from jsonb_array_elements(p_processing) loop
    if (p ->> 'afterMinutes')::int < v_end or (p ->> 'minutes')::int <= 0 then return false; end if;
    v_end := (p ->> 'afterMinutes')::int + (p ->> 'minutes')::int;
  end loop;
  return coalesce(v_end <= p_duration, false);
exception when data_exception then return false;
end $$;

-- Whether hours name none but these branches.
create function app.hours_within(p_hours jsonb, p_branches uuid[]) returns boolean language sql immutable parallel safe set search_path = '' as $$
  select not exists (select from jsonb_array_elements(p_hours) h where h ->> 'branchId' is not null and (h ->> 'branchId')::uuid <> all (p_branches))
$$;
grant execute on function app.processing_fits(jsonb, int), app.hours_within(jsonb, uuid[]) to cp_app, cp_definer;

alter table staff
  add constraint staff_named check (coalesce(first_name, last_name) is not null),
  add constraint staff_hours_branches check (app.hours_within(working_hours, branch_ids));
alter table services
  add constraint services_duration check (duration_minutes between 1 and 1440),
  add constraint services_buffers check (buffer_before_minutes between 0 and 1440 and buffer_after_minutes between 0 and 1440),
  add constraint services_processing check (app.processing_fits(processing, duration_minutes)),
  add constraint services_lead_time check (lead_time_minutes >= 0),
  add constraint services_horizon check (horizon_days >= 0);
alter table time_off
  add constraint time_off_owner check (num_nonnulls(staff_id, resource_id) = 1),
  add constraint time_off_ends check (ends_at > starts_at);
-- Who is away in a span of time, whatever lies before it.
create index time_off_span on time_off using gist (company_id, coalesce(staff_id, resource_id), tstzrange(starts_at, ends_at));

insert into app.tenant_tables (table_name, entity, grants) values
  ('staff', 'staff', 'select, insert, update'),
  ('services', 'service', 'select, insert, update'),
  ('resources', 'resource', 'select, insert, update'),
  ('time_off', 'time-off', 'select, insert, update, delete'),
  ('staff_branches', null, 'select'),
  ('offers', null, 'select');
grant select, insert, delete on staff_branches, offers to cp_definer;
grant select on staff, services, resources, time_off, branches to cp_definer;

-- The lists of references as rows with foreign keys: an id of nobody, or of another company, is refused.
create function app.keep_staff() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from public.staff_branches b where b.company_id = old.company_id and b.staff_id = old.id and b.branch_id <> all (new.branch_ids);
    delete from public.offers o where o.company_id = old.company_id and o.staff_id = old.id and o.said_by = 'staff' and o.service_id <> all (new.service_ids);
  end if;
  insert into public.staff_branches (company_id, staff_id, branch_id)
    select new.company_id, new.id, b from unnest(new.branch_ids) b on conflict do nothing;
  insert into public.offers (company_id, service_id, staff_id, said_by)
    select new.company_id, s, new.id, 'staff' from unnest(new.service_ids) s on conflict do nothing;
  return null;
end $$;
create trigger keep_staff after insert or update of branch_ids, service_ids on staff for each row execute function app.keep_staff();

create function app.keep_service() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_staff uuid[] := array(select (t ->> 'staffId')::uuid from jsonb_array_elements(new.staff) t);
begin
  if tg_op = 'UPDATE' then
    delete from public.offers o where o.company_id = old.company_id and o.service_id = old.id and o.said_by = 'service' and o.staff_id <> all (v_staff);
  end if;
  insert into public.offers (company_id, service_id, staff_id, said_by)
    select new.company_id, new.id, s, 'service' from unnest(v_staff) s on conflict do nothing;
  return null;
end $$;
create trigger keep_service after insert or update of staff on services for each row execute function app.keep_service();

do $$
declare f regprocedure;
begin
  foreach f in array array['app.keep_staff()', 'app.keep_service()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;
select app.secure_tables();
