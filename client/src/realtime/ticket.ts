import type { RealtimeTicket } from '../api.ts';
import type { ApiClient } from '../rest/client.ts';

/** Good for one connection, or for a longer life of one. Asked for once, as whoever wants it asks again. */
export async function ticketFor(client: ApiClient, session: string | null): Promise<RealtimeTicket> {
  const body = session === null ? {} : { session };
  return (await client.request('post', '/realtime/tickets', { body, repeats: 0 })).body;
}
