-- Who does appointments as rows, with all that lists of appointments sort and filter by: a page of one staff member's in the order of
-- creation is a walk there, one in another order sorts the hits of its index, and a count looks at no appointment (src/data/narrow.ts).
-- The parts have a row for each piece of work and know neither status nor sorts.
CREATE TABLE "appointment_staff" (
	"company_id" uuid NOT NULL,
	"appointment_id" uuid NOT NULL,
	"staff_id" uuid NOT NULL,
	"status" text NOT NULL,
	"branch_id" uuid NOT NULL,
	"client_id" uuid,
	"series_id" uuid,
	"starts_at" timestamp(3) with time zone NOT NULL,
	"local_date" date NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"updated_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "appointment_staff_company_id_appointment_id_staff_id_pk" PRIMARY KEY("company_id","appointment_id","staff_id")
);
--> statement-breakpoint
ALTER TABLE "appointment_staff" ADD CONSTRAINT "appointment_staff_appointment" FOREIGN KEY ("company_id","appointment_id") REFERENCES "public"."appointments"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
insert into app.tenant_tables (table_name, entity, grants) values ('appointment_staff', null, 'select');
grant select, insert, update, delete on appointment_staff to cp_definer;

insert into appointment_staff (company_id, appointment_id, staff_id, status, branch_id, client_id, series_id, starts_at, local_date, created_at, updated_at)
  select distinct a.company_id, a.id, (p ->> 'staffId')::uuid, a.status, a.branch_id, a.client_id, a.series_id, a.starts_at, a.local_date, a.created_at, a.updated_at
  from appointments a, jsonb_array_elements(a.services) p;
create index appointment_staff_created on appointment_staff (company_id, staff_id, status, created_at, appointment_id)
  include (updated_at, starts_at, branch_id, client_id, series_id, local_date);

-- Runs after the log's triggers of the same statement, by its name, and so behind the head's lock.
create function app.keep_appointment_staff() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_staffed uuid[];
begin
  if tg_op = 'INSERT' then
    v_staffed := array(select n.id from new_rows n);
  else
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
    select distinct n.company_id, n.id, (p ->> 'staffId')::uuid, n.status, n.branch_id, n.client_id, n.series_id, n.starts_at, n.local_date, n.created_at, n.updated_at
    from new_rows n, jsonb_array_elements(n.services) p where n.id = any (v_staffed)
    on conflict (company_id, appointment_id, staff_id) do nothing;
  return null;
end $$;
alter function app.keep_appointment_staff() owner to cp_definer;
set local role cp_definer;
grant execute on function app.keep_appointment_staff() to cp_owner;
set local role cp_owner;
create trigger staff_insert after insert on appointments referencing new table as new_rows
  for each statement execute function app.keep_appointment_staff();
create trigger staff_update after update on appointments referencing old table as old_rows new table as new_rows
  for each statement execute function app.keep_appointment_staff();
select app.secure_tables();
