import * as z from 'zod';
import { newUuid } from '../../core/id.ts';
import { lazy } from '../../core/lazy.ts';
import { money } from '../../http/money.ts';
import { date, externalId, givenInstant, text } from '../../http/schemas.ts';
import type { Importer } from '../../resources/importer.ts';
import { PAYMENT_METHODS } from '../payments/table.ts';
import { checkAmounts, line } from './line-body.ts';
import { storedLines } from './lines.ts';
import { INVOICE_STATUSES } from './table.ts';

const reference = () => externalId().nullable().optional();

const importLine = () =>
  line()
    .omit({ staffId: true, serviceId: true, appointmentId: true })
    .extend({ staffExternalId: reference(), serviceExternalId: reference() });

const importPayment = () =>
  z.strictObject({
    amount: money(1),
    method: z.enum(PAYMENT_METHODS),
    reference: text().nullable().optional(),
    paidAt: givenInstant().nullable().optional(),
  });

const Row = lazy(() =>
  z
    .strictObject({
      externalId: externalId(),
      branchExternalId: externalId(),
      clientExternalId: reference(),
      status: z.enum(INVOICE_STATUSES).nullable().optional(),
      number: text(50).nullable().optional(),
      issueDate: date().nullable().optional(),
      dueDate: date().nullable().optional(),
      lines: z.array(importLine()).min(1, 'Must have at least one line.').max(200, 'Must have at most 200 lines.'),
      discount: money(0).nullable().optional(),
      payments: z.array(importPayment()).max(50, 'Must have at most 50 payments.').nullable().optional(),
    })
    .superRefine(checkAmounts),
);

/**
 * Invoices as they were elsewhere, a JSON object a line: paid ones with their payments, each with the number it had. What was
 * issued says all of itself each time, because nothing of it changes but its status.
 */
export const invoiceImporter: Importer = {
  resource: 'invoices',
  ignored: [],
  matches: ['externalId'],
  schema: () => Row(),
  prepare:
    async () =>
    ({ value, id }) => {
      const invoice = value as z.output<ReturnType<typeof Row>>;
      const {
        branchExternalId,
        clientExternalId = null,
        status,
        number = null,
        issueDate,
        dueDate,
        lines,
        discount,
      } = invoice;
      const stored = storedLines(lines).map((own, i) => ({
        ...own,
        staff: lines[i]?.staffExternalId ?? null,
        service: lines[i]?.serviceExternalId ?? null,
      }));
      const payments = (invoice.payments ?? []).map(({ amount, method, reference = null, paidAt = null }) => ({
        ...{ id: newUuid(), ...amount, method, reference, paidAt },
      }));
      return {
        id,
        key: invoice.externalId,
        given: {
          ...{ branch: branchExternalId, client: clientExternalId, status: status ?? null, number },
          ...{ issueDate: issueDate ?? null, dueDate: dueDate ?? null, discount: discount?.amount ?? 0 },
          ...{ lines: stored, payments },
        },
      };
    },
  upsert: () => 'select app.import_invoices($1)',
};
