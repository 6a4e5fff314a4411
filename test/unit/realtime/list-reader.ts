import type { Row } from '../../../src/data/log.ts';
import type { Position } from '../../../src/data/position.ts';
import { type ListNews, Mirror } from '../../support/mirror.ts';
import type { Socket } from './hub-cast.ts';
import { mayList } from './list-oracle.ts';
import { ENTITIES, type Luck, randomPath, uuidFrom } from './list-rows.ts';
import { COMPANY, type ListWorld } from './list-world.ts';

type Frame = {
  type: string;
  id?: number;
  code?: string;
  epoch?: string;
  prev?: number;
  revision?: number;
  recovered?: boolean;
  lists?: ListNews[];
  ack?: boolean;
};

/** One list of a reader: what it has of it, or that its last GET was refused. */
type Held = { path: string; mirror: Mirror; isDenied: boolean };

/** A client that follows lists by the contract, and compares each with the truth after every frame. */
export class ListReader {
  readonly #world: ListWorld;
  readonly #luck: Luck;
  readonly #name: string;
  /** The uuid of the user it is. */
  readonly user: string;
  socket: Socket | null = null;
  position: Position | null = null;
  #held = new Map<string, Held>();
  /** What each subscription named: an earlier one may be answered while the next is under way. */
  readonly #wanted = new Map<number, Map<string, Held>>();
  #isWaiting = false;
  #asked = 0;
  #openedAt = 0;
  compared = 0;
  exact = 0;
  changed = 0;

  constructor(world: ListWorld, luck: Luck, n: number) {
    this.#world = world;
    this.#luck = luck;
    this.#name = `r${n}`;
    this.user = uuidFrom(7, n);
  }

  get isSubscribed(): boolean {
    return this.socket !== null && this.position !== null && !this.#isWaiting;
  }

