import type { RealtimeTicket } from '../api.ts';
import type { ApiClient } from '../rest/client.ts';

/** `endsAt`: by this machine's clock, ms; not later than by the server's. */
export type Ticket = RealtimeTicket & { endsAt: number };

/** Good for one connection, or for a longer life of one. Asked for once, as whoever wants it asks again. */
export async function ticketFor(client: ApiClient, session: string | null): Promise<Ticket> {
  const asked = client.host.now();
  const body = session === null ? {} : { session };
  const ticket = (await client.request('post', '/realtime/tickets', { body, repeats: 0 })).body;
  return { ...ticket, endsAt: asked + ticket.expiresIn * 1000 };
}
