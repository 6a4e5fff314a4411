import type { Change } from '../../../src/data/log.ts';
import type { Position } from '../../../src/data/position.ts';
import { type Socket, sees } from './hub-cast.ts';
import type { HubWorld } from './hub-world.ts';

type Frame = {
  type: string;
  id?: number;
  epoch?: string;
  prev?: number;
  revision?: number;
  ack?: boolean;
  messages?: { revision: number; topic: string; data: unknown }[];
  recovered?: boolean;
  replay?: number;
};

/**
 * A client by the book, which checks every frame against the log itself: the chain is unbroken, and between its ends lies
 * exactly what this role sees of these topics, once and in order.
 */
export class Reader {
  readonly #world: HubWorld;
  readonly #name: string;
  readonly role: string;
  topics: readonly string[] | null = null;
  socket: Socket | null = null;
  position: Position | null = null;
  /** The subscription whose answer it waits for; frames of before it do not count. */
  #asked = 0;
  #awaiting = false;
  readonly #wanted = new Map<number, { topics: readonly string[] | null; from: Position | null }>();
  delivered = 0;
  resets = 0;

  constructor(world: HubWorld, name: string, role: string) {
    this.#world = world;
    this.#name = name;
    this.role = role;
  }

  /** Whether it gets what happens. */
  get isSubscribed(): boolean {
    return this.socket !== null && this.position !== null && !this.#awaiting;
  }

  connect(): void {
    if (this.socket !== null) return;
    this.#awaiting = true;
    this.socket = this.#world.open(
      { session: this.#name, actor: `USER:${this.#name}`, grant: { role: this.role } },
      (frame) => this.#hear(JSON.parse(frame) as Frame),
      () => {
        this.socket = null;
      },
    );
  }

  disconnect(): void {
    const { socket } = this;
    if (socket === null) return;
    socket.close(1000);
    this.#world.hub.left(socket);
  }

  subscribe(topics: readonly string[] | null): void {
    if (this.socket === null) return;
    this.#asked += 1;
    this.#awaiting = true;
    const wanted = topics ?? this.topics;
    this.#wanted.set(this.#asked, { topics: wanted, from: this.position });
    const command = { type: 'subscribe', id: this.#asked, companyId: 'comp_1', topics: wanted, resume: this.position };
    void this.#world.hub.hear(
      this.socket,
      JSON.stringify({ ...command, ...(this.position === null && { resume: undefined }) }),
    );
  }

  #hear(frame: Frame): void {
    if (frame.type === 'subscribed') {
      this.#check(frame.epoch === this.#world.epoch || frame.epoch !== undefined, 'no epoch', frame);
      // Where it was asked to: what came meanwhile by the subscription before is told again.
      const { topics = null, from = null } = this.#wanted.get(frame.id ?? 0) ?? {};
      if (from !== null && from.epoch === frame.epoch)
        this.#check(frame.revision === from.revision, 'the stream starts elsewhere', frame);
      this.position = { epoch: frame.epoch ?? '', revision: frame.revision ?? -1 };
      this.topics = topics;
      // An earlier one is answered as well where the later was refused.
      this.#awaiting = frame.id !== this.#asked;
    } else if (frame.type === 'reset') {
      this.resets += 1;
      // Of one history all is in the log, and nobody is ahead of it.
      this.#check(this.position?.epoch !== this.#world.epoch, 'a reset that nothing calls for', frame);
      // Loads anew, and subscribes from where it loaded.
      this.position = null;
      this.#awaiting = true;
    } else if (frame.type === 'batch_update') this.#batch(frame);
    else if (frame.type === 'error' && frame.id === this.#asked) this.#awaiting = true;
  }

  #batch(frame: Frame): void {
    // Of the subscription before the one that is under way; it will be told again.
    if (this.#awaiting && this.position === null) return;
    const { prev = -1, revision = -1, messages = [] } = frame;
    this.#check(prev === this.position?.revision, 'the chain is broken', frame);
    this.#check(revision >= prev, 'goes back', frame);
    // What a later history says is not part of an earlier one, whatever its number.
    const isLater = ({ data }: { data: unknown }): boolean =>
      (data as { value: string }).value.slice(0, 4) > (this.position?.epoch ?? '');
    this.#check(!messages.some(isLater), 'of another history', frame);
    const truth = this.#world.epoch === this.position?.epoch ? this.#world.log : null;
    if (truth !== null) {
      const due = truth.slice(prev, revision).filter((change) => this.#sees(change));
      this.#check(due.length === messages.length, `${due.length} messages are due`, frame);
      for (const [at, { revision: own, topic, data }] of messages.entries()) {
        const change = due[at];
        this.#check(own === change?.revision && topic === change.entity, 'another message is due', frame);
        this.#check(JSON.stringify(data) === JSON.stringify(change?.after), 'another state is due', frame);
      }
    }
    this.position = { epoch: this.position?.epoch ?? '', revision };
    this.delivered += messages.length;
    if (frame.ack === true && this.socket !== null)
      void this.#world.hub.hear(this.socket, JSON.stringify({ type: 'ack', revision }));
  }

  #sees({ entity }: Change): boolean {
    return sees(this.role, entity) && (this.topics?.includes(entity) ?? true);
  }

  #check(holds: boolean, what: string, frame: Frame): void {
    // Kept, not thrown: whoever sends to a socket hears nothing of what is done with it.
    if (!holds)
      this.#world.faults.push(`${this.#name} at ${JSON.stringify(this.position)}: ${what}: ${JSON.stringify(frame)}`);
  }
}
