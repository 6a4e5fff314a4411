import { bigint, char, date, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { documentColumns, instant, tenantKey } from '../../data/columns.ts';

/** Open: providers bring more. */
export const PAYMENT_METHODS = ['CASH', 'CARD', 'TRANSFER', 'OTHER'] as const;
export const MONEY_STATUSES = ['PENDING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;

/** Where money came in or went out, and on which day of that branch: what a day is closed by. */
const booked = () => ({
  branchId: uuid('branch_id').notNull(),
  businessDate: date('business_date').notNull(),
  amount: bigint('amount', { mode: 'number' }).notNull(),
  currency: char('currency', { length: 3 }).notNull(),
  /** Counts from SUCCEEDED on, whether the row comes with it or gets there. */
  status: text('status', { enum: MONEY_STATUSES }).notNull().default('SUCCEEDED'),
});

/** Money that came in, for an invoice or (deposits) for none yet. What it says of itself stays; only its status moves on. */
export const payments = pgTable(
  'payments',
  () => ({
    ...tenantKey(),
    invoiceId: uuid('invoice_id'),
    clientId: uuid('client_id'),
    ...booked(),
    method: text('method').notNull(),
    reference: text('reference'),
    paidAt: instant('paid_at').notNull(),
    /** The sum of its refunds that succeeded, kept by the database. */
    refunded: bigint('refunded', { mode: 'number' }).notNull().default(0),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('payments_company_id').on(t.companyId, t.id),
    unique('payments_currency').on(t.companyId, t.id, t.currency),
    unique('payments_external_id').on(t.companyId, t.externalId),
    index('payments_created').on(t.companyId, t.createdAt, t.id),
    index('payments_updated').on(t.companyId, t.updatedAt, t.id),
    index('payments_paid').on(t.companyId, t.paidAt, t.id),
    index('payments_invoice').on(t.companyId, t.invoiceId, t.createdAt, t.id),
    index('payments_client').on(t.companyId, t.clientId, t.createdAt, t.id),
    index('payments_branch').on(t.companyId, t.branchId, t.businessDate, t.id),
  ],
);

/** Money of a payment that went back. */
export const refunds = pgTable(
  'refunds',
  () => ({
    ...tenantKey(),
    paymentId: uuid('payment_id').notNull(),
    ...booked(),
    reason: text('reason'),
    refundedAt: instant('refunded_at').notNull(),
    externalId: text('external_id'),
    ...documentColumns(),
  }),
  (t) => [
    unique('refunds_company_id').on(t.companyId, t.id),
    unique('refunds_external_id').on(t.companyId, t.externalId),
    index('refunds_created').on(t.companyId, t.createdAt, t.id),
    index('refunds_updated').on(t.companyId, t.updatedAt, t.id),
    index('refunds_payment').on(t.companyId, t.paymentId, t.createdAt, t.id),
    index('refunds_branch').on(t.companyId, t.branchId, t.businessDate, t.id),
  ],
);
