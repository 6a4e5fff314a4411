import type { Grant, Listener } from '../../core/ticket.ts';
import { CLOSE } from '../../core/upgrade.ts';
import type { Change } from '../../data/log.ts';
import type { Position } from '../../data/position.ts';
import type { Audience } from './audience.ts';
import { reset } from './catch-up.ts';
import { readCommand } from './command.ts';
import { Delivery } from './delivery.ts';
import type { ReadLists } from './following.ts';
import { Grants } from './grants.ts';
import { endOf } from './lifetime.ts';
import { Lists } from './lists.ts';
import type { Connection } from './member.ts';
import { type Command, errorFrame, PONG, type RoomLimits, welcomeFrame } from './protocol.ts';
import { Quotas } from './quota.ts';
import type { Ring } from './ring.ts';
import { Seats } from './seats.ts';
import type { Shelf } from './shelf.ts';
import { type Log, Stream, type Time } from './stream.ts';
import { Subscriber } from './subscriber.ts';
import { Talk } from './talk.ts';

export type HubParts = {
  audience: Audience;
  limits: RoomLimits;
  time: Time;
  log: Log;
  readLists: ReadLists;
  ring: Ring;
  shelf: Shelf;
  /** The sockets that are open now; after a hibernation, those that stayed so. */
  connections(): Iterable<Connection>;
  /** When something last came over a socket that the platform answered by itself, ms. */
  lastPing(connection: Connection): number;
  /** Reads a ticket that no connection has used yet; null for one that is not, or no more, good. */
  redeem(ticket: string): Promise<Listener | null>;
};

/** A company's sockets: who they are, what they say, and what they are sent. Everything that happens comes in through here. */
export class Hub {
  readonly #parts: HubParts;
  readonly #stream: Stream;
  readonly #delivery: Delivery;
  readonly #subscriber: Subscriber;
  readonly #quotas: Quotas;
  readonly #talk: Talk;
  readonly #lists: Lists;
  readonly #seats: Seats;
  readonly #grants: Grants;

