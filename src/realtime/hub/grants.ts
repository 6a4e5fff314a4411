import type { Grant } from '../../core/ticket.ts';
import { CLOSE } from '../../core/upgrade.ts';
import type { Change } from '../../data/log.ts';
import { type Audience, topicsFor } from './audience.ts';
import type { Connection } from './member.ts';

/** What connections may, as that changes while they are open. */
export class Grants {
  readonly #audience: Audience;
  readonly #connections: () => Iterable<Connection>;
  readonly #changed: (connection: Connection) => void;

  /** @param changed called for one who may something else, if only for a moment */
  constructor(audience: Audience, connections: () => Iterable<Connection>, changed: (connection: Connection) => void) {
    [this.#audience, this.#connections, this.#changed] = [audience, connections, changed];
  }

  /** What a connection's credential may now; null: nothing any more. */
  renew(connection: Connection, grant: Grant | null): void {
    if (grant === null) {
      connection.close(CLOSE.revoked, 'revoked');
      return;
    }
    connection.member.grant = grant;
    this.narrow(connection);
  }

  /** What a change gives or takes. */
  apply(change: Change): void {
    const changed = this.#audience.grantAfter(change);
    if (changed === null) return;
    for (const connection of this.#connections()) {
      const { actor, grant } = connection.member;
      if (actor !== changed.actor) continue;
      this.renew(connection, changed.grant);
      // Also where a later change of the same frame gives back what this one takes.
      if (JSON.stringify(grant) !== JSON.stringify(changed.grant)) this.#changed(connection);
    }
  }

  /** What was subscribed to and may be seen no more is left out from here on. */
  narrow(connection: Connection): void {
    const { member } = connection;
    if (member.topics !== null) member.topics = topicsFor(this.#audience, member.grant, member.topics);
    connection.save();
  }
}
