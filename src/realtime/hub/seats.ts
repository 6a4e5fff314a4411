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

  /** Takes those who are there for all there are: the end of a connection may have passed unseen. */
  count(): void {
    this.#taken.clear();
    for (const connection of this.#present()) this.take(connection);
  }
}
