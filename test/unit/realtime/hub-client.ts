import type { Member } from '../../../src/realtime/hub/member.ts';
import type { Socket } from './hub-cast.ts';
import type { HubWorld } from './hub-world.ts';

export type Frame = { type: string; [member: string]: unknown };

/** A client that writes down what it is told. */
export class Client {
  readonly frames: Frame[] = [];
  code: number | null = null;
  readonly socket: Socket;
  readonly #world: HubWorld;

  constructor(world: HubWorld, member: Partial<Member> = {}, replaces: string | null = null) {
    this.#world = world;
    this.socket = world.open(
      member,
      (text) => void this.frames.push(JSON.parse(text) as Frame),
      (code) => {
        this.code = code;
      },
      replaces,
    );
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

/** Commits and announces so many changes, and lets them leave. */
export async function happen(world: HubWorld, count: number, entity = 'a'): Promise<void> {
  for (let n = 0; n < count; n += 1)
    world.hub.published({ ...world.head(), revision: world.log.length + 1 }, [world.commit(entity)]);
  world.pass(200);
  await world.answerAll();
}
