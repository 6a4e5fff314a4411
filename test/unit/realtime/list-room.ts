import { randomOf } from '../../../local/random.ts';
import type { Member } from '../../../src/realtime/hub/member.ts';
import type { Socket } from './hub-cast.ts';
import { type Luck, luckOf, newRow, uuidFrom } from './list-rows.ts';
import { COMPANY, ListWorld } from './list-world.ts';

export type Frame = { type: string; [member: string]: unknown };

/** A room whose lists are followed, and which is answered when it is said. */
export class ListRoom {
  readonly luck: Luck = luckOf(randomOf(7));
  readonly world: ListWorld;
  /** How often it read where rows stand. */
  reads = 0;

  /** @param lists that it reads in a minute */
  constructor(lists?: number) {
    this.world = new ListWorld(this.luck, lists);
  }

  follow(paths: readonly string[], member: Partial<Member> = {}): ListFollower {
    return new ListFollower(this, paths, member);
  }

  /** Whatever is asked is answered. */
  async answers(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      await this.world.hub.answerAll();
      await this.answer();
    }
  }

  /** The next read of the log is answered, and all of lists. */
  async answer(): Promise<void> {
    const { hub } = this.world;
    const asked = hub.asked.shift();
    if (asked !== undefined) hub.see(asked);
    if (asked?.page != null) asked.answer(asked.page);
    for (const counting of hub.counting.splice(0)) {
      this.reads += 1;
      hub.count(counting);
      if (counting.counts !== null) counting.answer(counting.counts);
    }
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  }

  /** A client as it is then; what was written leaves. */
  async put(n: number, row: object | null): Promise<void> {
    const { world, luck } = this;
    const id = uuidFrom(5, n);
    const before = world.at(world.hub.log.length).client.get(id);
    const after =
      row === null ? null : { ...(before ?? { ...newRow(luck, 'client', id), status: 'ACTIVE', tags: [] }), ...row };
    const change = world.write('client', id, after);
    world.hub.hub.published(world.hub.head(), [change]);
    world.hub.pass(200);
    await this.answers();
  }
}

/** A connection that follows these lists and writes down what it is told. */
export class ListFollower {
  readonly frames: Frame[] = [];
  readonly socket: Socket;
  readonly #room: ListRoom;
  readonly #paths: readonly string[];

  constructor(room: ListRoom, paths: readonly string[], member: Partial<Member>) {
    this.#room = room;
    this.#paths = paths;
    const whole = { company: COMPANY, actor: 'USER:1', grant: { role: 'OWNER' }, ...member };
    this.socket = room.world.hub.open(
      whole,
      (text) => void this.frames.push(JSON.parse(text) as Frame),
      () => undefined,
    );
  }

  /** Asks, and nothing that is read for it is answered. */
  ask(more: object = {}): Promise<void> {
    const queries = this.#paths.map((path, n) => ({ id: `l${n}`, path }));
    const command = { type: 'subscribe', id: 1, companyId: COMPANY, topics: [], queries, ...more };
    return this.#room.world.hub.hub.hear(this.socket, JSON.stringify(command));
  }

  async subscribe(more: object = {}): Promise<Frame | undefined> {
    const work = this.ask(more);
    await this.#room.answers();
    await work;
    return this.frames.at(-1);
  }

  /** What its lists were told, frame by frame. */
  lists(): unknown[] {
    return this.frames.filter(({ type }) => type === 'batch_update').map(({ lists }) => lists ?? []);
  }
}
