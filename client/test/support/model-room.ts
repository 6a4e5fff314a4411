import type { FakeHost, FakeSocket } from './fake-host.ts';
import { json, refusal } from './fake-host.ts';

export type Thing = { id: string; firstName: string };
/** What becomes of the frame that tells of a write. */
export type Fate = 'told' | 'lost' | 'twice' | 'late' | 'held';

const LIMIT = 3;
const PATH = '/clients?sort=firstName&limit=3';

type Listener = { sent: number; isLive: boolean; queries: { id: string }[]; read: number };

/** A server of one list: its log, its answers, and a room that follows the contract while the way to it does not. */
export class ModelRoom {
  static readonly path = PATH;
  readonly #host: FakeHost;
  readonly #takesQueries: boolean;
  #epoch = 1;
  /** All things at each revision of this history. */
  #states: (readonly Thing[])[] = [[]];
  readonly #listeners = new Map<FakeSocket, Listener>();
  #late: (() => void)[] = [];
  #gets: (() => void)[] = [];
  /** What each history has told, as the log has it. */
  readonly log: string[] = [];

  constructor(host: FakeHost, takesQueries: boolean) {
    this.#host = host;
    this.#takesQueries = takesQueries;
  }

  get head(): number {
    return this.#states.length - 1;
  }

