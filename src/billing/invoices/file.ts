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
import { type FileInvoice, InvoiceFile, isUndated } from './file-schema.ts';
import { storedLines } from './lines.ts';
import { InvoiceView } from './schema.ts';
import { type Paid, type Steps, settled } from './settling.ts';

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

const instantText = (column: string): SQL =>
  sql.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);

/** What was paid on invoices, and what of it went back, as their lines tell it. */
export const paymentsOf = (
  companyId: string,
  ids: readonly string[],
): SQL<{ id: string; more: Record<string, unknown> }> =>
  sql<{
    id: string;
    more: Record<string, unknown>;
  }>`select p.invoice_id as id, json_build_object('payments', json_agg(json_build_object(
      'amount', json_build_object('amount', p.amount, 'currency', p.currency), 'method', p.method, 'reference', p.reference,
      'paidAt', ${instantText('p.paid_at')}, 'externalId', p.external_id, 'refunds', coalesce(r.refunds, '[]')) order by p.paid_at, p.id)) as more
    from payments p left join lateral (
      select json_agg(json_build_object('amount', json_build_object('amount', r.amount, 'currency', r.currency), 'reason', r.reason,
        'refundedAt', ${instantText('r.refunded_at')}, 'externalId', r.external_id) order by r.refunded_at, r.id) as refunds
      from refunds r where r.company_id = p.company_id and r.payment_id = p.id and r.status = 'SUCCEEDED') r on true
    where p.company_id = ${companyId}::uuid and p.invoice_id = any (${sql.param([...ids])}::uuid[]) and p.status = 'SUCCEEDED'
    group by p.invoice_id`;

/** What the amounts of a row must agree with. */
type Books = { currency: string; taxInclusive: boolean; isNew: boolean; now: number };

const ignored = onlyShown(InvoiceView, InvoiceFile);

/**
 * Invoices as they were elsewhere: with their numbers, which are a series of their own and move no counter, in whatever status
 * they ended, with what was paid on them (migrations/0066_refunds_in_files.sql).
 */
export const invoiceImporter: Importer<FileInvoice> = {
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
    const bodies = all.map(({ value }) => value);
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
      const invoice = resolved(REFERRING, value, known);
      refuseUnknown(value, there);
      const before = stored.get(invoice.externalId);
      const taxInclusive = invoice.taxInclusive ?? before ?? inclusive;
      const { faults, steps } = judged(invoice, { currency, taxInclusive, isNew: before === undefined, now: desk.now });
      if (faults.length > 0) throw new AppError('invalid_body', undefined, { faults });
      return { id, key: invoice.externalId, given: givenOf(invoice, taxInclusive, steps) };
    };
  },
  upsert: () => 'select app.take_invoices($1)',
};

/** The one an id names; of an external id that was said before. Merged and erased clients are there. @throws AppError unknown_reference */
function refuseUnknown({ clientId, clientExternalId }: FileInvoice, there: ReadonlySet<string>): void {
  if (clientId == null || clientExternalId != null || there.has(uuidOf('clnt', clientId))) return;
  const faults = [{ pointer: '/clientId', code: 'unknown_reference', detail: 'There is no such client.' }];
  throw new AppError('unknown_reference', undefined, { faults });
}

function givenOf(invoice: FileInvoice, taxInclusive: boolean, steps: Steps): Record<string, unknown> {
  const { branchId, clientId, status, number, issueDate, dueDate, lines, discount, payments } = invoice;
  return {
    ...{
      branch: branchId == null ? null : uuidOf('brch', branchId),
      client: clientId == null ? null : uuidOf('clnt', clientId),
    },
    ...{ status: status ?? 'OPEN', number: number ?? null, issueDate: issueDate ?? null, dueDate: dueDate ?? null },
    ...{ taxInclusive, discount: discount?.amount ?? 0, undated: isUndated(invoice) },
    lines: storedLines(
      lines.map(({ taxes = [], ...line }) => ({
        ...line,
        taxes: taxes.map(({ name, rateBasisPoints }) => ({ name, rateBasisPoints })),
      })),
    ),
    payments: (payments ?? []).map(
      ({ amount, method, reference = null, paidAt = null, externalId = null, refunds }, i) => ({
        ...{ id: newUuid(), ...amount, method, reference, paidAt, externalId, step: steps[i]?.step ?? 1 },
        refunds: (refunds ?? []).map(
          ({ amount: back, reason = null, refundedAt = null, externalId: name = null }, k) => ({
            ...{
              id: newUuid(),
              amount: back.amount,
              reason,
              refundedAt,
              externalId: name,
              step: steps[i]?.refunds[k] ?? 2,
            },
          }),
        ),
      }),
    ),
  };
}

