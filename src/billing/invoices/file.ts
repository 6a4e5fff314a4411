import { type SQL, sql } from 'drizzle-orm';
import { appointments } from '../../calendar/appointments/table.ts';
import { branches } from '../../catalog/branches/table.ts';
import { services } from '../../catalog/services/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import { AppError, type Fault } from '../../core/errors.ts';
import { newUuid, uuidOf } from '../../core/id.ts';
import { clients } from '../../people/clients/table.ts';
import { lookUpAnd, type Referring, resolved } from '../../resources/import-references.ts';
import { type Importer, onlyShown } from '../../resources/importer.ts';
import { priceInvoice } from '../totals.ts';
import { type FileInvoice, InvoiceFile } from './file-schema.ts';
import { storedLines } from './lines.ts';
import { InvoiceView } from './schema.ts';

export const REFERRING: Referring = {
  ids: { branchId: { prefix: 'brch', table: branches }, clientId: { prefix: 'clnt', table: clients } },
  within: {
    lines: {
      staffId: { prefix: 'stf', table: staff },
      serviceId: { prefix: 'svc', table: services },
      appointmentId: { prefix: 'appt', table: appointments },
    },
  },
  required: new Set(['branchId']),
};

/** What was paid on invoices, as their lines tell it. */
export const paymentsOf = (
  companyId: string,
  ids: readonly string[],
): SQL<{ id: string; more: Record<string, unknown> }> =>
  sql<{
    id: string;
    more: Record<string, unknown>;
  }>`select p.invoice_id as id, json_build_object('payments', json_agg(json_build_object(
      'amount', json_build_object('amount', p.amount, 'currency', p.currency), 'method', p.method, 'reference', p.reference,
      'paidAt', to_char(p.paid_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'externalId', p.external_id) order by p.paid_at, p.id)) as more
    from payments p where p.company_id = ${companyId}::uuid and p.invoice_id = any (${sql.param([...ids])}::uuid[]) and p.status = 'SUCCEEDED'
    group by p.invoice_id`;

/** What the amounts of a row must agree with. */
type Books = { currency: string; taxInclusive: boolean; isNew: boolean };

const ignored = onlyShown(InvoiceView, InvoiceFile);

/**
 * Invoices as they were elsewhere: with their numbers, which are a series of their own and move no counter, in whatever status
 * they ended, with what was paid on them (migrations/0068_invoice_files.sql).
 */
export const invoiceImporter: Importer = {
  resource: 'invoices',
  example: {
    ...{
      externalId: 'r-10',
      number: '10',
      branchExternalId: 'main',
      clientExternalId: 'crm-1042',
      issueDate: '2018-03-15',
      status: 'PAID',
    },
    lines: [
      {
        description: 'Cut',
        unitPrice: { amount: 4500, currency: 'EUR' },
        taxes: [{ name: 'USt', rateBasisPoints: 2000 }],
      },
    ],
    payments: [{ amount: { amount: 5400, currency: 'EUR' }, method: 'CARD', paidAt: '2018-03-15T15:20:00Z' }],
  },
  chunk: 100,
  table: 'invoices',
  // A draft has no day yet.
  needs: [['branchExternalId', 'branchId'], ['issueDate', 'status'], ['lines']].map((columns) => ({
    ...{ columns, always: true },
  })),
  matches: ['externalId'],
  get ignored() {
    return ignored();
  },
  schema: () => InvoiceFile(),
  async prepare(_match, all, desk) {
    const bodies = all.map(({ value }) => value as FileInvoice);
    const keys = bodies.map(({ externalId }) => externalId);
    const named = bodies.flatMap(({ clientId }) => (clientId == null ? [] : [uuidOf('clnt', clientId)]));
    const { known, rows } = await lookUpAnd(REFERRING, bodies, desk, [
      sql<{
        currency: string;
        inclusive: boolean;
      }>`select currency, prices_include_tax as inclusive from companies where id = ${desk.companyId}::uuid`,
      sql<{ key: string; inclusive: boolean }>`select external_id as key, tax_inclusive as inclusive from invoices
        where company_id = ${desk.companyId}::uuid and external_id = any (${sql.param(keys)}::text[])`,
      sql<{
        id: string;
      }>`select id from clients where company_id = ${desk.companyId}::uuid and id = any (${sql.param(named)}::uuid[])`,
    ]);
    const { currency = '', inclusive = false } = rows[0][0] ?? {};
    const stored = new Map(rows[1].map((row) => [row.key, row.inclusive]));
    const there = new Set(rows[2].map((row) => row.id));
    return ({ value, id }) => {
      const invoice = resolved(REFERRING, value as Record<string, unknown>, known) as FileInvoice;
      refuseUnknown(value as FileInvoice, there);
      const before = stored.get(invoice.externalId);
      const taxInclusive = invoice.taxInclusive ?? before ?? inclusive;
      const faults = faultsOf(invoice, { currency, taxInclusive, isNew: before === undefined });
      if (faults.length > 0) throw new AppError('invalid_body', undefined, { faults });
      return { id, key: invoice.externalId, given: givenOf(invoice, taxInclusive) };
    };
  },
  upsert: () => 'select app.import_invoices($1)',
};

