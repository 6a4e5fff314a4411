import type { ApiClient } from '../rest/client.ts';
import { ticketFor } from './ticket.ts';

/** So long before a token ends its connection gets another one, ms. */
const EARLY = 60_000;
const TRY_AGAIN = 10_000;

/** Keeps a connection's credentials good, as they end with the access token that it was opened with. */
export class Renewal {
  readonly #client: ApiClient;
  readonly #send: (ticket: string) => void;
  #cancel: () => void = () => undefined;

  constructor(client: ApiClient, send: (ticket: string) => void) {
    this.#client = client;
    this.#send = send;
  }

  /** Counts from the present token. */
  start(): void {
    this.stop();
    const { session, host } = this.#client;
    // A key has no such end.
    if (session.current === null) return;
    this.#in(Math.max(0, session.current.expiresAt - host.now() - EARLY));
  }

  stop(): void {
    this.#cancel();
    this.#cancel = () => undefined;
  }

  #in(ms: number): void {
    const { host, session } = this.#client;
    this.#cancel = host.after(ms, () => {
      const mine = this.#cancel;
      const isCurrent = (): boolean => mine === this.#cancel;
      // Twice as early, so that this one renews it.
      session
        .token(EARLY * 2)
        .then(() => ticketFor(this.#client, null))
        .then(({ ticket }) => isCurrent() && this.#send(ticket))
        .catch(() => isCurrent() && this.#in(TRY_AGAIN));
    });
  }
}
