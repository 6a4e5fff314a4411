CREATE TABLE "webhook_states" (
	"company_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"secret" text NOT NULL,
	"previous_secret" text,
	"previous_until" timestamp(3) with time zone,
	"generation" integer DEFAULT 0 NOT NULL,
	"epoch" uuid NOT NULL,
	"revision" bigint NOT NULL,
	"kept_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"waits_until" timestamp(3) with time zone,
	CONSTRAINT "webhook_states_company_id_webhook_id_pk" PRIMARY KEY("company_id","webhook_id")
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"types" text[],
	"description" text,
	"is_active" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"disabled_at" timestamp(3) with time zone,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "webhooks_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "webhooks_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
ALTER TABLE "webhook_states" ADD CONSTRAINT "webhook_states_company_id_webhook_id_webhooks_company_id_id_fk" FOREIGN KEY ("company_id","webhook_id") REFERENCES "public"."webhooks"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "webhooks_created" ON "webhooks" USING btree ("company_id","is_active","created_at","id");--> statement-breakpoint
CREATE INDEX "webhooks_updated" ON "webhooks" USING btree ("company_id","is_active","updated_at","id");
--> statement-breakpoint
-- Whom changes are sent to, and how far each has come: the second is no document, and takes no revision.
select app.add_resource('webhooks', 'webhook');
alter table webhook_states add foreign key (company_id) references companies;
insert into app.tenant_tables (table_name, grants) values ('webhook_states', 'select, insert, update');
grant select on webhooks, webhook_states to cp_definer;

-- Companies whose log has gone on beyond where somebody who follows it was when that was last written down, and who neither
-- wait nor have written it down within two minutes: their dispatcher should be called. Those that have waited longest first.
create function app.lagging_followers(p_most int) returns table (company_id uuid) language sql stable security definer set search_path = '' as $$
  select s.company_id from public.webhook_states s
    join public.webhooks w on w.company_id = s.company_id and w.id = s.webhook_id
    join public.company_heads h on h.company_id = s.company_id
    where w.is_active and (s.epoch <> h.epoch or s.revision < h.revision)
      and coalesce(s.waits_until, s.kept_at + interval '2 minutes') < clock_timestamp()
    group by s.company_id order by min(s.kept_at) limit p_most
$$;
grant execute on function app.lagging_followers(int) to cp_jobs;
alter function app.lagging_followers(int) owner to cp_definer;
