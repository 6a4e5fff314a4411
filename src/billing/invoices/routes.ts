import type { ErrorCode } from '../../core/errors.ts';
import { type RouteSpec, routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { invoice } from './resource.ts';
import { InvoiceView } from './schema.ts';
import {
  createInvoice,
  createInvoices,
  finalizeInvoice,
  MOST_LINES,
  updateInvoice,
  voidInvoice,
  writeOffInvoice,
} from './verbs.ts';

const refusals: ErrorCode[] = [
  ...(['external_id_taken', 'unknown_reference', 'negative_total'] as const),
  ...(['already_billed', 'not_billable', 'erased'] as const),
];
const onInvoice = (verb: string, route: Pick<RouteSpec, 'summary' | 'description' | 'handler'>): RouteSpec => ({
  method: 'post',
  path: `/invoices/:id/${verb}`,
  tag: invoice.tag,
  permission: invoice.writePermission,
  success: { status: 200, schema: InvoiceView, description: 'The invoice as it is now' },
  errors: ['not_found', 'version_mismatch', 'illegal_transition'],
  ...route,
});

export const invoiceRoutes = routesBelow(['invoices'], () => [
  ...standardRoutes(invoice, {
    only: ['list', 'create', 'bulk', 'export', 'read', 'update', 'archive'],
    create: {
      description:
        'A draft: without a number, and free to change. Services of an appointment are on one living invoice: `already_billed` names the other; whoever names one must be allowed to read appointments. With an Idempotency-Key a repeat answers as the first did.',
      errors: refusals,
      handler: createInvoice,
    },
    bulk: {
      description: `Up to 500, of at most ${MOST_LINES} lines in all (more: 422, before anything is tried), in one transaction. It costs as much as 5 requests.`,
      errors: refusals,
      handler: createInvoices,
    },
    update: {
      description: 'Of a draft alone. JSON Merge Patch (RFC 7396): null clears, absence leaves; lines are replaced.',
      errors: ['not_found', 'version_mismatch', ...refusals, 'invoice_not_draft'],
      handler: updateInvoice,
    },
    archive: {
      summary: 'Void an invoice',
      description: 'As `void`, of a draft too: nothing is ever deleted.',
      errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    },
  }),
  onInvoice('finalize', {
    summary: 'Issue an invoice',
    description:
      'Gives it its number, the next of its branch without a gap, and freezes it. Of a total of nothing it is PAID at once.',
    handler: finalizeInvoice,
  }),
  onInvoice('void', {
    summary: 'Void an invoice',
    description: 'It keeps its number. Not while money is in: refund it first. A draft was not issued: DELETE it.',
    handler: voidInvoice,
  }),
  onInvoice('uncollectible', {
    summary: 'Write an invoice off',
    description: 'It will not be paid.',
    handler: writeOffInvoice,
  }),
]);
