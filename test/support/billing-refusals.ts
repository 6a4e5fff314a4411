import type { Api, Reply } from './api.ts';
import { erasedClient, slot } from './calendar-refusals.ts';
import { type Kit, type Refusal, unique } from './fixtures/fixture.ts';

// What only invoices and payments can say, by route and code.

const euros = (amount: number) => ({ amount, currency: 'EUR' });
const LESS_THAN_NOTHING = [{ description: 'Redeemed', unitPrice: euros(-5) }];
const NOBODY = 'brch_01h455vb4pex5vsknk084sn02q';

/** The request once its invoice is what a verb has made of it. */
const after =
  (...verbs: readonly string[]): Refusal =>
  async ({ tenant, aim, fire }) => {
    const shot = await aim();
    for (const verb of verbs) await tenant.api.post(`/invoices/${shot.id}/${verb}`);
    return fire(tenant.api, shot);
  };

/** The usual request with other members: of the one item of a bulk, too. */
const saying =
  (members: object): Refusal =>
  async ({ tenant, aim, fire }) => {
    const shot = await aim();
    const [item] = (shot.body?.items ?? []) as object[];
    const body = item === undefined ? { ...shot.body, ...members } : { ...shot.body, items: [{ ...item, ...members }] };
    return fire(tenant.api, { ...shot, body });
  };

const withoutKey: Refusal = async ({ tenant, aim, fire }) => {
  const { headers: _key, ...shot } = await aim();
  return fire(tenant.api, shot);
};

const sameExternalId: Refusal = async ({ tenant, aim, fire }) => {
  const [first, second] = [await aim(), await aim()];
  const taking = (shot: typeof first) => ({ ...shot, body: { ...shot.body, externalId: 'taken' } });
  await fire(tenant.api, taking(first));
  return fire(tenant.api, taking(second));
};

async function paying(
  { tenant, aim, fire }: Kit,
  ready: (api: Api, invoice: string) => Promise<unknown>,
): Promise<Reply> {
  const shot = await aim();
  await ready(tenant.api, String(shot.body?.invoiceId));
  return fire(tenant.api, shot);
}

/** The usual request, for an appointment that something has become of. */
const billing =
  (become: (api: Api, appointmentId: string, branchId: unknown) => Promise<Reply>): Refusal =>
  async (kit, route) => {
    const { api } = kit.tenant;
    const booked = await api.post('/appointments', await slot(api));
    const appointmentId = String(booked.json.id);
    const { status, text } = await become(api, appointmentId, booked.json.branchId);
    if (status >= 300) throw new Error(text);
    return saying({ lines: [{ appointmentId }], discount: null })(kit, route);
  };

export const invoiceRefusals: Record<string, Refusal> = {
  'PATCH /invoices/:id invoice_not_draft': after('finalize'),
  'DELETE /invoices/:id illegal_transition': after('finalize', 'uncollectible'),
  'POST /invoices/:id/finalize illegal_transition': after('finalize', 'void'),
  'POST /invoices/:id/void illegal_transition': after('uncollectible'),
  'POST /invoices/:id/uncollectible illegal_transition': after('void'),
  'POST /invoices/:id/uncollectible not_found': async ({ tenant }) =>
    tenant.api.post('/invoices/inv_01h455vb4pex5vsknk084sn02q/uncollectible'),
};
for (const name of ['POST /invoices', 'POST /invoices/bulk', 'PATCH /invoices/:id']) {
  invoiceRefusals[`${name} unknown_reference`] = saying({ branchId: NOBODY });
  invoiceRefusals[`${name} erased`] = async (kit, route) =>
    saying({ clientId: await erasedClient(kit.tenant.api) })(kit, route);
  invoiceRefusals[`${name} negative_total`] = saying({ lines: LESS_THAN_NOTHING, discount: null });
  invoiceRefusals[`${name} not_billable`] = billing((api, id) => api.delete(`/appointments/${id}`));
  invoiceRefusals[`${name} already_billed`] = billing((api, appointmentId, branchId) =>
    api.post('/invoices', { branchId, lines: [{ appointmentId }] }),
  );
  if (!name.endsWith('bulk')) invoiceRefusals[`${name} external_id_taken`] = sameExternalId;
}
invoiceRefusals['POST /invoices/bulk external_id_taken'] = async ({ tenant, aim, fire }) => {
  const shot = await aim();
  const [item] = (shot.body?.items ?? []) as object[];
  return fire(tenant.api, {
    ...shot,
    body: { mode: 'atomic', items: [1, 2].map(() => ({ ...item, externalId: 'taken twice' })) },
  });
};

/** Something said of what is given back to somebody who was erased since they paid. */
const refundingErased: Refusal = async ({ tenant: { api }, aim, fire }) => {
  const shot = await aim();
  const { json: payment } = await api.get(`/payments/${shot.id}`);
  const { branchId } = (await api.get(`/invoices/${payment.invoiceId}`)).json;
  const clientId = (await api.post('/clients', { firstName: 'Gone' })).json.id;
  const lines = [{ description: 'Cut', unitPrice: euros(100) }];
  const { id: invoiceId } = (await api.post('/invoices', { branchId, clientId, lines })).json;
  await api.post(`/invoices/${invoiceId}/finalize`);
  const key = { headers: { 'Idempotency-Key': `own-${unique()}` } };
  const paid = await api.post('/payments', { invoiceId, amount: euros(100), method: 'CASH' }, key);
  await api.post(`/clients/${clientId}/erase`);
  const body = { amount: euros(100), reason: 'They were ill.' };
  return fire(api, { ...shot, path: `/payments/${paid.json.id}/refunds`, body });
};

export const paymentRefusals: Record<string, Refusal> = {
  'POST /payments idempotency_key_required': withoutKey,
  'POST /payments/:id/refunds idempotency_key_required': withoutKey,
  'POST /payments/:id/refunds erased': refundingErased,
  'POST /payments unknown_reference': saying({ invoiceId: 'inv_01h455vb4pex5vsknk084sn02q' }),
  'POST /payments exceeds_balance': saying({ amount: euros(1_000_000_000) }),
  'POST /payments invoice_not_open': (kit) => paying(kit, (api, id) => api.post(`/invoices/${id}/void`)),
  'POST /payments external_id_taken': sameExternalId,
  'POST /payments/:id/refunds external_id_taken': sameExternalId,
  'POST /payments/:id/refunds exceeds_paid': saying({ amount: euros(1_000_000_000) }),
};
