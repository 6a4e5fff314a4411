import { Emitter } from '../emitter.ts';
import { requireSocket, type Wake } from '../host.ts';
import type { ApiClient } from '../rest/client.ts';
import { ProblemError } from '../rest/errors.ts';
import { Asking } from './asking.ts';
import { Connection } from './connection.ts';
import { Feed } from './feed.ts';
import type { Batch, Frame, Limits, Position, StreamError } from './frames.ts';
import { pauseAfter } from './reconnect.ts';
import { Renewal } from './renewal.ts';
import type { StreamEvents, StreamState, Wanted } from './stream-events.ts';
import { ticketFor } from './ticket.ts';

/** Up for so long, a connection counts as one that went well, ms. */
const WENT_WELL = 10_000;
const TRY_AGAIN = 2000;

/** The changes of a company, over as many connections as it takes. */
export class Stream extends Emitter<StreamEvents> {
  readonly #client: ApiClient;
  readonly #feed: Feed;
  readonly #renewal: Renewal;
  readonly #asking: Asking;
  readonly #stopListening: (() => void)[];
  #wanted: Wanted;
  #state: StreamState = 'waiting';
  #connection: Connection | null = null;
  /** Counts connections; what belongs to an earlier one is dropped. */
  #generation = 0;
  #session: string | null = null;
  #company = '';
  #limits: Limits | null = null;
  #topics: readonly string[] = [];
  #tries = 0;
  #cancel: () => void = () => undefined;

  constructor(client: ApiClient, wanted: Wanted = {}, resume: Position | null = null) {
    super();
    requireSocket(client.host);
    this.#client = client;
    this.#wanted = wanted;
    this.#feed = new Feed(resume);
    this.#asking = new Asking(client.host, () => this.#connection?.end());
    this.#renewal = new Renewal(client, (ticket) => this.#say({ type: 'refresh', id: this.#asking.name(), ticket }));
    const who = client.session.current?.userId;
    this.#stopListening = [
      client.host.onWake((wake) => this.#woken(wake)),
      client.session.onChange((kept) => kept?.userId === who || this.close()),
    ];
    this.#open();
  }

  get state(): StreamState {
    return this.#state;
  }

  get position(): Position | null {
    return this.#feed.position;
  }

  /** Those that it follows, of all it may. */
  get topics(): readonly string[] {
    return this.#topics;
  }

  /** Known once it was greeted. */
  get limits(): Limits | null {
    return this.#limits;
  }

  /** From now on something else. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    if (this.#session !== null && this.#connection !== null) this.#subscribe();
  }

  /** To the others who listen on the topic; not kept, and lost where they are not there. */
  signal(topic: string, data: unknown): void {
    this.#say({ type: 'signal', topic, data });
  }

  /** Shows oneself to the others who do, and them to oneself. */
  present(state: unknown): void {
    this.#say({ type: 'presence', state });
  }

  close(): void {
    this.#finish(null, null);
  }

