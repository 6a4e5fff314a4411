import { sql } from 'drizzle-orm';
import { branches } from '../../catalog/branches/table.ts';
import type { Money } from '../../core/currency.ts';
import { clients } from '../../people/clients/table.ts';
import { daysBetween, type ResourceFilter } from '../../resources/filters.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { invoices } from '../invoices/table.ts';
import { PaymentCreate, PaymentView, RefundCreate, RefundView } from './schema.ts';
import { MONEY_STATUSES, payments, refunds } from './table.ts';

const money = (amount: number, currency: string): Money => ({ amount, currency });
const amountOf = ({ amount }: Money): number => amount;
const branch = { prefix: 'brch', table: branches } as const;

/** What both are found by: where and on which day of the branch, and what became of them. */
const booked = (table: 'payments' | 'refunds'): Record<string, ResourceFilter> => {
  return {
    branchId: { kind: 'id', description: 'At this branch.' },
    status: { kind: 'enumList', values: MONEY_STATUSES, description: 'One or several.' },
    ...daysBetween(
      { column: sql`${sql.identifier(table)}.business_date`, name: 'business_date', sorted: true },
      { from: 'On this day of the branch or later.', to: 'Before this day of the branch.' },
    ),
  };
};

export const payment = tenantResource(payments, {
  entity: 'payment',
  prefix: 'pay',
  permission: 'payments',
  view: PaymentView,
  create: PaymentCreate,
  computed: {
    amount: (row) => money(row.amount, row.currency),
    refunded: (row) => money(row.refunded, row.currency),
  },
  stored: { amount: amountOf },
  references: {
    branchId: branch,
    invoiceId: { prefix: 'inv', table: invoices },
    clientId: { prefix: 'clnt', table: clients },
  },
  filters: {
    invoiceId: { kind: 'id', description: 'For this invoice.' },
    clientId: { kind: 'id', description: 'Of this client.' },
    ...booked('payments'),
  },
  sorts: ['paidAt'],
});

export const refund = tenantResource(refunds, {
  entity: 'refund',
  prefix: 'rfnd',
  permission: 'payments',
  view: RefundView,
  create: RefundCreate,
  computed: { amount: (row) => money(row.amount, row.currency) },
  stored: { amount: amountOf },
  references: { branchId: branch, paymentId: { prefix: 'pay', table: payments } },
  filters: { paymentId: { kind: 'id', description: 'Of this payment.' }, ...booked('refunds') },
});
