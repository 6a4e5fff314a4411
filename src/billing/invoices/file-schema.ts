import * as z from 'zod';
import { MAX_AMOUNT } from '../../core/currency.ts';
import { lazy } from '../../core/lazy.ts';
import { money } from '../../http/money.ts';
import { date, externalId, givenInstant, notes, reference, text } from '../../http/schemas.ts';
import { PAYMENT_METHODS } from '../payments/table.ts';
import { checkAmounts, line } from './line-body.ts';
import { INVOICE_STATUSES } from './table.ts';

const byName = () => externalId().nullable().optional();
const byId = () => reference().nullable().optional();
/** What an export shows and nobody writes. */
const shown = () => z.unknown().optional();
/** What it shows of amounts: checked where it is there. */
const sum = () => money(-MAX_AMOUNT).nullable().optional();
/** Of a tax: or the number alone, in the invoice’s currency. */
const taxSum = () =>
  z
    .preprocess(
      (said) => (Number.isSafeInteger(said) ? { amount: said } : said),
      money(-MAX_AMOUNT).partial({ currency: true }),
    )
    .nullable()
    .optional();

const fileLine = () =>
  line().extend({
    taxes: z
      .array(
        z.strictObject({
          name: text(),
          rateBasisPoints: z.int().min(0, 'Must be at least 0.').max(10_000, 'Must be at most 10000.'),
          amount: taxSum(),
        }),
      )
      .max(10, 'Must have at most 10 taxes.')
      .optional(),
    ...{ staffId: byId(), staffExternalId: byName(), serviceId: byId(), serviceExternalId: byName() },
    ...{ appointmentId: byId(), appointmentExternalId: byName() },
    ...{ id: shown(), net: sum(), total: sum() },
  });

const fileRefund = () =>
  z.strictObject({
    amount: money(1),
    reason: notes().nullable().optional(),
    refundedAt: givenInstant().nullable().optional().describe('When it was paid, where absent.'),
    externalId: externalId().nullable().optional(),
  });

const filePayment = () =>
  z.strictObject({
    amount: money(1),
    method: z.enum(PAYMENT_METHODS),
    paidAt: givenInstant().nullable().optional().describe('Noon of the issue date at the branch when absent.'),
    reference: text().nullable().optional(),
    externalId: externalId().nullable().optional(),
    refunds: z
      .array(fileRefund())
      .max(50, 'Must have at most 50 refunds.')
      .nullable()
      .optional()
      .describe('What of it went back.'),
  });

/** An invoice as a file tells it: all of itself, because nothing of what was issued changes but its status. */
export const InvoiceFile = lazy(() =>
  z
    .strictObject({
      externalId: externalId(),
      ...{ branchId: byId(), branchExternalId: byName(), clientId: byId(), clientExternalId: byName() },
      status: z.enum(INVOICE_STATUSES).nullable().optional(),
      number: text(50).nullable().optional(),
      issueDate: date().nullable().optional(),
      dueDate: date().nullable().optional(),
      taxInclusive: z.boolean().nullable().optional(),
      lines: z.array(fileLine()).min(1, 'Must have at least one line.').max(200, 'Must have at most 200 lines.'),
      discount: money(0).nullable().optional(),
      payments: z.array(filePayment()).max(50, 'Must have at most 50 payments.').nullable().optional(),
      ...{ subtotal: sum(), discountTotal: sum(), tax: sum(), total: sum() },
    })
    .superRefine(checkAmounts)
    .superRefine(checkStanding),
);
export type FileInvoice = z.output<ReturnType<typeof InvoiceFile>>;

/** Whether it was issued at all: a draft was not, nor one that was voided before it had a day. */
export const isUndated = ({ status, issueDate }: Pick<Standing, 'status' | 'issueDate'>): boolean =>
  status === 'DRAFT' || (status === 'VOID' && issueDate == null);

type Named = { externalId?: string | null | undefined };
type Standing = {
  status?: string | null | undefined;
  number?: string | null | undefined;
  issueDate?: string | null | undefined;
  payments?: (Named & { refunds?: Named[] | null | undefined })[] | null | undefined;
};

/** What was issued has a day; a draft has no money and no number. */
function checkStanding(invoice: Standing, ctx: z.core.$RefinementCtx): void {
  const { status, number, issueDate, payments } = invoice;
  const fault = (path: (string | number)[], code: string, message: string): void =>
    ctx.addIssue({ code: 'custom', path, message, params: { code } });
  const isBooked = number != null || (payments?.length ?? 0) > 0;
  if (issueDate == null && (!isUndated(invoice) || (status === 'VOID' && isBooked)))
    fault(['issueDate'], 'required', 'What was issued has a day.');
  if (status === 'DRAFT' && isBooked) fault(['status'], 'conflict', 'A draft has neither number nor payments.');
  const once = (all: readonly { path: (string | number)[]; id: string | null | undefined }[]): void => {
    for (const [i, { path, id }] of all.entries())
      if (id != null && all.findIndex((other) => other.id === id) < i)
        fault(path, 'duplicate_value', 'Stands there twice.');
  };
  once((payments ?? []).map(({ externalId: id }, i) => ({ path: ['payments', i, 'externalId'], id })));
  once(
    (payments ?? []).flatMap(({ refunds }, i) =>
      (refunds ?? []).map(({ externalId: id }, k) => ({ path: ['payments', i, 'refunds', k, 'externalId'], id })),
    ),
  );
}
