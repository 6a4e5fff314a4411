import type { Member } from '../../../src/realtime/hub/member.ts';
import type { Socket } from './hub-cast.ts';
import type { HubWorld } from './hub-world.ts';

export type Frame = { type: string; [member: string]: unknown };

/** A client that writes down what it is told. */
export class Client {
  readonly frames: Frame[] = [];
  code: number | null = null;
  /** Whether it answers what asks for a confirmation. */
  confirms = true;
  /** Characters of all that it was sent. */
  length = 0;
  readonly socket: Socket;
  readonly #world: HubWorld;

  constructor(world: HubWorld, member: Partial<Member> = {}, replaces: string | null = null) {
    this.#world = world;
    this.socket = world.open(
      member,
      (text) => this.#hear(text),
      (code) => {
        this.code = code;
      },
      replaces,
    );
  }

  #hear(text: string): void {
    const frame = JSON.parse(text) as Frame;
    this.frames.push(frame);
    this.length += text.length;
    if (frame.ack === true && this.confirms) void this.confirm(frame.revision);
  }

  /** Says that it has read up to here. */
  confirm(revision: unknown): Promise<void> {
    return this.#world.hub.hear(this.socket, JSON.stringify({ type: 'ack', revision }));
  }

  /** Says something; what is asked of the log is answered at once. */
  async say(frame: unknown): Promise<void> {
    const work = this.#world.hub.hear(this.socket, typeof frame === 'string' ? frame : JSON.stringify(frame));
    await this.#world.answerAll();
    await work;
  }

  subscribe(more: object = {}): Promise<void> {
    return this.say({ type: 'subscribe', id: 1, companyId: 'comp_1', ...more });
  }

  of(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  last(): Frame | undefined {
    return this.frames.at(-1);
  }
}

/** Commits and announces so many changes, each with so many characters more, and lets them leave. */
export async function happen(world: HubWorld, count: number, entity = 'a', more = 0): Promise<void> {
  for (let n = 0; n < count; n += 1)
    world.hub.published({ ...world.head(), revision: world.log.length + 1 }, [world.commit(entity, false, more)]);
  world.pass(200);
  await world.answerAll();
}
