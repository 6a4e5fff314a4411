import type { Grant, Listener } from '../../../src/core/ticket.ts';
import type { Counted, LiveList } from '../../../src/data/live-list.ts';
import type { Change } from '../../../src/data/log.ts';
import type { Position } from '../../../src/data/position.ts';
import type { Audience } from '../../../src/realtime/hub/audience.ts';
import { Hub } from '../../../src/realtime/hub/hub.ts';
import type { Connection, Member } from '../../../src/realtime/hub/member.ts';
import { MemoryRing, type Ring } from '../../../src/realtime/hub/ring.ts';
import { MemoryShelf } from '../../../src/realtime/hub/shelf.ts';
import { type Asked, audience, type Counting, Socket } from './hub-cast.ts';

/** The rows of a log page of the world. */
const PAGE = 50;

/** What a world has besides: lists, and who may see them. */
export type Lists = { audience: Audience; count(list: LiveList): Counted };

/** A company, its log and its room, with a clock and a network that stand still until they are told to go on. */
export class HubWorld {
  now = 1_000_000;
  /** In the order of time, as UUIDv7 are. */
  epoch = 'e001';
  /** The truth. */
  log: Change[] = [];
  sockets = new Set<Socket>();
  asked: Asked[] = [];
  counting: Counting[] = [];
  /** What readers found wrong. */
  readonly faults: string[] = [];
  /** When the platform answered a ping of a socket. */
  readonly pinged = new Map<Connection, number>();
  readonly tickets = new Map<string, Listener>();
  /** Whether the next write of the ring fails. */
  isRingTorn = false;
  /** Whose grant the change of a revision changes. */
  readonly grants = new Map<number, { actor: string; grant: Grant | null }>();
  hub: Hub;
  #ring = new MemoryRing();
  readonly #shelf = new MemoryShelf();
  #timers: { at: number; work: () => void; hub: number }[] = [];
  /** Names the life of the object: what an earlier one had under way is gone with it. */
  #life = 0;

  readonly #messages: number;
  readonly #reads: number;
  readonly #lists: Lists | null;

  /** @param messages that each user may send in a minute @param reads lists that are read in a minute */
  constructor(messages = 50, lists: Lists | null = null, reads = 1e9) {
    this.#messages = messages;
    this.#reads = reads;
    this.#lists = lists;
    this.hub = this.#open();
  }

  head(): Position {
    return { epoch: this.epoch, revision: this.log.length };
  }

  /** What may rest, because nothing is under way. */
  isQuiet(): boolean {
    return this.#timers.length === 0 && this.asked.length === 0 && this.counting.length === 0;
  }

  /** @param more characters that the change carries */
  commit(entity: string, erased = false, more = 0): Change {
    const revision = this.log.length + 1;
    const change: Change = {
      revision,
      entity,
      entityId: `${entity}-${revision}`,
      operation: 'INSERT',
      schemaVersion: 1,
      before: null,
      after: { value: `${this.epoch}:${revision}`, erased, ...(more > 0 && { more: 'x'.repeat(more) }) },
      actor: 'SYSTEM',
      requestId: null,
      changedAt: new Date(this.now).toISOString(),
    };
    this.log.push(change);
    return change;
  }

