CREATE TABLE "calendar_secrets" (
	"company_id" uuid NOT NULL,
	"calendar_id" uuid PRIMARY KEY NOT NULL,
	"hash" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "calendars" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"staff_id" uuid,
	"branch_id" uuid,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "calendars_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "calendars_of_staff" UNIQUE("company_id","staff_id"),
	CONSTRAINT "calendars_of_branch" UNIQUE("company_id","branch_id")
);
--> statement-breakpoint
ALTER TABLE "calendar_secrets" ADD CONSTRAINT "calendar_secrets_calendar" FOREIGN KEY ("company_id","calendar_id") REFERENCES "public"."calendars"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calendars" ADD CONSTRAINT "calendars_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calendars" ADD CONSTRAINT "calendars_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
-- Secret addresses of calendars: one per staff member and branch. Another one is another row, so the log says that, and not which.
alter table calendars
  add foreign key (company_id) references companies,
  add constraint calendars_owner check (num_nonnulls(staff_id, branch_id) = 1);
alter table calendar_secrets add constraint calendar_secrets_hash check (octet_length(hash) = 32);
insert into app.tenant_tables (table_name, entity, grants) values
  ('calendars', 'calendar', 'select, insert, delete'),
  ('calendar_secrets', null, null);
grant select, insert on calendar_secrets to cp_definer;

create function app.keep_calendar_hash(p_calendar uuid, p_hash bytea) returns void language plpgsql security definer set search_path = '' as $$
begin
  perform app.require_write();
  insert into public.calendar_secrets (company_id, calendar_id, hash) values (app.company(), p_calendar, p_hash);
end $$;
create function app.calendar_hash(p_calendar uuid) returns bytea language sql stable security definer set search_path = ''
  as $$ select s.hash from public.calendar_secrets s where s.company_id = app.company() and s.calendar_id = p_calendar $$;
grant execute on function app.keep_calendar_hash(uuid, bytea), app.calendar_hash(uuid) to cp_app;
alter function app.keep_calendar_hash(uuid, bytea) owner to cp_definer;
alter function app.calendar_hash(uuid) owner to cp_definer;
