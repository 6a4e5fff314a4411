import type { Listener, Ticket } from './ticket.ts';

// What the Worker that looks at an upgrade to a WebSocket and the room that takes the socket must agree on.

/** The subprotocol; beside it a browser sends its ticket as another one, `ticket.…`. */
export const PROTOCOL = 'clientsplus.v1';

/** Close codes (contract 6): below 4500 a client comes back, from there on it stays away. */
export const CLOSE = {
  idle: 4001,
  positionLost: 4003,
  slow: 4008,
  credentialsExpired: 4009,
  roomFull: 4013,
  rateLimited: 4029,
  replaced: 4500,
  unauthorized: 4501,
  badRequest: 4502,
  revoked: 4503,
  unsupportedProtocol: 4505,
} as const;

/**
 * How soon the room looks after a credential that was let in, ms since it was: whoever lets it in may go by what was known
 * of it before, and a ticket is used later than it was given.
 */
export const LOOKED_AFTER_WITHIN = 10_000;

/** An upgrade that the Worker has looked at: whose company it is of, who it is, and what makes it good once. */
export type Upgrade = {
  companyId: string;
  listener: Listener;
  /** The connection it takes the place of. */
  session: string | null;
  /** The ticket's own id, ms until which it is good; null for whoever came with a bearer. */
  ticket: Pick<Ticket, 'id' | 'until'> | null;
};

const HEADER = 'Clients-Plus-Upgrade';

/** It goes to the room as a header: only we reach a room, so what stands there is true. */
export const upgradeHeader = (upgrade: Upgrade): Record<string, string> => ({ [HEADER]: JSON.stringify(upgrade) });

export function readUpgrade(headers: Headers): Upgrade {
  const said = headers.get(HEADER);
  if (said === null) throw new Error('no upgrade of ours');
  return JSON.parse(said) as Upgrade;
}
