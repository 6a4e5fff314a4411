import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { bulk } from '../../resources/bulk.ts';
import { change } from '../../resources/change.ts';
import { expectRow, expectVersion, rowOf, sameVersion, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { createOf, updateOf } from '../../resources/verbs.ts';
import { invoice } from './resource.ts';

type Input = WriteInput<unknown>;

/** The triggers of the table do the rest: numbers, days, what is legal (migrations/0051_billing_rules.sql). */
const setStatus = (verb: string, status: SQL, expect = (input: Input): SQL => expectVersion(invoice, input)) =>
  change({
    resource: invoice,
    name: `invoices.${verb}`,
    target: 'path',
    status: 200,
    statements: (input) => [expect(input), setRow(invoice, input, sql`status = ${status}`)],
  });

/** Only what was issued is voided or written off. A draft becomes VOID all the same by DELETE, or in a file. */
const expectIssued = (input: Input): SQL =>
  sql`select ${expectRow}, ${sameVersion(input.expected)},
    app.refuse(any_value(status) = 'DRAFT', 'illegal_transition', '{"detail": "The invoice is DRAFT.", "allowed": ["OPEN"]}')
    from invoices where ${rowOf(invoice, input)}`;

/** Again is as good, and what came to nothing is PAID by being issued. */
export const finalizeInvoice = setStatus('finalize', sql`case when status = 'PAID' then status else 'OPEN' end`);
export const voidInvoice = setStatus('void', sql`'VOID'`, expectIssued);
export const writeOffInvoice = setStatus('uncollectible', sql`'UNCOLLECTIBLE'`, expectIssued);

/** A line that names an appointment may take over what it was of. */
const alsoReads = ({ lines }: { lines?: readonly { appointmentId?: string | null | undefined }[] | undefined }) =>
  lines?.some(({ appointmentId }) => appointmentId != null) === true ? 'appointments:read' : null;

export const createInvoice = createOf(invoice, { alsoReads });

/** Of all invoices of a bulk: each line is priced and written while the company's other writers wait. */
export const MOST_LINES = 3000;

export const createInvoices = bulk(invoice, {
  alsoReads,
  bound(items) {
    const lines = items.reduce((sum, { body }) => sum + body.lines.length, 0);
    if (lines <= MOST_LINES) return;
    const detail = `These are ${lines} lines in all; at most ${MOST_LINES} are written at once. Send fewer invoices at a time.`;
    throw new AppError('invalid_body', detail, { faults: [{ pointer: '/items', code: 'out_of_range', detail }] });
  },
});

/** A discount alone says no line whose currency could be compared. */
export const updateInvoice = updateOf(invoice, {
  alsoReads,
  expect: (input) => sql`select ${expectRow}, ${sameVersion(input.expected)},
    app.refuse(any_value(currency) <> ${input.body.discount?.currency ?? null}, 'invalid_body', jsonb_build_object('pointer', '/discount/currency',
      'detail', format('The invoice is in %s.', any_value(currency))))
    from invoices where ${rowOf(invoice, input)}`,
});
