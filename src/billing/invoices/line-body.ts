import * as z from 'zod';
import type { Money } from '../../core/currency.ts';
import { MAX_AMOUNT } from '../../core/currency.ts';
import { money } from '../../http/money.ts';
import { text } from '../../http/schemas.ts';
import { faultsOf } from '../totals.ts';
import { LINE_KINDS } from './table.ts';

const reference = () => z.string().nullable().optional();

/** A line that says all of itself. */
export const line = () =>
  z.strictObject({
    kind: z.enum(LINE_KINDS).optional().describe('SERVICE where it names a service, else OTHER.'),
    description: text(500),
    quantity: z.int().min(1, 'Must be at least 1.').max(1_000_000, 'Must be at most 1000000.').optional(),
    unitPrice: money(-MAX_AMOUNT).describe('Below zero for a return or a redemption.'),
    discount: money(0).nullable().optional().describe('Off the whole line.'),
    staffId: reference(),
    serviceId: reference(),
    appointmentId: reference().describe(
      'Alone, it takes the rest: a line for each of its services, as it was booked. Not of one that was cancelled or not come to.',
    ),
    taxes: z
      .array(
        z.strictObject({
          name: text(),
          rateBasisPoints: z.int().min(0, 'Must be at least 0.').max(10_000, 'Must be at most 10000.'),
        }),
      )
      .max(10, 'Must have at most 10 taxes.')
      .optional(),
  });

/** A line as bodies give it: all of itself, or its appointment alone. */
export const billedLine = () =>
  line()
    .partial({ description: true, unitPrice: true })
    .superRefine((given, ctx) => {
      const { appointmentId, ...rest } = given;
      if (appointmentId != null && Object.values(rest).every((value) => value === undefined)) return;
      for (const name of ['description', 'unitPrice'] as const)
        if (given[name] === undefined)
          ctx.addIssue({
            code: 'custom',
            path: [name],
            message: 'This field is required.',
            params: { code: 'required' },
          });
    });
export type LineBody = z.output<ReturnType<typeof billedLine>>;

/** Amounts of one currency that make sense; the database says which currency, and what taxes make of them. */
export function checkAmounts(
  body: {
    lines?: Pick<LineBody, 'quantity' | 'unitPrice' | 'discount'>[] | undefined;
    discount?: Money | null | undefined;
  },
  ctx: z.RefinementCtx,
): void {
  const fault = (path: (string | number)[], code: string, message: string): void =>
    ctx.addIssue({ code: 'custom', path, message, params: { code } });
  const { lines = [], discount = null } = body;
  const all: [Money, (string | number)[]][] = [];
  for (const [i, each] of lines.entries()) {
    if (each.unitPrice) all.push([each.unitPrice, ['lines', i, 'unitPrice', 'currency']]);
    if (each.discount) all.push([each.discount, ['lines', i, 'discount', 'currency']]);
  }
  if (discount !== null) all.push([discount, ['discount', 'currency']]);
  const [first] = all;
  for (const [{ currency }, path] of all)
    if (currency !== first?.[0].currency) fault(path, 'currency_mismatch', 'An invoice is in one currency.');
  if (lines.length === 0) return;
  const terms = lines.map((each) => ({
    ...{
      quantity: each.quantity ?? 1,
      unitPrice: each.unitPrice?.amount ?? 0,
      discount: each.discount?.amount ?? 0,
      taxes: [],
    },
  }));
  // What an appointment brings only the database knows.
  const known = lines.every(({ unitPrice }) => unitPrice !== undefined);
  for (const { pointer = '', code, detail } of faultsOf(terms, known ? (discount?.amount ?? 0) : 0))
    fault(
      pointer
        .split('/')
        .slice(1)
        .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part)),
      code,
      detail,
    );
}