  #open(): void {
    const { host } = this.#client;
    const generation = ++this.#generation;
    this.#become(host.isOffline() ? 'waiting' : 'connecting');
    if (host.isOffline()) return;
    const isLate = () => generation !== this.#generation;
    const heard = { frame: (frame: Frame) => this.#take(frame), ended: (code: number | null) => this.#lost(code) };
    ticketFor(this.#client, this.#session)
      .then((ticket) => {
        if (!isLate()) this.#connection = new Connection(host, ticket, heard);
      })
      .catch((error: unknown) => {
        if (isLate()) return;
        if (error instanceof ProblemError && [401, 403].includes(error.status)) this.#finish(null, error);
        // Also where what answered in the place of the API names no address that a socket opens to.
        else this.#lost(null, error instanceof ProblemError ? (error.retryAfter ?? 0) : 0);
      });
  }

  #lost(code: number | null, told = 0): void {
    this.#generation += 1;
    this.#rest();
    const pause = pauseAfter(code, this.#tries, this.#client.host.random(), told);
    if (pause === null) {
      this.#finish(code, null);
      return;
    }
    this.#tries += 1;
    this.#become('waiting');
    this.#cancel = this.#client.host.after(pause, () => this.#open());
  }

  #finish(code: number | null, error: unknown): void {
    if (this.#state === 'ended') return;
    this.#generation += 1;
    const connection = this.#connection;
    this.#rest();
    connection?.end(false);
    for (const stop of this.#stopListening) stop();
    this.#become('ended');
    this.emit('ended', { code, error });
  }

  /** Nothing of a connection goes on. */
  #rest(): void {
    this.#connection = null;
    this.#cancel();
    this.#asking.stop();
    this.#renewal.stop();
  }

  #woken(wake: Wake): void {
    if (this.#state === 'ended') return;
    if (wake === 'offline') {
      if (this.#state === 'waiting') this.#cancel();
    } else if (this.#state === 'waiting') {
      this.#cancel();
      this.#open();
    } else this.#connection?.ping();
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case 'welcome':
        this.#session = frame.session;
        this.#company = frame.companyId;
        this.#limits = frame.limits;
        this.#renewal.start();
        this.#subscribe();
        break;
      case 'subscribed':
        // Else it is one of before, whose place a later one took.
        if (this.#asking.settles(frame.id)) this.#subscribed(frame);
        break;
      case 'batch_update':
        this.#batch(frame);
        break;
      case 'reset':
        this.#feed.forget();
        if (frame.reason !== 'window_exceeded') this.#client.forget();
        this.emit('reset', frame.reason);
        this.#subscribe();
        break;
      case 'error':
        if (this.#asking.settles(frame.id)) this.#refused(frame);
        break;
      case 'refreshed':
        this.#renewal.start();
        break;
      case 'signal':
        this.emit('signal', frame);
        break;
      case 'presence':
        this.emit('presence', frame);
    }
  }

  #subscribe(): void {
    const resume = this.#feed.position;
    this.#say({
      type: 'subscribe',
      id: this.#asking.ask(),
      companyId: this.#company,
      ...this.#wanted,
      ...(resume !== null && { resume }),
    });
  }

  #subscribed(frame: Position & { recovered: boolean; topics: string[] }): void {
    const { host } = this.#client;
    this.#topics = frame.topics;
    const isFresh = this.#feed.begin(frame);
    const at = this.#feed.position ?? frame;
    this.#become('live');
    this.#cancel();
    this.#cancel = host.after(WENT_WELL, () => {
      this.#tries = 0;
    });
    this.emit(isFresh ? 'fresh' : 'resumed', at);
  }

  #batch(frame: Batch): void {
    const batch = this.#feed.take(frame);
    if (frame.ack === true) this.#say({ type: 'ack', revision: frame.revision });
    if (batch === null) return;
    if (batch === 'gap') {
      if (!this.#asking.isPending) this.#subscribe();
      return;
    }
    if (batch.messages.length > 0 || batch.lists !== undefined) this.#client.saw(batch.revision);
    this.emit('batch', batch);
    for (const message of batch.messages) this.emit('message', message);
  }

  #refused(error: StreamError): void {
    if (error.temporary) {
      this.#asking.again(error.retryAfterMs ?? TRY_AGAIN, () => this.#subscribe());
      return;
    }
    this.emit('refused', error);
    // Nobody wants something else, and nothing was taken before.
    if (!this.#asking.isPending && this.#state !== 'live') this.#finish(null, error);
  }

  #say(frame: object): void {
    this.#connection?.say(frame);
  }

  #become(state: StreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', state);
  }
}

/** Follows the changes of the company, of these topics or of all that may be seen. */
export const openStream = (client: ApiClient, wanted?: Wanted, resume?: Position): Stream =>
  new Stream(client, wanted, resume);
