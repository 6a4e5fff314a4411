import type { Audience } from './audience.ts';
import type { Connection, Member } from './member.ts';
import { type Command, errorFrame } from './protocol.ts';

/** Characters of what someone tells of themselves. */
const LONGEST_PRESENCE = 1024;

/** What clients tell each other. Nothing of it is logged, kept or told again. */
export class Talk {
  readonly #audience: Audience;
  readonly #connections: () => Iterable<Connection>;

  constructor(audience: Audience, connections: () => Iterable<Connection>) {
    this.#audience = audience;
    this.#connections = connections;
  }

  /** To everybody else who listens on the topic; both ends may read it. */
  signal(connection: Connection, { topic, data }: Extract<Command, { type: 'signal' }>): void {
    const permission = this.#audience.topics.get(topic);
    if (permission === undefined || !this.#audience.may(connection.member.grant, permission)) {
      connection.send(errorFrame('forbidden', 'This topic does not exist or may not be listened to.'));
      return;
    }
    const frame = JSON.stringify({ type: 'signal', topic, from: connection.member.session, data });
    for (const other of this.#connections()) {
      const { live, topics, grant } = other.member;
      const hears = live && topics?.includes(topic) === true && this.#audience.may(grant, permission);
      if (other !== connection && hears) other.send(frame);
    }
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
    this.#tell(connection, { [known ? 'changed' : 'joined']: shownOf(connection) });
  }

  /** The socket has closed. */
  left(connection: Connection): void {
    if (connection.member.presence !== undefined) this.#tell(connection, { left: connection.member.session });
  }

  #tell(connection: Connection, what: object): void {
    const frame = JSON.stringify({ type: 'presence', ...what });
    for (const other of this.#connections())
      if (other !== connection && (other.member.live || other.member.presence !== undefined)) other.send(frame);
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
