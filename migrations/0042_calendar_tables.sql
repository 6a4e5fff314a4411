CREATE TABLE "appointment_parts" (
	"company_id" uuid NOT NULL,
	"appointment_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"service_id" uuid NOT NULL,
	"staff_id" uuid NOT NULL,
	"local_date" date NOT NULL,
	"local_start" time NOT NULL,
	CONSTRAINT "appointment_parts_company_id_appointment_id_position_pk" PRIMARY KEY("company_id","appointment_id","position")
);
--> statement-breakpoint
CREATE TABLE "appointments" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"branch_id" uuid NOT NULL,
	"client_id" uuid,
	"series_id" uuid,
	"original_start" timestamp(0),
	"hold_id" uuid,
	"services" jsonb NOT NULL,
	"resources" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"starts_at" timestamp(3) with time zone NOT NULL,
	"ends_at" timestamp(3) with time zone NOT NULL,
	"time_zone" text NOT NULL,
	"local_date" date GENERATED ALWAYS AS ((starts_at at time zone time_zone)::date) STORED NOT NULL,
	"local_start" time GENERATED ALWAYS AS ((starts_at at time zone time_zone)::time) STORED NOT NULL,
	"staff_id" uuid GENERATED ALWAYS AS ((services -> 0 ->> 'staffId')::uuid) STORED,
	"status" text DEFAULT 'PENDING' NOT NULL,
	"status_reason" text,
	"status_history" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"notes" text,
	"price" jsonb,
	"source" text DEFAULT 'STAFF' NOT NULL,
	"allow_overlap" boolean DEFAULT false NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "appointments_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "appointments_external_id" UNIQUE("company_id","external_id"),
	CONSTRAINT "appointments_occurrence" UNIQUE("company_id","series_id","original_start")
);
--> statement-breakpoint
CREATE TABLE "holds" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"branch_id" uuid NOT NULL,
	"client_id" uuid,
	"services" jsonb NOT NULL,
	"resources" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"starts_at" timestamp(3) with time zone NOT NULL,
	"ends_at" timestamp(3) with time zone NOT NULL,
	"time_zone" text NOT NULL,
	"purpose" text DEFAULT 'BOOKING' NOT NULL,
	"expires_at" timestamp(3) with time zone DEFAULT clock_timestamp() + interval '5 minutes' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "holds_company_id" UNIQUE("company_id","id")
);
--> statement-breakpoint
CREATE TABLE "occupancies" (
	"company_id" uuid NOT NULL,
	"appointment_id" uuid,
	"hold_id" uuid,
	"staff_id" uuid,
	"resource_id" uuid,
	"subject_id" uuid GENERATED ALWAYS AS (coalesce(staff_id, resource_id)) STORED,
	"busy" "tstzmultirange" NOT NULL,
	"deliberate" boolean DEFAULT false NOT NULL,
	"expires_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "series" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"branch_id" uuid NOT NULL,
	"client_id" uuid,
	"rrule" text NOT NULL,
	"local_start" timestamp(0) NOT NULL,
	"time_zone" text NOT NULL,
	"services" jsonb NOT NULL,
	"notes" text,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "series_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "series_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
ALTER TABLE "appointment_parts" ADD CONSTRAINT "appointment_parts_appointment" FOREIGN KEY ("company_id","appointment_id") REFERENCES "public"."appointments"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "appointment_parts" ADD CONSTRAINT "appointment_parts_service" FOREIGN KEY ("company_id","service_id") REFERENCES "public"."services"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "appointment_parts" ADD CONSTRAINT "appointment_parts_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_client" FOREIGN KEY ("company_id","client_id") REFERENCES "public"."clients"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_series" FOREIGN KEY ("company_id","series_id") REFERENCES "public"."series"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_client" FOREIGN KEY ("company_id","client_id") REFERENCES "public"."clients"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "occupancies" ADD CONSTRAINT "occupancies_appointment" FOREIGN KEY ("company_id","appointment_id") REFERENCES "public"."appointments"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "occupancies" ADD CONSTRAINT "occupancies_hold" FOREIGN KEY ("company_id","hold_id") REFERENCES "public"."holds"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "occupancies" ADD CONSTRAINT "occupancies_staff" FOREIGN KEY ("company_id","staff_id") REFERENCES "public"."staff"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "occupancies" ADD CONSTRAINT "occupancies_resource" FOREIGN KEY ("company_id","resource_id") REFERENCES "public"."resources"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "series" ADD CONSTRAINT "series_branch" FOREIGN KEY ("company_id","branch_id") REFERENCES "public"."branches"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "series" ADD CONSTRAINT "series_client" FOREIGN KEY ("company_id","client_id") REFERENCES "public"."clients"("company_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "appointment_parts_staff_day" ON "appointment_parts" USING btree ("company_id","staff_id","local_date","local_start");--> statement-breakpoint
CREATE INDEX "appointment_parts_service_day" ON "appointment_parts" USING btree ("company_id","service_id","local_date");--> statement-breakpoint
CREATE INDEX "appointments_branch_day" ON "appointments" USING btree ("company_id","branch_id","local_date","status");--> statement-breakpoint
CREATE INDEX "appointments_day" ON "appointments" USING btree ("company_id","local_date","status","branch_id");--> statement-breakpoint
CREATE INDEX "appointments_client_created" ON "appointments" USING btree ("company_id","client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "appointments_client_starts" ON "appointments" USING btree ("company_id","client_id","starts_at","id");--> statement-breakpoint
CREATE INDEX "appointments_created" ON "appointments" USING btree ("company_id","status","created_at","id");--> statement-breakpoint
CREATE INDEX "appointments_updated" ON "appointments" USING btree ("company_id","status","updated_at","id");--> statement-breakpoint
CREATE INDEX "appointments_starts" ON "appointments" USING btree ("company_id","status","starts_at","id");--> statement-breakpoint
CREATE INDEX "holds_created" ON "holds" USING btree ("company_id","created_at","id");--> statement-breakpoint
CREATE INDEX "holds_of_client" ON "holds" USING btree ("company_id","client_id");--> statement-breakpoint
CREATE INDEX "holds_expiry" ON "holds" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "occupancies_of_appointment" ON "occupancies" USING btree ("company_id","appointment_id") WHERE appointment_id is not null;--> statement-breakpoint
CREATE INDEX "occupancies_of_hold" ON "occupancies" USING btree ("company_id","hold_id") WHERE hold_id is not null;--> statement-breakpoint
CREATE INDEX "occupancies_expiry" ON "occupancies" USING btree ("company_id","expires_at") WHERE expires_at is not null;--> statement-breakpoint
CREATE INDEX "series_created" ON "series" USING btree ("company_id","created_at","id");--> statement-breakpoint
CREATE INDEX "series_updated" ON "series" USING btree ("company_id","updated_at","id");--> statement-breakpoint
CREATE INDEX "series_of_client" ON "series" USING btree ("company_id","client_id");