  /** The role it has at a revision; null when it may do nothing. */
  #roleAt(revision: number): string | null {
    const row: Row | undefined = this.#world.at(revision).user.get(this.user);
    return row === undefined || row.status !== 'ACTIVE' ? null : String(row.role);
  }

  #sees(path: string, revision: number): boolean {
    const role = this.#roleAt(revision);
    return role !== null && mayList(role, path);
  }

  /** Whether it could be seen at some time since the socket was opened. */
  #hasSeen(path: string): boolean {
    for (let at = this.#openedAt; at <= this.#world.hub.log.length; at += 1) if (this.#sees(path, at)) return true;
    return false;
  }

  connect(): void {
    if (this.socket !== null) return;
    const { hub } = this.#world;
    const role = this.#roleAt(hub.log.length);
    if (role === null) return;
    this.#openedAt = hub.log.length;
    this.socket = hub.open(
      { company: COMPANY, session: this.#name, actor: `USER:${this.user}`, grant: { role } },
      (frame) => this.#hear(JSON.parse(frame) as Frame),
      () => {
        this.socket = null;
        this.#isWaiting = false;
      },
    );
  }

  disconnect(): void {
    const { socket } = this;
    if (socket === null) return;
    socket.close(1000);
    this.#world.hub.hub.left(socket);
  }

  /** Follows what it followed, or other lists, from where it was. */
  subscribe(): void {
    if (this.socket === null) return;
    const luck = this.#luck;
    const role = this.#roleAt(this.#world.hub.log.length) ?? 'READONLY';
    const kept = [...this.#held].filter(() => luck.chance(0.8));
    const wanted = new Map(kept.filter(([, { path }]) => mayList(role, path)));
    while (wanted.size < 1 + luck.number(4)) {
      const path = randomPath(luck, luck.pick(ENTITIES));
      // Sometimes one that is refused.
      if (!mayList(role, path) && luck.chance(0.9)) continue;
      wanted.set(`l${luck.number(1e6)}`, { path, mirror: new Mirror(path), isDenied: false });
    }
    this.#asked += 1;
    this.#wanted.set(this.#asked, wanted);
    this.#isWaiting = true;
    const queries = [...wanted].map(([id, { path }]) => ({ id, path }));
    const command = { type: 'subscribe', id: this.#asked, companyId: COMPANY, topics: [], queries };
    const resume = this.position === null ? {} : { resume: this.position };
    void this.#world.hub.hub.hear(this.socket, JSON.stringify({ ...command, ...resume }));
  }

  #hear(frame: Frame): void {
    if (frame.type === 'subscribed') this.#begin(frame);
    else if (frame.type === 'reset') {
      this.position = null;
      this.#held = new Map();
      this.#isWaiting = false;
    } else if (frame.type === 'error') {
      const isRefusal = frame.code === 'forbidden' || frame.code === 'unavailable';
      if (!isRefusal) this.#fault(`refused with ${frame.code}`, frame);
      if (frame.id === this.#asked) this.#isWaiting = false;
    } else if (frame.type === 'batch_update') this.#batch(frame);
  }

  #begin(frame: Frame): void {
    this.position = { epoch: frame.epoch ?? '', revision: frame.revision ?? -1 };
    this.#held = this.#wanted.get(frame.id ?? 0) ?? new Map();
    if (frame.id === this.#asked) this.#isWaiting = false;
    for (const held of this.#held.values())
      if (held.mirror.isStale || held.isDenied) this.#load(held, this.position.revision);
  }

  /** GET with Min-Revision, answered at some revision from there to the newest. */
  #load(held: Held, min: number): void {
    const { hub } = this.#world;
    if (hub.epoch !== this.position?.epoch) return;
    const head = hub.log.length;
    const revision = min + this.#luck.number(head - min + 1);
    // Whose account has ended signs in again before anything else.
    if (this.#roleAt(head) === null) {
      this.disconnect();
      return;
    }
    held.isDenied = !this.#sees(held.path, head);
    if (held.isDenied) held.mirror.refuse(head);
    else held.mirror.load(JSON.parse(this.#world.get(held.path, revision)), revision);
  }

  #batch(frame: Frame): void {
    const { revision = -1, prev = -1, lists = [] } = frame;
    const { position } = this;
    if (position === null) return;
    if (prev !== position.revision) this.#fault(`the chain is broken at ${position.revision}`, frame);
    this.position = { epoch: position.epoch, revision };
    if (frame.ack === true && this.socket !== null)
      void this.#world.hub.hub.hear(this.socket, JSON.stringify({ type: 'ack', revision }));
    for (const news of lists) {
      const held = this.#held.get(news.id);
      if (held === undefined) this.#fault(`of a list that is not followed: ${news.id}`, frame);
      if (news.revision !== revision) this.#fault('another revision', frame);
      if (news.changed) this.changed += 1;
      else this.exact += 1;
      held?.mirror.apply(news);
    }
    if (this.#world.hub.epoch !== position.epoch) return;
    for (const held of this.#held.values()) this.#compare(held, revision, frame);
  }

  #compare(held: Held, revision: number, frame: Frame): void {
    const { mirror, path } = held;
    if (mirror.revision > revision) return;
    if (!mirror.isStale) {
      this.compared += 1;
      const isSeen = this.#sees(path, revision);
      if (held.isDenied) {
        if (isSeen) this.#fault(`${path} may be seen again`, frame);
      } else if (!isSeen) {
        // A right that comes later than this frame showed the first answer; the list is told of it when the frame has it.
        if (!this.#hasSeen(path)) this.#fault(`${path} may be seen no more`, frame);
      } else if (mirror.text() !== this.#world.get(path, revision))
        this.#fault(`${path} at ${revision} is\n${mirror.text()}\nand not\n${this.#world.get(path, revision)}`, frame);
    }
    if (mirror.isStale && this.#luck.chance(0.8)) this.#load(held, revision);
  }

  #fault(what: string, frame: Frame): void {
    this.#world.hub.faults.push(`${this.#name} at ${JSON.stringify(this.position)}: ${what}: ${JSON.stringify(frame)}`);
  }
}