/** Clocks differ a little, and a day begins earlier in the east. */
const A_DAY = 86_400_000;
const SUMS = ['subtotal', 'discountTotal', 'tax', 'total'] as const;

/** What a file says of sums and payments, held against what its lines come to; and in which order money came and went. */
function judged(
  invoice: FileInvoice,
  { currency, taxInclusive, isNew, now }: Books,
): { faults: Fault[]; steps: Steps } {
  const faults: Fault[] = [];
  const fault = (pointer: string, code: string, detail: string): void => void faults.push({ pointer, code, detail });
  const { lines, discount, payments, branchId } = invoice;
  if (branchId == null) fault('/branchExternalId', 'required', 'This field is required.');
  const foreign = (pointer: string, said: { currency?: string | undefined } | null | undefined): void => {
    if (said?.currency !== undefined && said.currency !== currency)
      fault(`${pointer}/currency`, 'currency_mismatch', `Amounts are in ${currency}.`);
  };
  foreign('/discount', discount);
  for (const name of SUMS) foreign(`/${name}`, invoice[name]);
  for (const [i, line] of lines.entries()) {
    for (const name of ['unitPrice', 'net', 'total'] as const) foreign(`/lines/${i}/${name}`, line[name]);
    for (const [n, { amount }] of (line.taxes ?? []).entries()) foreign(`/lines/${i}/taxes/${n}/amount`, amount);
  }
  const happened = (pointer: string, at: string | null | undefined): void => {
    if (at != null && Date.parse(at) > now + A_DAY) fault(pointer, 'out_of_range', 'Must not be in the future.');
  };
  for (const [i, { amount, paidAt, refunds }] of (payments ?? []).entries()) {
    foreign(`/payments/${i}/amount`, amount);
    happened(`/payments/${i}/paidAt`, paidAt);
    for (const [k, refund] of (refunds ?? []).entries()) {
      foreign(`/payments/${i}/refunds/${k}/amount`, refund.amount);
      happened(`/payments/${i}/refunds/${k}/refundedAt`, refund.refundedAt);
    }
    if ((refunds ?? []).reduce((sum, refund) => sum + refund.amount.amount, 0) > amount.amount)
      fault(`/payments/${i}/refunds`, 'exceeds_paid', `The payment is ${amount.amount} minor units.`);
  }
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
      agrees(`/lines/${i}/taxes/${n}/amount`, tax.amount?.amount, is.taxes[n]?.amount ?? 0);
  }
  const paid = (payments ?? []).reduce((sum, { amount }) => sum + amount.amount, 0);
  // What one that is there was paid before, the database knows.
  const isShort = invoice.status === 'PAID' && paid < totals.total;
  if (isNew && isShort) fault('/payments', 'not_paid', `The payments leave ${totals.total - paid} minor units.`);
  const steps = settled(paidOf(payments), totals.total, invoice.status === 'PAID');
  if (steps === null && faults.length === 0)
    fault('/payments', 'exceeds_balance', `The invoice comes to ${totals.total} minor units.`);
  return { faults, steps: steps ?? [] };
}

/** A refund was made when it says, else when its payment was. */
const paidOf = (payments: FileInvoice['payments']): Paid[] =>
  (payments ?? []).map(({ amount, paidAt, refunds }) => ({
    amount: amount.amount,
    refunds: (refunds ?? []).map((refund) => ({
      amount: refund.amount.amount,
      at: Date.parse(refund.refundedAt ?? paidAt ?? '') || 0,
    })),
  }));
