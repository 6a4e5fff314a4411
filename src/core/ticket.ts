import { seal, unseal } from './sealed.ts';

/** What may be seen follows from it: the role of a user, or the scopes of a key. */
export type Grant = { role: string } | { scopes: readonly string[] };

/** Who listens to a company. */
export type Listener = {
  /** Public id of the company. */
  company: string;
  /** As the log writes it: `USER:<uuid>` or `API_KEY:<uuid>`. A key counts as a user of its own. */
  actor: string;
  /** The session or key whose life is looked after. */
  credential: string;
  grant: Grant;
  /** When the credential ends by itself, ms; null when it does not. */
  expiresAt: number | null;
};

/** What opens one connection of somebody, once. `session` names the one it takes the place of. */
export type Ticket = { id: string; until: number; listener: Listener; session: string | null };

/** How long a ticket is good for, s. */
export const TICKET_SECONDS = 30;

const PLACE = 'realtime ticket';

/** A ticket as its holder carries it, in characters that a subprotocol may have: nothing of it is kept anywhere. */
export function sealTicket(
  secret: string,
  ticket: { listener: Listener; session: string | null },
  now: number,
): string {
  const text = Buffer.from(JSON.stringify({ id: crypto.randomUUID(), ...ticket })).toString('base64url');
  return seal(secret, PLACE, text, now + TICKET_SECONDS * 1000);
}

/** What a ticket of ours says that is still good; null for anything else. Whether it was used, the room knows. */
export function openTicket(secret: string, text: string, now: number): Ticket | null {
  const said = unseal(secret, PLACE, text, now);
  if (said === null) return null;
  // Signed by us, hence shaped by us.
  const ticket = JSON.parse(Buffer.from(said, 'base64url').toString('utf8')) as Omit<Ticket, 'until'>;
  return { ...ticket, until: Number(text.split('.')[1]) };
}
