CREATE TABLE "resources" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"branch_id" uuid NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"working_hours" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "resources_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "resources_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
CREATE TABLE "offers" (
	"company_id" uuid NOT NULL,
	"service_id" uuid NOT NULL,
	"staff_id" uuid NOT NULL,
	"said_by" text NOT NULL,
	CONSTRAINT "offers_company_id_service_id_staff_id_said_by_pk" PRIMARY KEY("company_id","service_id","staff_id","said_by")
);
--> statement-breakpoint
CREATE TABLE "services" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"code" text,
	"category" text,
	"duration_minutes" integer NOT NULL,
	"buffer_before_minutes" integer DEFAULT 0 NOT NULL,
	"buffer_after_minutes" integer DEFAULT 0 NOT NULL,
	"processing" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"requires" text[] DEFAULT '{}' NOT NULL,
	"price" jsonb,
	"taxes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"staff" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"lead_time_minutes" integer,
	"horizon_days" integer,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "services_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "services_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
CREATE TABLE "staff" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"first_name" text,
	"last_name" text,
	"name" text GENERATED ALWAYS AS (trim(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))) STORED NOT NULL,
	"email" text,
	"user_id" uuid,
	"branch_ids" uuid[] DEFAULT '{}' NOT NULL,
	"service_ids" uuid[] DEFAULT '{}' NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"working_hours" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"color" text,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "staff_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "staff_external_id" UNIQUE("company_id","external_id"),
	CONSTRAINT "staff_user_id" UNIQUE("company_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "staff_branches" (
	"company_id" uuid NOT NULL,
	"staff_id" uuid NOT NULL,
	"branch_id" uuid NOT NULL,
	CONSTRAINT "staff_branches_company_id_staff_id_branch_id_pk" PRIMARY KEY("company_id","staff_id","branch_id")
);
--> statement-breakpoint
CREATE TABLE "time_off" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"staff_id" uuid,
	"resource_id" uuid,
	"starts_at" timestamp(3) with time zone NOT NULL,
	"ends_at" timestamp(3) with time zone NOT NULL,
	"reason" text,
	"source" text DEFAULT 'MANUAL' NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "time_off_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "time_off_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
ALTER TABLE "resources" ADD CONSTRAINT "resources_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "offers" ADD CONSTRAINT "offers_service" FOREIGN KEY ("company_id","service_id") REFERENCES "public"."services"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "offers" ADD CONSTRAINT "offers_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff" ADD CONSTRAINT "staff_user" FOREIGN KEY ("company_id","user_id") REFERENCES "public"."users"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff_branches" ADD CONSTRAINT "staff_branches_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff_branches" ADD CONSTRAINT "staff_branches_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "time_off" ADD CONSTRAINT "time_off_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "time_off" ADD CONSTRAINT "time_off_resource" FOREIGN KEY ("company_id","resource_id") REFERENCES "public"."resources"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "resources_of_kind" ON "resources" USING btree ("company_id","branch_id","kind","name","id");--> statement-breakpoint
CREATE INDEX "resources_created" ON "resources" USING btree ("company_id","is_active","created_at","id");--> statement-breakpoint
CREATE INDEX "resources_updated" ON "resources" USING btree ("company_id","is_active","updated_at","id");--> statement-breakpoint
CREATE INDEX "resources_name" ON "resources" USING btree ("company_id","is_active","name","id");--> statement-breakpoint
CREATE INDEX "offers_of_staff" ON "offers" USING btree ("company_id","staff_id","service_id");--> statement-breakpoint
CREATE INDEX "services_created" ON "services" USING btree ("company_id","is_active","created_at","id");--> statement-breakpoint
CREATE INDEX "services_updated" ON "services" USING btree ("company_id","is_active","updated_at","id");--> statement-breakpoint
CREATE INDEX "services_name" ON "services" USING btree ("company_id","is_active","name","id");--> statement-breakpoint
CREATE INDEX "staff_created" ON "staff" USING btree ("company_id","is_active","created_at","id");--> statement-breakpoint
CREATE INDEX "staff_updated" ON "staff" USING btree ("company_id","is_active","updated_at","id");--> statement-breakpoint
CREATE INDEX "staff_name" ON "staff" USING btree ("company_id","is_active","name","id");--> statement-breakpoint
CREATE INDEX "staff_last_name" ON "staff" USING btree ("company_id","is_active","last_name","id");--> statement-breakpoint
CREATE INDEX "staff_branches_of_branch" ON "staff_branches" USING btree ("company_id","branch_id","staff_id");--> statement-breakpoint
CREATE INDEX "time_off_staff_starts" ON "time_off" USING btree ("company_id","staff_id","starts_at","id");--> statement-breakpoint
CREATE INDEX "time_off_staff_created" ON "time_off" USING btree ("company_id","staff_id","created_at","id");--> statement-breakpoint
CREATE INDEX "time_off_resource_starts" ON "time_off" USING btree ("company_id","resource_id","starts_at","id");--> statement-breakpoint
CREATE INDEX "time_off_resource_created" ON "time_off" USING btree ("company_id","resource_id","created_at","id");