import type { Connection } from './member.ts';

/**
 * Who came and was not seen to leave, by the session that names the connection: at least all who are there, so that whoever
 * comes back among a hundred others is not the cause to look at each of them.
 */
export class Seats {
  readonly #present: () => Iterable<Connection>;
  readonly #taken = new Map<string, Connection>();

  /** @param present the connections that are open now */
  constructor(present: () => Iterable<Connection>) {
    this.#present = present;
    this.count();
  }

  take(connection: Connection): void {
    this.#taken.set(connection.member.session, connection);
  }

  leave(connection: Connection): void {
    this.#taken.delete(connection.member.session);
  }

  of(session: string): Connection | undefined {
    return this.#taken.get(session);
  }

  /** Whether fewer than so many are there besides this one. They are counted only where it is not plain. */
  areFewerThan(limit: number, besides?: Connection): boolean {
    if (this.#taken.size < limit) return true;
    this.count();
    const isThere = besides !== undefined && this.of(besides.member.session) === besides;
    return this.#taken.size - (isThere ? 1 : 0) < limit;
  }

  /** Where another has more than half of all seats, the one they took last, which is free from now on: nobody keeps all colleagues out. */
  sparedFor(actor: string, limit: number): Connection | null {
    const byActor = Map.groupBy(this.#taken.values(), ({ member }) => member.actor);
    const most = [...byActor].find(([other, own]) => other !== actor && own.length > limit / 2);
    // The platform lists sockets in an order of its own.
    const spared = most?.[1].sort((a, b) => a.member.connectedAt - b.member.connectedAt).at(-1) ?? null;
    if (spared !== null) this.leave(spared);
    return spared;
  }

  /** Takes those who are there for all there are: the end of a connection may have passed unseen. */
  count(): void {
    this.#taken.clear();
    for (const connection of this.#present()) this.take(connection);
  }
}
