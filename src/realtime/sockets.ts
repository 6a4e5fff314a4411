import { type Grant, type Listener, TICKET_SECONDS, type Ticket } from '../core/ticket.ts';
import { CLOSE, PROTOCOL, type Upgrade } from '../core/upgrade.ts';
import type { Change } from '../data/log.ts';
import type { Position } from '../data/position.ts';
import { closedSocket } from '../data/rooms.ts';
import { doAll, earliest } from './duties.ts';
import type { Ended } from './ended.ts';
import { Headcount } from './headcount.ts';
import { Hub, type HubParts } from './hub/hub.ts';
import { attachmentOf, type Connection, type Member, memberOf } from './hub/member.ts';
import { PING, PONG } from './hub/protocol.ts';
import { StoredRing } from './hub/ring.ts';
import { StoredShelf } from './hub/shelf.ts';
import type { Log } from './hub/stream.ts';
import { LookAfter } from './look-after.ts';
import { StoredTickets, UsedTickets } from './used-tickets.ts';

export type SocketParts = Pick<HubParts, 'audience' | 'limits' | 'readLists'> & {
  log: Log;
  ended: Ended;
  now(): number;
  /** Reads a sealed ticket; null for what is none, or none any more. */
  unseal(ticket: string): Ticket | null;
  /** Those of these credentials that live, and what they may; asked once in a while for everybody who listens. */
  alive(listeners: readonly Listener[]): Promise<ReadonlyMap<string, Grant>>;
  /** Tells the monitor how many sockets there are. */
  listening(sockets: number): Promise<unknown>;
};

/** The sockets of one room as the platform keeps them: hibernating, with what is known of each attached to it. */
export class Sockets {
  readonly #state: DurableObjectState;
  readonly #parts: SocketParts;
  readonly #hub: Hub;
  readonly #known = new WeakMap<WebSocket, Connection>();
  readonly #sockets = new WeakMap<Connection, WebSocket>();
  readonly #lookAfter = new LookAfter();
  readonly #headcount: Headcount;
  readonly #tickets: UsedTickets;