/** The one an id names; of an external id that was said before. Merged and erased clients are there. @throws AppError unknown_reference */
function refuseUnknown({ clientId, clientExternalId }: FileInvoice, there: ReadonlySet<string>): void {
  if (clientId == null || clientExternalId != null || there.has(uuidOf('clnt', clientId))) return;
  const faults = [{ pointer: '/clientId', code: 'unknown_reference', detail: 'There is no such client.' }];
  throw new AppError('unknown_reference', undefined, { faults });
}

function givenOf(invoice: FileInvoice, taxInclusive: boolean): Record<string, unknown> {
  const { branchId, clientId, status, number, issueDate, dueDate, lines, discount, payments } = invoice;
  return {
    ...{
      branch: branchId == null ? null : uuidOf('brch', branchId),
      client: clientId == null ? null : uuidOf('clnt', clientId),
    },
    ...{ status: status ?? 'OPEN', number: number ?? null, issueDate: issueDate ?? null, dueDate: dueDate ?? null },
    ...{ taxInclusive, discount: discount?.amount ?? 0 },
    lines: storedLines(
      lines.map(({ taxes = [], ...line }) => ({
        ...line,
        taxes: taxes.map(({ name, rateBasisPoints }) => ({ name, rateBasisPoints })),
      })),
    ),
    payments: (payments ?? []).map(({ amount, method, reference = null, paidAt = null, externalId = null }) => ({
      ...{ id: newUuid(), ...amount, method, reference, paidAt, externalId },
    })),
  };
}

const SUMS = ['subtotal', 'discountTotal', 'tax', 'total'] as const;

/** What a file says of sums and payments, held against what its lines come to. */
function faultsOf(invoice: FileInvoice, { currency, taxInclusive, isNew }: Books): Fault[] {
  const faults: Fault[] = [];
  const fault = (pointer: string, code: string, detail: string): void => void faults.push({ pointer, code, detail });
  const { lines, discount, payments, branchId } = invoice;
  if (branchId == null) fault('/branchExternalId', 'required', 'This field is required.');
  const foreign = (pointer: string, said: { currency: string } | null | undefined): void => {
    if (said != null && said.currency !== currency)
      fault(`${pointer}/currency`, 'currency_mismatch', `Amounts are in ${currency}.`);
  };
  foreign('/discount', discount);
  for (const name of SUMS) foreign(`/${name}`, invoice[name]);
  for (const [i, line] of lines.entries())
    for (const name of ['unitPrice', 'net', 'total'] as const) foreign(`/lines/${i}/${name}`, line[name]);
  for (const [i, { amount }] of (payments ?? []).entries()) foreign(`/payments/${i}/amount`, amount);
  const totals = priceInvoice({
    lines: lines.map(({ quantity = 1, unitPrice, discount: off, taxes = [] }) => ({
      ...{ quantity, unitPrice: unitPrice.amount, discount: off?.amount ?? 0, taxes },
    })),
    discount: discount?.amount ?? 0,
    taxInclusive,
  });
  const agrees = (pointer: string, said: number | undefined, is: number): void => {
    if (said !== undefined && said !== is) fault(pointer, 'totals_differ', `The lines come to ${is} minor units.`);
  };
  for (const name of SUMS) agrees(`/${name}/amount`, invoice[name]?.amount, totals[name]);
  for (const [i, line] of lines.entries()) {
    const is = totals.lines[i];
    if (is === undefined) continue;
    agrees(`/lines/${i}/net/amount`, line.net?.amount, is.net);
    agrees(`/lines/${i}/total/amount`, line.total?.amount, is.total);
    for (const [n, tax] of (line.taxes ?? []).entries())
      agrees(`/lines/${i}/taxes/${n}/amount`, tax.amount, is.taxes[n]?.amount ?? 0);
  }
  const paid = (payments ?? []).reduce((sum, { amount }) => sum + amount.amount, 0);
  if (paid > totals.total) fault('/payments', 'exceeds_balance', `The invoice comes to ${totals.total} minor units.`);
  // What one that is there was paid before, the database knows.
  if (isNew && invoice.status === 'PAID' && paid < totals.total)
    fault('/payments', 'not_paid', `The payments leave ${totals.total - paid} minor units.`);
  return faults;
}