  constructor(parts: HubParts) {
    this.#parts = parts;
    const { audience, limits, time, log, ring } = parts;
    const position = (): Position | null => this.#stream.position();
    this.#delivery = new Delivery({
      audience,
      time,
      random: Math.random,
      position,
      behind: (connection, revision) => this.#behind(connection, revision),
    });
    this.#quotas = new Quotas(limits);
    this.#seats = new Seats(parts.connections);
    this.#talk = new Talk(audience, parts.connections, time, (connection, text) =>
      this.#delivery.pass(connection, text),
    );
    const { readLists: read, shelf } = parts;
    this.#lists = new Lists(audience, parts.connections, { read, time, ring, shelf, position });
    this.#grants = new Grants(audience, parts.connections, (connection) => this.#lists.renew(connection));
    this.#stream = new Stream(
      {
        time,
        log,
        ring,
        batchMs: limits.batchMs,
        purges: audience.purges,
        isHeard: () => this.isHeard,
        deliver: (batch) => {
          // First, so that nobody is sent what the same moment has taken from them.
          for (const change of batch.items) this.#grants.apply(change);
          const readers = [...this.#live()];
          this.#delivery.send(readers, batch, this.#lists.present(readers, batch.items));
        },
        restarted: (position, reason) => {
          this.#lists.restart();
          for (const connection of this.#live()) reset(connection, reason, position);
        },
        lost: () => {
          for (const connection of this.#live()) connection.close(CLOSE.positionLost, 'position lost');
        },
      },
      some(parts.connections()),
    );
    this.#subscriber = new Subscriber({
      ...{ audience, ring, log, now: time.now },
      stream: this.#stream,
      delivery: this.#delivery,
      lists: this.#lists,
      quotas: this.#quotas,
    });
  }

  /**
   * Whether there is room for one more of this user or key; of another that has more than half one goes.
   * @param session the connection it takes the place of, where it says so: that one closes before this one counts
   */
  admits(actor: string, session: string | null): boolean {
    const named = session === null ? undefined : this.#seats.of(session);
    const ghost = named?.member.actor === actor ? named : undefined;
    const { connections: limit } = this.#parts.limits;
    const isRoom = this.#seats.areFewerThan(limit, ghost);
    ghost?.close(CLOSE.replaced, 'replaced');
    if (isRoom) return true;
    const spared = this.#seats.sparedFor(actor, limit);
    spared?.close(CLOSE.roomFull, 'room full');
    return spared !== null;
  }

  /** Finds out where the company is, so that it can be told; whoever comes while that cannot be known is told nothing of it. */
  async ready(): Promise<void> {
    await this.#stream.locate().catch(() => undefined);
  }

  /** Greets a socket that was just accepted. */
  welcome(connection: Connection): void {
    const { limits } = this.#parts;
    this.#seats.take(connection);
    connection.send(welcomeFrame(connection.member, this.#stream.position(), limits));
  }

  /** Something a client said. @returns work that goes on behind it, which never rejects */
  async hear(connection: Connection, frame: string | ArrayBuffer): Promise<void> {
    const { member } = connection;
    const now = this.#parts.time.now();
    member.lastMessageAt = now;
    connection.save();
    const reading = readCommand(frame);
    if ('fault' in reading) {
      const { fault, id, message } = reading;
      connection.send(errorFrame(fault, message, { id }));
      if (this.#quotas.isBadOnceTooOften(connection, now)) connection.close(CLOSE.badRequest, 'bad frames');
      return;
    }
    const { command } = reading;
    if (command.type === 'ack' && this.#delivery.confirmed(connection, command.revision)) return;
    if (command.type === 'ack' || command.type === 'ping') {
      if (this.#quotas.isIdleTooOften(connection, now)) return connection.close(CLOSE.rateLimited, 'rate limited');
      return command.type === 'ping' ? connection.send(PONG) : undefined;
    }
    const wait = this.#quotas.take(member.actor, command.type === 'signal' ? 'signals' : 'messages', now);
    if (wait === 0) return await this.#obey(connection, command);
    const more = { id: 'id' in command ? command.id : null, temporary: true, retryAfterMs: wait };
    connection.send(errorFrame('rate_limited', 'Too many messages.', more));
    if (this.#quotas.isRefusedOnceTooOften(member.actor, now)) connection.close(CLOSE.rateLimited, 'rate limited');
  }

  /** A write has committed up to here. */
  published(end: Position, changes: readonly Change[]): void {
    this.#stream.push(end, changes);
  }

  /** Whether anybody would be sent anything. */
  get isHeard(): boolean {
    return some(this.#live()) || this.#subscriber.isBringing;
  }

  left(connection: Connection): void {
    this.#seats.leave(connection);
    this.#subscriber.left(connection);
    this.#delivery.left(connection);
    this.#talk.left(connection);
  }

  /** Whoever listens with this session or key listens no more. */
  end(credential: string): void {
    for (const connection of this.#parts.connections())
      if (connection.member.credential === credential) connection.close(CLOSE.revoked, 'revoked');
  }

  /** What a connection's credential may now; null: nothing any more. */
  regrant(connection: Connection, grant: Grant | null): void {
    this.#grants.renew(connection, grant);
  }

  /** Closes what has gone silent or whose credential has ended. @returns when to look again, ms; null with nobody there */
  sweep(): number | null {
    const now = this.#parts.time.now();
    const { idleMs } = this.#parts.limits;
    let next: number | null = null;
    const present = new Set<string>();
    for (const connection of this.#parts.connections()) {
      const { member } = connection;
      const end = endOf(member, this.#parts.lastPing(connection), now, idleMs);
      if ('code' in end) {
        connection.close(end.code, end.reason);
        continue;
      }
      present.add(member.actor);
      next = Math.min(next ?? Number.POSITIVE_INFINITY, end.due);
    }
    this.#quotas.forget(present, now);
    this.#seats.count();
    if (next === null) {
      this.#stream.retire();
      this.#lists.retire();
    }
    return next;
  }

  async #obey(connection: Connection, command: Exclude<Command, { type: 'ping' | 'ack' }>): Promise<void> {
    switch (command.type) {
      case 'subscribe':
        return await this.#subscriber.subscribe(connection, command);
      case 'refresh':
        return await this.#refresh(connection, command);
      case 'signal':
        return this.#talk.signal(connection, command);
      case 'presence':
        return this.#talk.presence(connection, command.state);
    }
  }

  async #refresh(connection: Connection, { id, ticket }: Extract<Command, { type: 'refresh' }>): Promise<void> {
    const listener = await this.#parts.redeem(ticket);
    const { member } = connection;
    if (listener === null || listener.company !== member.company || listener.actor !== member.actor)
      return connection.send(errorFrame('invalid_ticket', 'The ticket is not, or no more, good for this.', { id }));
    Object.assign(member, listener);
    this.#grants.narrow(connection);
    const expiresAt = listener.expiresAt === null ? null : new Date(listener.expiresAt).toISOString();
    connection.send(JSON.stringify({ type: 'refreshed', id, expiresAt }));
  }

  #behind(connection: Connection, revision: number): void {
    const epoch = this.#stream.position()?.epoch;
    if (epoch === undefined) connection.close(CLOSE.positionLost, 'position lost');
    else void this.#subscriber.behind(connection, { epoch, revision });
  }

  *#live(): Generator<Connection> {
    for (const connection of this.#parts.connections()) if (connection.member.live) yield connection;
  }
}

function some(items: Iterable<unknown>): boolean {
  for (const _ of items) return true;
  return false;
}
