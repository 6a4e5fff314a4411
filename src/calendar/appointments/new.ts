import type { Money } from '../../core/currency.ts';
import type { Principal } from '../../http/context.ts';
import { maybe } from '../asked.ts';

type Body = {
  clientId?: string | null | undefined;
  status?: 'PENDING' | 'CONFIRMED' | undefined;
  notes?: string | null | undefined;
  externalId?: string | null | undefined;
  holdId?: string | undefined;
  allowOverlap?: boolean | undefined;
};

/** The columns of a new appointment besides where, what and when. Each names the same ones, so that many can be stored at once. */
export const newAppointment = (id: string, principal: Principal, body: Body, { price }: { price: Money | null }) => ({
  id,
  client_id: maybe('clnt', body.clientId) ?? null,
  status: body.status ?? 'PENDING',
  notes: body.notes ?? null,
  price,
  source: principal.userId === null ? 'API' : 'STAFF',
  allow_overlap: body.allowOverlap ?? false,
  status_history: [],
  hold_id: maybe('hold', body.holdId) ?? null,
  external_id: body.externalId ?? null,
});
