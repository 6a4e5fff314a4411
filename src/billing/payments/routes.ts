import { routesBelow } from '../../http/route.ts';
import { standardRoutes } from '../../resources/standard-routes.ts';
import { payment, refund } from './resource.ts';
import { RefundCreate, RefundView } from './schema.ts';
import { createPayment, createRefund } from './verbs.ts';

export const paymentRoutes = routesBelow(['payments', 'refunds'], () => [
  ...standardRoutes(payment, {
    only: ['list', 'create', 'export', 'read'],
    create: {
      summary: 'Pay an invoice',
      description:
        'Wholly or in part, and never more than its balance. It needs an Idempotency-Key, so that a repeat pays nothing twice.',
      errors: [
        'external_id_taken',
        'unknown_reference',
        'invoice_not_open',
        'exceeds_balance',
        'idempotency_key_required',
      ],
      handler: createPayment,
    },
    read: { description: 'With what of it was refunded.' },
  }),
  {
    method: 'post',
    path: '/payments/:id/refunds',
    tag: payment.tag,
    summary: 'Refund a payment',
    description: 'Wholly or in part, and never more than is left of it. It needs an Idempotency-Key.',
    permission: payment.writePermission,
    body: RefundCreate,
    success: { status: 201, schema: RefundView, description: 'The new refund' },
    errors: [
      'not_found',
      'version_mismatch',
      'external_id_taken',
      'exceeds_paid',
      'erased',
      'idempotency_key_required',
    ],
    handler: createRefund,
  },
  ...standardRoutes(refund, { only: ['list', 'export', 'read'], read: { description: 'What went back, and why.' } }),
]);
