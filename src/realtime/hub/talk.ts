import { Pace } from '../../core/pace.ts';
import type { Audience } from './audience.ts';
import type { Connection, Member } from './member.ts';
import { type Command, errorFrame } from './protocol.ts';
import type { Time } from './stream.ts';

/** Characters of what someone tells of themselves. */
const LONGEST_PRESENCE = 1024;

/**
 * KiB a second that a room hands on, counted for each who hears them, and at once. A drag across a calendar that a hundred see takes
 * a hundred of them; a hundred users who say the largest as often as each may would take as much of the isolate as there is.
 */
const KIB_A_SECOND = 2048;
const KIB_AT_ONCE = 8192;
/** Characters around what is told, and what it costs to tell it. */
const AROUND = 200;

/** What clients tell each other. Nothing of it is logged, kept or told again. */
export class Talk {
  readonly #audience: Audience;
  readonly #connections: () => Iterable<Connection>;
  readonly #time: Time;
  readonly #pass: (connection: Connection, text: string) => void;
  readonly #pace = new Pace(60 * KIB_A_SECOND, KIB_AT_ONCE);
  /** Of whom the others are still to be told, and as what: what they show is a state, so whatever it was meanwhile is not missed. */
  readonly #untold = new Map<Connection, 'joined' | 'changed'>();
  #rings = false;

  /** @param pass tells it to somebody, if they read */
  constructor(
    audience: Audience,
    connections: () => Iterable<Connection>,
    time: Time,
    pass: (connection: Connection, text: string) => void,
  ) {
    this.#audience = audience;
    this.#connections = connections;
    this.#time = time;
    this.#pass = pass;
  }

  /** To everybody else who listens on the topic; both ends may read it. */
  signal(connection: Connection, { topic, data }: Extract<Command, { type: 'signal' }>): void {
    const permission = this.#audience.topics.get(topic);
    if (permission === undefined || !this.#audience.may(connection.member.grant, permission)) {
      connection.send(errorFrame('forbidden', 'This topic does not exist or may not be listened to.'));
      return;
    }
    const retryAfterMs = this.#wait();
    if (retryAfterMs > 0) {
      connection.send(
        errorFrame('rate_limited', 'Too many signals of all together.', { temporary: true, retryAfterMs }),
      );
      return;
    }
    const frame = JSON.stringify({ type: 'signal', topic, from: connection.member.session, data });
    this.#send(frame, (other) => {
      const { live, topics, grant } = other.member;
      return other !== connection && live && topics?.includes(topic) === true && this.#audience.may(grant, permission);
    });
  }

  /** Shows this connection to the others who listen or show themselves, and the latter to it when it begins. */
  presence(connection: Connection, state: unknown): void {
    const { member } = connection;
    if (JSON.stringify(state).length > LONGEST_PRESENCE) {
      connection.send(errorFrame('too_large', `A presence has at most ${LONGEST_PRESENCE} characters.`));
      return;
    }
    const known = member.presence !== undefined;
    member.presence = state;
    connection.save();
    if (!known) connection.send(JSON.stringify({ type: 'presence', members: [...this.#present()].map(shownOf) }));
    this.#untold.set(connection, this.#untold.get(connection) ?? (known ? 'changed' : 'joined'));
    this.#tellAll();
  }

  /** The socket has closed. */
  left(connection: Connection): void {
    if (connection.member.presence === undefined) return;
    this.#untold.delete(connection);
    // Also of one that joined untold: who joined since was shown it.
    this.#tell(connection, { left: connection.member.session });
  }

  /** As far as the pace allows, and the others when it does. */
  #tellAll(): void {
    for (const [connection, as] of this.#untold) {
      const wait = this.#wait();
      if (wait > 0) {
        this.#tellLater(wait);
        return;
      }
      this.#untold.delete(connection);
      this.#tell(connection, { [as]: shownOf(connection) });
    }
  }

  #tellLater(ms: number): void {
    if (this.#rings) return;
    this.#rings = true;
    this.#time.after(ms, () => {
      this.#rings = false;
      this.#tellAll();
    });
  }

  /** In how many ms something may be told, 0: now. */
  #wait(): number {
    const now = this.#time.now();
    return Math.ceil(this.#pace.readyAt(now) - now);
  }

  #tell(connection: Connection, what: object): void {
    const frame = JSON.stringify({ type: 'presence', ...what });
    this.#send(frame, (other) => other !== connection && (other.member.live || other.member.presence !== undefined));
  }

  #send(frame: string, hears: (other: Connection) => boolean): void {
    let count = 0;
    for (const other of this.#connections()) {
      if (!hears(other)) continue;
      this.#pass(other, frame);
      count += 1;
    }
    this.#pace.spend((count * (frame.length + AROUND)) / 1024, this.#time.now());
  }

  *#present(): Generator<Connection> {
    for (const connection of this.#connections()) if (connection.member.presence !== undefined) yield connection;
  }
}

const shownOf = ({
  member: { session, actor, presence },
}: Connection): Pick<Member, 'session' | 'actor'> & { state: unknown } => ({
  session,
  actor,
  state: presence,
});