  /** The next timer rings, or a while passes. */
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { work, hub } of due) if (hub === this.#life) this.#attempt(work);
  }

  published(end: Position, changes: readonly Change[]): void {
    this.#attempt(() => this.hub.published(end, changes));
  }

  /** What fails with the ring is told to nobody who would know what to do. */
  #attempt(work: () => void): void {
    const wasTorn = this.isRingTorn;
    try {
      work();
    } catch (error) {
      if (!wasTorn) throw error;
    }
  }

  /** A read of the log sees the log as it is now, and is answered later. */
  see(asked: Asked): void {
    const { after, most } = asked;
    asked.page ??= {
      epoch: this.epoch,
      head: this.log.length,
      oldest: 1,
      changes: this.log.slice(after, after + most),
    };
  }

  /** And so does a read of lists. */
  count(counting: Counting): void {
    const counted = counting.lists.map((list) => this.#lists?.count(list) as Counted);
    counting.counts ??= { ...this.head(), counted };
  }

  /** The object ends, its sockets with it; what it kept last may be lost. */
  crash(lost: number): void {
    for (const socket of [...this.sockets]) socket.close(1006);
    this.sockets.clear();
    const position = this.#ring.position();
    if (lost > 0 && position !== null) {
      const back = Math.max(0, position.revision - lost);
      const kept = this.#ring.after(Math.max(0, back - 200))?.filter(({ revision }) => revision <= back) ?? [];
      this.#ring = new MemoryRing();
      this.#ring.append(kept, { epoch: position.epoch, revision: back });
    }
    this.#begin();
  }

  /** The object's memory ends; its sockets stay, with what was attached to them. */
  hibernate(): void {
    for (const socket of this.sockets) socket.member = JSON.parse(socket.kept) as Member;
    this.#begin();
  }

  /** The database is restored to an earlier moment. */
  restore(revision: number): void {
    this.log = this.log.slice(0, revision);
    this.epoch = `e${String(Number(this.epoch.slice(1)) + 1).padStart(3, '0')}`;
  }

  /** Whatever is asked of the log is answered, and so is what is asked because of that. */
  async answerAll(): Promise<void> {
    for (let round = 0; round < 1000; round += 1) {
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      if (this.asked.length === 0) return;
      for (const asked of this.asked.splice(0)) {
        this.see(asked);
        if (asked.page !== null) asked.answer(asked.page);
      }
    }
  }

  /** What came of the ring is gone, as after a long time. */
  emptyRing(): void {
    const position = this.#ring.position();
    if (position !== null) this.#ring.restart(position);
  }

  open(
    member: Partial<Member>,
    heard: (frame: string) => void,
    closed: (code: number) => void,
    replaces: string | null = null,
  ): Socket {
    const whole: Member = {
      company: 'comp_1',
      actor: 'USER:1',
      credential: 's1',
      grant: { role: 'ALL' },
      expiresAt: null,
      session: 'x',
      connectedAt: this.now,
      lastMessageAt: this.now,
      topics: null,
      lists: [],
      live: false,
      ...member,
    };
    const socket = new Socket(whole, heard, (code) => {
      this.sockets.delete(socket);
      closed(code);
    });
    const admitted = this.hub.admits(whole.actor, replaces);
    this.sockets.add(socket);
    if (admitted) this.hub.welcome(socket);
    else socket.close(4013);
    return socket;
  }

  #tearable(): Ring {
    const write = (work: () => void): void => {
      const isTorn = this.isRingTorn;
      this.isRingTorn = false;
      if (isTorn) throw new Error('a storage that fails');
      work();
    };
    return {
      position: () => this.#ring.position(),
      after: (revision, most) => this.#ring.after(revision, most),
      length: (revision) => this.#ring.length(revision),
      append: (changes, position) => write(() => this.#ring.append(changes, position)),
      restart: (position) => write(() => this.#ring.restart(position)),
    };
  }

  #begin(): void {
    this.#life += 1;
    this.#timers = [];
    this.asked = [];
    this.counting = [];
    this.hub = this.#open();
  }

  #open(): Hub {
    const life = this.#life;
    return new Hub({
      audience: this.#lists?.audience ?? {
        ...audience,
        grantAfter: ({ revision }) => this.grants.get(revision) ?? null,
      },
      limits: {
        connections: 100,
        messagesPerMinute: this.#messages,
        readsPerMinute: this.#reads,
        idleMs: 300_000,
        batchMs: 100,
      },
      time: {
        now: () => this.now,
        after: (ms, work) => {
          if (life === this.#life) this.#timers.push({ at: this.now + ms, work, hub: life });
        },
      },
      log: {
        after: (after, most = PAGE) =>
          new Promise((answer, fail) => {
            if (life === this.#life) this.asked.push({ after, most: Math.min(most, PAGE), answer, fail, page: null });
          }),
      },
      readLists: (lists) =>
        new Promise((answer, fail) => {
          if (life === this.#life) this.counting.push({ lists, answer, fail, counts: null });
        }),
      ring: this.#tearable(),
      shelf: this.#shelf,
      connections: () => [...this.sockets],
      lastPing: (connection) => this.pinged.get(connection) ?? 0,
      redeem: async (ticket) => this.tickets.get(ticket) ?? null,
    });
  }
}
