import { type SQL, sql } from 'drizzle-orm';
import { bigint, boolean, char, date, index, integer, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, tenantKey } from '../../data/columns.ts';
import type { Tax } from '../totals.ts';

export const INVOICE_STATUSES = ['DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE'] as const;
export const PAYMENT_STATUSES = ['UNPAID', 'PARTIALLY_PAID', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED'] as const;
export const LINE_KINDS = ['SERVICE', 'PRODUCT', 'FEE', 'OTHER'] as const;

/** A line as it is stored. The database fills what is said from `id` on, whoever writes (app.price_invoice). */
export type StoredLine = {
  kind: (typeof LINE_KINDS)[number];
  description: string;
  quantity: number;
  unitPrice: number;
  discount: number;
  staffId: string | null;
  serviceId: string | null;
  appointmentId: string | null;
  taxes: Tax[];
  id: string;
  discountShare: number;
  net: number;
  total: number;
};

/** An amount in minor units of the row's currency. */
const amount = <N extends string>(name: N) => bigint(name, { mode: 'number' });

/**
 * Only what is entered is taken as it is given: branch, client, dates, lines, discount, and the status within its rules. The
 * trigger `derive` prices the lines, numbers the invoice when it is issued, counts its payments and refuses the rest.
 */
export const invoices = pgTable(
  'invoices',
  () => ({
    ...tenantKey(),
    branchId: uuid('branch_id').notNull(),
    clientId: uuid('client_id'),
    /** Open: credit notes and deposits come later. */
    kind: text('kind').notNull().default('INVOICE'),
    status: text('status', { enum: INVOICE_STATUSES }).notNull().default('DRAFT'),
    /** Numbers run within branch and series. Those of IMPORTED ones are what another system gave them. */
    series: text('series').notNull().default('INVOICE'),
    number: text('number'),
    sequence: integer('sequence'),
    issueDate: date('issue_date'),
    dueDate: date('due_date'),
    currency: char('currency', { length: 3 }).notNull(),
    /** As the company had it when the invoice was made. */
    taxInclusive: boolean('tax_inclusive').notNull(),
    lines: jsonb('lines').$type<StoredLine[]>().notNull(),
    discount: amount('discount').notNull().default(0),
    subtotal: amount('subtotal').notNull(),
    discountTotal: amount('discount_total').notNull(),
    tax: amount('tax').notNull(),
    total: amount('total').notNull(),
    paid: amount('paid').notNull().default(0),
    refunded: amount('refunded').notNull().default(0),
    balance: amount('balance')
      .notNull()
      .generatedAlwaysAs((): SQL => sql`case when status in ('PAID', 'VOID') then 0 else total - paid + refunded end`),
    paymentStatus: text('payment_status', { enum: PAYMENT_STATUSES })
      .notNull()
      .generatedAlwaysAs(
        (): SQL =>
          sql`case when paid > 0 and refunded = paid then 'REFUNDED' when status = 'PAID' and paid - refunded >= total then 'PAID' when refunded > 0 then 'PARTIALLY_REFUNDED' when paid > 0 then 'PARTIALLY_PAID' else 'UNPAID' end`,
      ),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('invoices_company_id').on(t.companyId, t.id),
    unique('invoices_currency').on(t.companyId, t.id, t.currency),
    unique('invoices_external_id').on(t.companyId, t.externalId),
    unique('invoices_sequence').on(t.companyId, t.branchId, t.series, t.sequence),
    // One per sort: what parts the rows, then the sort and the id, ascending (src/data/walk.ts).
    index('invoices_created').on(t.companyId, t.status, t.createdAt, t.id),
    index('invoices_updated').on(t.companyId, t.status, t.updatedAt, t.id),
    index('invoices_issued').on(t.companyId, t.status, t.issueDate, t.id),
    index('invoices_due').on(t.companyId, t.status, t.dueDate, t.id),
    // Who has paid in part is asked for by what is due first, and those are after all the paid ones.
    index('invoices_due_paid').on(t.companyId, t.status, t.paymentStatus, t.dueDate, t.id),
    index('invoices_client').on(t.companyId, t.clientId, t.createdAt, t.id),
    index('invoices_branch').on(t.companyId, t.branchId, t.issueDate, t.id),
    index('invoices_payment_status').on(t.companyId, t.paymentStatus, t.createdAt, t.id),
    index('invoices_number').on(t.companyId, t.number),
    index('invoices_overdue').on(t.companyId, t.dueDate, t.id).where(sql`status = 'OPEN' and balance > 0`),
  ],
);

/** The lines of all invoices as rows: what foreign keys and analytics see. Written by the database alone, and not logged. */
export const invoiceLines = pgTable(
  'invoice_lines',
  () => ({
    ...tenantKey(),
    invoiceId: uuid('invoice_id').notNull(),
    position: integer('position').notNull(),
    kind: text('kind').notNull(),
    staffId: uuid('staff_id'),
    serviceId: uuid('service_id'),
    appointmentId: uuid('appointment_id'),
    quantity: integer('quantity').notNull(),
    net: amount('net').notNull(),
    tax: amount('tax').notNull(),
    total: amount('total').notNull(),
    taxes: jsonb('taxes').$type<Tax[]>().notNull(),
  }),
  (t) => [
    index('invoice_lines_invoice').on(t.companyId, t.invoiceId),
    index('invoice_lines_staff').on(t.companyId, t.staffId),
    index('invoice_lines_service').on(t.companyId, t.serviceId),
    index('invoice_lines_appointment').on(t.companyId, t.appointmentId),
  ],
);