  constructor(state: DurableObjectState, parts: SocketParts) {
    this.#state = state;
    this.#parts = parts;
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#headcount = new Headcount({
      count: () => [...this.#connections()].length,
      tell: parts.listening,
      now: parts.now,
      after: (ms, work) => void setTimeout(work, ms),
    });
    const { sql } = state.storage;
    this.#tickets = new UsedTickets(new StoredTickets(sql), (ms, work) => void setTimeout(work, ms));
    this.#hub = new Hub({
      audience: parts.audience,
      limits: parts.limits,
      log: parts.log,
      readLists: parts.readLists,
      time: { now: parts.now, after: (ms, work) => void setTimeout(work, ms) },
      ring: new StoredRing(sql),
      shelf: new StoredShelf(sql),
      connections: () => this.#connections(),
      lastPing: (connection) => this.#lastPing(connection),
      redeem: async (ticket) => {
        const read = parts.unseal(ticket);
        if (read === null || this.#tickets.use(read, parts.now()) !== 'good') return null;
        const grant = await this.#grantOf(read.listener).catch(() => null);
        return grant === null ? null : { ...read.listener, grant };
      },
    });
  }

  /** Accepts an upgrade; what is wrong with it is said by a close code, as a browser cannot read a refused one's answer. */
  async accept(upgrade: Upgrade, protocol: string | null): Promise<Response> {
    await this.#hub.ready();
    const { listener, session, ticket } = upgrade;
    const chosen = protocol === null ? null : PROTOCOL;
    const used = ticket === null ? 'good' : this.#tickets.use(ticket, this.#parts.now());
    if (used === 'used') return closedSocket(CLOSE.unauthorized, 'ticket used', chosen);
    // They are to come again with another.
    if (used === 'doubtful') return closedSocket(CLOSE.credentialsExpired, 'ticket may be used', chosen);
    const grant = await this.#grantOf(listener).catch(() => undefined);
    // It cannot be found out: they are to come again with what is issued by then.
    if (grant === undefined) return closedSocket(CLOSE.credentialsExpired, 'credentials unknown', chosen);
    if (grant === null) return closedSocket(CLOSE.revoked, 'revoked', chosen);
    if (!this.#hub.admits(listener.actor, session)) return closedSocket(CLOSE.roomFull, 'room full', chosen);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.acceptWebSocket(server);
    const now = this.#parts.now();
    const member: Member = {
      ...listener,
      grant,
      session: `rts_${crypto.randomUUID()}`,
      connectedAt: now,
      lastMessageAt: now,
      topics: null,
      lists: [],
      live: false,
    };
    this.#hub.welcome(this.#attach(server, member));
    this.#lookAfter.letIn(ticket === null ? now : ticket.until - TICKET_SECONDS * 1000, now);
    this.#headcount.look();
    const headers = chosen === null ? {} : { 'Sec-WebSocket-Protocol': chosen };
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  /** @returns work that goes on behind it; not to be waited for in the handler, which holds up the socket's pongs */
  heard(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    // Who was told to go is heard no more, though it may go on.
    if (socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    const connection = this.#of(socket);
    return connection === null ? Promise.resolve() : this.#hub.hear(connection, frame);
  }

  closed(socket: WebSocket): void {
    // Its half of the handshake, which ends the other's waiting.
    socket.close();
    const connection = this.#of(socket);
    if (connection !== null) this.#hub.left(connection);
    this.#headcount.look();
  }

  published(end: Position, changes: readonly Change[]): void {
    this.#hub.published(end, changes);
  }

  get isHeard(): boolean {
    return this.#hub.isHeard;
  }

  end(credential: string): void {
    this.#hub.end(credential);
  }

  /** When something is due next at the latest, ms. */
  nextSweep(): number {
    return this.#lookAfter.latest(this.#parts.now());
  }

  /** Whatever is due. @returns when to look again, ms; null with nobody there */
  async sweep(): Promise<number | null> {
    const now = this.#parts.now();
    let next: number | null = null;
    const again = await doAll([
      () => this.#tickets.forget(now),
      () => this.#parts.ended.forget(now),
      () => (this.#lookAfter.isDue(now) ? this.#lookAfterCredentials(now) : null),
      () => {
        next = this.#hub.sweep();
        return next;
      },
      () => this.#headcount.look(),
    ]);
    if (next === null) this.#lookAfter.begin();
    return next === null ? again : earliest(again, this.#lookAfter.next);
  }

  async #lookAfterCredentials(now: number): Promise<void> {
    const connections = [...this.#connections()];
    if (connections.length === 0) return;
    this.#lookAfter.begin();
    let isKnown = true;
    try {
      const alive = await this.#parts.alive(connections.map(({ member }) => member));
      const gone = new Set<string>();
      for (const connection of connections) {
        const { credential } = connection.member;
        const grant = alive.get(credential) ?? null;
        if (grant === null) gone.add(credential);
        this.#hub.regrant(connection, grant);
      }
      this.#parts.ended.add([...gone], now);
    } catch {
      // Nobody is thrown out because the database is away: who listens is told nothing then either.
      isKnown = false;
    }
    this.#lookAfter.end(now, isKnown);
  }

  /**
   * What this listener may now; null: nothing any more. Where something was heard of them the database is asked: it knows, and
   * so nobody is refused for what is wrong here. @throws AppError
   */
  async #grantOf(listener: Listener): Promise<Grant | null> {
    const { alive, ended } = this.#parts;
    while (ended.has(listener)) {
      const { heard } = ended;
      const living = await alive([listener]);
      // Else the answer may be older than what was heard meanwhile.
      if (heard === ended.heard) return living.get(listener.credential) ?? null;
    }
    return listener.grant;
  }

  *#connections(): Generator<Connection> {
    for (const socket of this.#state.getWebSockets()) {
      // Those that are closing are still listed.
      if (socket.readyState !== WebSocket.OPEN) continue;
      const connection = this.#of(socket);
      if (connection !== null) yield connection;
    }
  }

  #of(socket: WebSocket): Connection | null {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const attached = socket.deserializeAttachment() as Uint8Array | null;
    return attached === null ? null : this.#attach(socket, memberOf(attached));
  }

  #attach(socket: WebSocket, member: Member): Connection {
    let isDue = false;
    const connection: Connection = {
      member,
      save() {
        // Once for all that changes in one turn: nothing sleeps before its end.
        if (!isDue) queueMicrotask(keep);
        isDue = true;
      },
      send(text) {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      close(code, reason) {
        if (socket.readyState === WebSocket.OPEN) socket.close(code, reason);
      },
    };
    const keep = (): void => {
      isDue = false;
      if (socket.readyState === WebSocket.OPEN) socket.serializeAttachment(attachmentOf(member));
    };
    keep();
    this.#known.set(socket, connection);
    this.#sockets.set(connection, socket);
    return connection;
  }

  #lastPing(connection: Connection): number {
    const socket = this.#sockets.get(connection);
    return socket === undefined ? 0 : (this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
  }
}