  page(revision = this.head): Thing[] {
    return (this.#states[revision] ?? []).slice(0, LIMIT);
  }

  /** GET, answered when `answer` is called, of a revision that may be older than the head. */
  get(request: Request, lag: number): Promise<Response> {
    const wanted = Number(request.headers.get('min-revision') ?? 0);
    return new Promise((done) => {
      this.#gets.push(() => {
        if (wanted > this.head) return done(refusal(400, 'revision_ahead'));
        const revision = Math.max(wanted, this.head - lag);
        return done(json({ data: this.page(revision) }, { Revision: String(revision) }));
      });
    });
  }

  answer(): void {
    for (const get of this.#gets.splice(0)) get();
  }

  write(id: string, firstName: string | null, fate: Fate): void {
    const others = (this.#states[this.head] ?? []).filter((thing) => thing.id !== id);
    const next = firstName === null ? others : [...others, { id, firstName }];
    this.#states.push(next.sort((a, b) => (a.firstName + a.id < b.firstName + b.id ? -1 : 1)));
    this.log.push(`${this.#epoch}/${this.head}`);
    if (fate === 'held') return;
    const late = this.#late.splice(0);
    for (const [socket, listener] of this.#listeners) if (listener.isLive) this.#send(socket, listener, fate);
    for (const run of late) run();
  }

  /** The database was set back: these revisions were never, and another history begins. */
  restore(revisions: number): void {
    this.#states = this.#states.slice(0, Math.max(1, this.#states.length - revisions));
    this.#epoch += 1;
    // What a socket is told after a reset is of the new history.
    this.#late = [];
    for (const [socket, listener] of this.#listeners) this.#reset(socket, listener, 'epoch_changed');
  }

  cut(code: number): void {
    for (const socket of [...this.#listeners.keys()]) {
      this.#listeners.delete(socket);
      socket.drop(code);
    }
    this.#late = [];
  }

  /** Greets who is new, and answers what was said. */
  attend(): void {
    for (const socket of this.#host.sockets) {
      if (socket.closed !== null) this.#listeners.delete(socket);
      else if (!this.#listeners.has(socket) && socket.said.length === 0) {
        this.#listeners.set(socket, { sent: 0, isLive: false, queries: [], read: 0 });
        const limits = { messagesPerMinute: 50, messageBytes: 8192, queries: 20 };
        socket.tell({ type: 'welcome', session: 's', companyId: 'comp_1', pingIntervalMs: 30_000, limits });
      }
    }
    for (const [socket, listener] of this.#listeners)
      while (listener.read < socket.said.length)
        this.#hear(socket, listener, JSON.parse(socket.said[listener.read++] ?? ''));
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a client says is whatever it says
  #hear(socket: FakeSocket, listener: Listener, frame: any): void {
    if (frame.type === 'ping') socket.tell({ type: 'pong' });
    if (frame.type === 'subscribe') this.#subscribe(socket, listener, frame);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  #subscribe(socket: FakeSocket, listener: Listener, frame: any): void {
    const { id, queries = [], resume } = frame;
    if (queries.length > 0 && !this.#takesQueries) {
      const message = `queries: ${queries[0].id}: no`;
      socket.tell({ type: 'error', id, code: 'unknown_query', message, temporary: false });
      return;
    }
    const isOther = resume !== undefined && resume.epoch !== String(this.#epoch);
    if (isOther || resume?.revision > this.head) {
      this.#reset(socket, listener, isOther ? 'epoch_changed' : 'position_ahead');
      return;
    }
    const from: number = resume?.revision ?? this.head;
    const recovered = resume !== undefined;
    const subscribed = { type: 'subscribed', id, topics: ['clients', 'company'], epoch: String(this.#epoch) };
    socket.tell({ ...subscribed, revision: from, recovered, replay: this.head - from });
    Object.assign(listener, { isLive: true, queries, sent: from });
    if (from < this.head) this.#send(socket, listener, 'told');
  }

  #reset(socket: FakeSocket, listener: Listener, reason: string): void {
    listener.isLive = false;
    socket.tell({ type: 'reset', reason, epoch: String(this.#epoch), revision: this.head });
  }

  #send(socket: FakeSocket, listener: Listener, fate: Fate): void {
    const [prev, revision] = [listener.sent, this.head];
    listener.sent = revision;
    const epoch = this.#epoch;
    const messages = Array.from({ length: revision - prev }, (_, n) => ({
      ...{ revision: prev + n + 1, id: `${epoch}/${prev + n + 1}`, topic: 'clients' },
    }));
    const changes = this.#changes(prev, revision);
    const lists = changes === null ? [] : listener.queries.map(({ id }) => ({ id, revision, ...changes }));
    const frame = { type: 'batch_update', prev, revision, messages, timestamp: 0, ...(lists.length > 0 && { lists }) };
    if (fate === 'late') this.#late.push(() => this.#listeners.has(socket) && socket.tell(frame));
    else if (fate !== 'lost') socket.tell(frame);
    if (fate === 'twice') socket.tell(frame);
  }

  /**
   * As a room tells it: by objects, and by `changed` where another moves up into the page. What came and went is said to
   * have left, since somebody may have loaded in between.
   */
  #changes(prev: number, revision: number): object | null {
    const fates = new Map<string, { was: boolean; thing: Thing | null }>();
    for (let at = prev + 1; at <= revision; at += 1) {
      const [was, is] = [this.page(at - 1), this.page(at)];
      const written = this.#writtenAt(at);
      const had = new Set(was.map(({ id }) => id));
      const note = (id: string, thing: Thing | null): void =>
        void fates.set(id, { was: fates.get(id)?.was ?? had.has(id), thing });
      for (const thing of is) {
        if (thing.id === written) note(thing.id, thing);
        else if (!had.has(thing.id)) return { changed: true };
      }
      for (const { id } of was) if (!is.some((thing) => thing.id === id)) note(id, null);
    }
    const all = [...fates];
    const shown = (inPage: boolean) =>
      all.flatMap(([, { was, thing }]) => (thing !== null && was === inPage ? [thing] : []));
    const leave = all.flatMap(([id, { thing }]) => (thing === null ? [id] : []));
    return all.length === 0 ? null : { enter: shown(false), update: shown(true), leave };
  }

  /** What the change with this revision was of. */
  #writtenAt(revision: number): string {
    const [was, is] = [this.#states[revision - 1] ?? [], this.#states[revision] ?? []];
    return [...was, ...is].find((thing) => !was.includes(thing) || !is.includes(thing))?.id ?? '';
  }
}
