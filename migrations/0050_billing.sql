CREATE TABLE "invoice_lines" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"invoice_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"staff_id" uuid,
	"service_id" uuid,
	"appointment_id" uuid,
	"quantity" integer NOT NULL,
	"net" bigint NOT NULL,
	"tax" bigint NOT NULL,
	"total" bigint NOT NULL,
	"taxes" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"branch_id" uuid NOT NULL,
	"client_id" uuid,
	"kind" text DEFAULT 'INVOICE' NOT NULL,
	"status" text DEFAULT 'DRAFT' NOT NULL,
	"series" text DEFAULT 'INVOICE' NOT NULL,
	"number" text,
	"sequence" integer,
	"issue_date" date,
	"due_date" date,
	"currency" char(3) NOT NULL,
	"tax_inclusive" boolean NOT NULL,
	"lines" jsonb NOT NULL,
	"discount" bigint DEFAULT 0 NOT NULL,
	"subtotal" bigint NOT NULL,
	"discount_total" bigint NOT NULL,
	"tax" bigint NOT NULL,
	"total" bigint NOT NULL,
	"paid" bigint DEFAULT 0 NOT NULL,
	"refunded" bigint DEFAULT 0 NOT NULL,
	"balance" bigint GENERATED ALWAYS AS (total - paid + refunded) STORED NOT NULL,
	"payment_status" text GENERATED ALWAYS AS (case when paid > 0 and refunded = paid then 'REFUNDED' when status = 'PAID' and paid - refunded >= total then 'PAID' when refunded > 0 then 'PARTIALLY_REFUNDED' when paid > 0 then 'PARTIALLY_PAID' else 'UNPAID' end) STORED NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "invoices_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "invoices_currency" UNIQUE("company_id","id","currency"),
	CONSTRAINT "invoices_external_id" UNIQUE("company_id","external_id"),
	CONSTRAINT "invoices_sequence" UNIQUE("company_id","branch_id","series","sequence")
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"invoice_id" uuid,
	"client_id" uuid,
	"branch_id" uuid NOT NULL,
	"business_date" date NOT NULL,
	"amount" bigint NOT NULL,
	"currency" char(3) NOT NULL,
	"status" text DEFAULT 'SUCCEEDED' NOT NULL,
	"method" text NOT NULL,
	"reference" text,
	"paid_at" timestamp(3) with time zone NOT NULL,
	"refunded" bigint DEFAULT 0 NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "payments_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "payments_currency" UNIQUE("company_id","id","currency"),
	CONSTRAINT "payments_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
CREATE TABLE "refunds" (
	"company_id" uuid NOT NULL,
	"id" uuid PRIMARY KEY NOT NULL,
	"payment_id" uuid NOT NULL,
	"branch_id" uuid NOT NULL,
	"business_date" date NOT NULL,
	"amount" bigint NOT NULL,
	"currency" char(3) NOT NULL,
	"status" text DEFAULT 'SUCCEEDED' NOT NULL,
	"reason" text,
	"refunded_at" timestamp(3) with time zone NOT NULL,
	"external_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "refunds_company_id" UNIQUE("company_id","id"),
	CONSTRAINT "refunds_external_id" UNIQUE("company_id","external_id")
);
--> statement-breakpoint
ALTER TABLE "companies" ADD COLUMN "prices_include_tax" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "invoice_lines_invoice" ON "invoice_lines" USING btree ("company_id","invoice_id");--> statement-breakpoint
CREATE INDEX "invoice_lines_staff" ON "invoice_lines" USING btree ("company_id","staff_id");--> statement-breakpoint
CREATE INDEX "invoice_lines_service" ON "invoice_lines" USING btree ("company_id","service_id");--> statement-breakpoint
CREATE INDEX "invoice_lines_appointment" ON "invoice_lines" USING btree ("company_id","appointment_id");--> statement-breakpoint
CREATE INDEX "invoices_created" ON "invoices" USING btree ("company_id","status","created_at","id");--> statement-breakpoint
CREATE INDEX "invoices_updated" ON "invoices" USING btree ("company_id","status","updated_at","id");--> statement-breakpoint
CREATE INDEX "invoices_issued" ON "invoices" USING btree ("company_id","status","issue_date","id");--> statement-breakpoint
CREATE INDEX "invoices_due" ON "invoices" USING btree ("company_id","status","due_date","id");--> statement-breakpoint
CREATE INDEX "invoices_client" ON "invoices" USING btree ("company_id","client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "invoices_branch" ON "invoices" USING btree ("company_id","branch_id","issue_date","id");--> statement-breakpoint
CREATE INDEX "invoices_payment_status" ON "invoices" USING btree ("company_id","payment_status","created_at","id");--> statement-breakpoint
CREATE INDEX "invoices_number" ON "invoices" USING btree ("company_id","number");--> statement-breakpoint
CREATE INDEX "invoices_overdue" ON "invoices" USING btree ("company_id","due_date","id") WHERE status = 'OPEN' and balance > 0;--> statement-breakpoint
CREATE INDEX "payments_created" ON "payments" USING btree ("company_id","created_at","id");--> statement-breakpoint
CREATE INDEX "payments_updated" ON "payments" USING btree ("company_id","updated_at","id");--> statement-breakpoint
CREATE INDEX "payments_paid" ON "payments" USING btree ("company_id","paid_at","id");--> statement-breakpoint
CREATE INDEX "payments_invoice" ON "payments" USING btree ("company_id","invoice_id","created_at","id");--> statement-breakpoint
CREATE INDEX "payments_client" ON "payments" USING btree ("company_id","client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "payments_branch" ON "payments" USING btree ("company_id","branch_id","business_date","id");--> statement-breakpoint
CREATE INDEX "refunds_created" ON "refunds" USING btree ("company_id","created_at","id");--> statement-breakpoint
CREATE INDEX "refunds_payment" ON "refunds" USING btree ("company_id","payment_id","created_at","id");--> statement-breakpoint
CREATE INDEX "refunds_branch" ON "refunds" USING btree ("company_id","branch_id","business_date","id");--> statement-breakpoint
ALTER TABLE "companies" ADD CONSTRAINT "companies_currency" UNIQUE("id","currency");