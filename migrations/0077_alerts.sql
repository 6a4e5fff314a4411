CREATE TABLE "alert_secrets" (
	"company_id" uuid NOT NULL,
	"alert_id" uuid NOT NULL,
	"secret" text NOT NULL,
	CONSTRAINT "alert_secrets_company_id_alert_id_pk" PRIMARY KEY("company_id","alert_id")
);
--> statement-breakpoint
CREATE TABLE "alerts" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"metric" text NOT NULL,
	"comparison" text NOT NULL,
	"threshold" double precision NOT NULL,
	"hysteresis" double precision DEFAULT 0 NOT NULL,
	"for_minutes" integer DEFAULT 1 NOT NULL,
	"url" text NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"state" text DEFAULT 'OK' NOT NULL,
	"state_since" timestamp(3) with time zone,
	"last_value" double precision,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "alerts_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "alerts_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
ALTER TABLE "alert_secrets" ADD CONSTRAINT "alert_secrets_company_id_alert_id_alerts_company_id_id_fk" FOREIGN KEY ("company_id","alert_id") REFERENCES "public"."alerts"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alerts_created" ON "alerts" USING btree ("company_id","is_active","created_at","id") INCLUDE ("updated_at");--> statement-breakpoint
CREATE INDEX "alerts_updated" ON "alerts" USING btree ("company_id","is_active","updated_at","id") INCLUDE ("created_at");
--> statement-breakpoint
-- When a company wants to hear of a figure; what signs its messages is no document, and takes no revision.
select app.add_resource('alerts', 'alert');
alter table alert_secrets add foreign key (company_id) references companies;
insert into app.tenant_tables (table_name, grants) values ('alert_secrets', 'select, insert');
grant select on alerts, alert_secrets to cp_definer;

-- The active rules of all companies, for the monitor, which looks at them each minute. The oldest first.
create function app.alert_rules(p_most int) returns setof jsonb language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('id', a.id, 'companyId', a.company_id, 'name', a.name, 'metric', a.metric, 'comparison', a.comparison,
      'threshold', a.threshold, 'hysteresis', a.hysteresis, 'forMinutes', a.for_minutes, 'url', a.url, 'secret', s.secret, 'state', a.state)
    from public.alerts a join public.alert_secrets s on s.company_id = a.company_id and s.alert_id = a.id
    where a.is_active order by a.created_at, a.id limit p_most
$$;
grant execute on function app.alert_rules(int) to cp_jobs;
alter function app.alert_rules(int) owner to cp_definer;
