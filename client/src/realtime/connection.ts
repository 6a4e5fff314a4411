import type { Host, Socket } from '../host.ts';
import { type Frame, PING, PROTOCOL } from './frames.ts';
import type { Ticket } from './ticket.ts';

/** How long the server may take to greet, to answer a ping and to answer what it was asked, ms. */
export const PATIENCE = 10_000;
/** The close code of a ticket that is not good. */
const REFUSED = 4501;

/** One WebSocket from its opening to its end, which is told once; whatever the socket says later is nobody's. */
export class Connection {
  readonly #host: Host;
  readonly #socket: Socket;
  readonly #ended: (code: number | null) => void;
  #open = true;
  #cancelPing: () => void = nothing;
  #cancelWait: () => void;

  constructor(
    host: Host,
    { url, ticket, endsAt }: Ticket,
    heard: { frame(frame: Frame): void; ended(code: number | null): void },
  ) {
    this.#host = host;
    this.#ended = heard.ended;
    this.#socket = host.socket(url, [PROTOCOL, `ticket.${ticket}`]);
    this.#cancelWait = host.after(PATIENCE, () => this.end());
    this.#socket.onmessage = ({ data }) => {
      if (!this.#open) return;
      // Anything at all shows that the other side is there.
      this.#cancelWait();
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === 'welcome') this.#pingEach(frame.pingIntervalMs);
      heard.frame(frame);
    };
    // Its close follows.
    this.#socket.onerror = nothing;
    // A machine that slept meanwhile shows a ticket that has ended, which says nothing of whoever shows it.
    this.#socket.onclose = ({ code }) => this.#end(code === REFUSED && host.now() > endsAt ? null : code);
  }

  say(frame: object): void {
    if (this.#open) this.#socket.send(JSON.stringify(frame));
  }

  /** Silence is no death, as nothing may happen for hours; only a ping that is not answered is one. */
  ping(): void {
    if (!this.#open) return;
    this.#socket.send(PING);
    this.#cancelWait();
    this.#cancelWait = this.#host.after(PATIENCE, () => this.end());
  }

  /** @param said whether whoever opened it is to be told */
  end(said = true): void {
    const wasOpen = this.#open;
    if (said) this.#end(null);
    else this.#shut();
    if (wasOpen) this.#socket.close(1000);
  }

  #pingEach(interval: number): void {
    this.#cancelPing = this.#host.after(interval, () => {
      this.ping();
      this.#pingEach(interval);
    });
  }

  #end(code: number | null): void {
    if (!this.#open) return;
    this.#shut();
    this.#ended(code);
  }

  #shut(): void {
    this.#open = false;
    this.#cancelPing();
    this.#cancelWait();
  }
}

const nothing = (): void => undefined;
