CREATE TABLE "calendars" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"staff_id" uuid,
	"branch_id" uuid,
	"hash" "bytea" NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "calendars_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "calendars_of_staff" UNIQUE("company_id","staff_id"),
	CONSTRAINT "calendars_of_branch" UNIQUE("company_id","branch_id")
);
--> statement-breakpoint
ALTER TABLE "calendars" ADD CONSTRAINT "calendars_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calendars" ADD CONSTRAINT "calendars_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
-- Secret addresses of calendars: one per staff member and branch. Another one is another row, so the log says that, and not which.
alter table calendars
  add foreign key (company_id) references companies,
  add constraint calendars_owner check (num_nonnulls(staff_id, branch_id) = 1),
  add constraint calendars_hash check (octet_length(hash) = 32);
insert into app.tenant_tables (table_name, entity, hidden, grants) values ('calendars', 'calendar', '{hash}', 'select, insert, delete');
