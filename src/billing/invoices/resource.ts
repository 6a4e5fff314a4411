import { type SQL, sql } from 'drizzle-orm';
import { branches } from '../../catalog/branches/table.ts';
import type { Money } from '../../core/currency.ts';
import { withMembers } from '../../core/lazy.ts';
import { clients } from '../../people/clients/table.ts';
import { daysBetween, nextQuarter } from '../../resources/filters.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { invoiceImporter, paymentsOf, REFERRING } from './file.ts';
import { shownLines, storedLines } from './lines.ts';
import { InvoiceCreate, InvoicePatch, InvoiceView } from './schema.ts';
import { INVOICE_STATUSES, invoices, PAYMENT_STATUSES } from './table.ts';

type Amounts = { currency: string } & Record<
  'discount' | 'subtotal' | 'discount_total' | 'tax' | 'total' | 'paid' | 'refunded' | 'balance',
  number
>;
const money =
  (column: Exclude<keyof Amounts, 'currency'>) =>
  (row: Amounts): Money => ({ amount: row[column], currency: row.currency });

const noSuch = (pointer: string, what: string) =>
  ({ code: 'unknown_reference', pointer, detail: `There is no such ${what}.` }) as const;

/** Due before today, where it was issued, and not paid. No branch is asked but for the days on which branches differ. */
const overdue = sql`invoices.status = 'OPEN' and invoices.balance > 0 and (invoices.due_date < (now() at time zone 'UTC')::date - 1
  or invoices.due_date <= (now() at time zone 'UTC')::date and exists (select from branches b where b.company_id = invoices.company_id
    and b.id = invoices.branch_id and invoices.due_date < app.local_at(b.time_zone, clock_timestamp())::date))`;

/** The same by what an index knows: no branch's day is more than one ahead of UTC's. */
const due = sql`i.status = 'OPEN' and i.balance > 0 and i.due_date <= (now() at time zone 'UTC')::date`;

/** Finds rows by a condition that has an index of its own. */
const having = (condition: SQL) => (most: number) =>
  sql`(select i.* from invoices i where i.company_id = app.company() and ${condition} limit ${most})`;

const made = tenantResource(invoices, {
  entity: 'invoice',
  prefix: 'inv',
  permission: 'invoices',
  version: 2,
  view: InvoiceView,
  create: InvoiceCreate,
  patch: InvoicePatch,
  computed: {
    lines: (row) => shownLines(row.lines, row.currency),
    discount: money('discount'),
    subtotal: money('subtotal'),
    discountTotal: money('discount_total'),
    tax: money('tax'),
    total: money('total'),
    paid: money('paid'),
    refunded: money('refunded'),
    balance: money('balance'),
  },
  stored: {
    lines: storedLines,
    discount: (discount) => discount?.amount ?? 0,
  },
  references: { branchId: { prefix: 'brch', table: branches }, clientId: { prefix: 'clnt', table: clients } },
  archive: () => ({
    filter: { status: { kind: 'enumList', values: INVOICE_STATUSES, description: 'One or several.' } },
    parts: ({ filters }) => ({
      column: sql`invoices.status`,
      values: Array.isArray(filters.status) ? filters.status : INVOICE_STATUSES,
      of: (row) => row.status,
    }),
    archive: () => sql`status = 'VOID'`,
  }),
  filters: {
    paymentStatus: {
      kind: 'enumList',
      values: PAYMENT_STATUSES,
      description: 'One or several.',
      condition: (value) => ({
        where: sql`invoices.payment_status in ${value}`,
        holds: (row) => Array.isArray(value) && value.some((each) => each === row.payment_status),
        // Of several the index has no order.
        ...(Array.isArray(value) && value.length === 1 && { before: ['due_date'] }),
        find: having(sql`i.payment_status in ${value}`),
      }),
    },
    branchId: { kind: 'id', description: 'Issued at this branch.' },
    clientId: {
      kind: 'id',
      description: 'For this client.',
      condition: (id) => ({
        where: sql`invoices.client_id = ${id}::uuid`,
        holds: (row) => row.client_id === id,
        find: having(sql`i.client_id = ${id}::uuid`),
      }),
    },
    number: { kind: 'text', description: 'Has this number.' },
    overdue: {
      kind: 'boolean',
      description: 'Due before today and not paid, by the day of its branch; false: all others.',
      changesAt: nextQuarter,
      condition: (value) =>
        value === true ? { where: overdue, find: having(due) } : { where: sql`(${overdue}) is not true` },
    },
    ...daysBetween(
      { column: sql`invoices.issue_date`, name: 'issue_date', sorted: true },
      { from: 'Issued on this day or later.', to: 'Issued before this day.' },
    ),
  },
  sorts: ['issueDate', 'dueDate'],
  actions: {
    finalized: (before, after) => before.status === 'DRAFT' && after.status !== 'DRAFT' && after.status !== 'VOID',
    voided: (before, after) => before.status !== 'VOID' && after.status === 'VOID',
  },
  constraints: {
    invoice_lines_staff: noSuch('/lines', 'staff member'),
    invoice_lines_service: noSuch('/lines', 'service'),
    invoice_lines_appointment: noSuch('/lines', 'appointment'),
    invoices_imported_number: {
      ...{ code: 'duplicate', pointer: '/number' },
      detail: 'Another imported invoice of the branch has this number.',
    },
    invoices_paid: { code: 'exceeds_balance', pointer: '/amount', detail: 'That is more than the balance.' },
  },
});

/** Files of them hold lines and payments, which no table of columns says. */
export const invoice = withMembers(made, {
  importer: invoiceImporter,
  exported: { referring: () => REFERRING, more: { members: ['payments'], needs: 'payments:read', query: paymentsOf } },
});
