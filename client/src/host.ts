/** As much of a WebSocket as is used. */
export type Socket = {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onmessage: Heard<{ data: unknown }> | null;
  onclose: Heard<{ code: number }> | null;
  onerror: Heard<unknown> | null;
};
/** Written as a method, so that the events of `ws`, which have more than is used, fit too. */
type Heard<E> = { told(event: E): void }['told'];

export type Wake = 'online' | 'offline' | 'visible';

/** What the client needs of where it runs. Each part may be replaced (`createClient({ host: { … } })`), as tests do. */
export type Host = {
  fetch(url: string, init: RequestInit): Promise<Response>;
  socket(url: string, protocols: string[]): Socket;
  /** ms. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** A name that nobody else chooses. */
  unique(): string;
  /** @returns takes it back */
  after(ms: number, run: () => void): () => void;
  /** One at a time under this name, over all tabs where the browser can. */
  locked<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** Known to have no network. */
  isOffline(): boolean;
  /** @returns stops telling */
  onWake(heard: (wake: Wake) => void): () => void;
};

/** Of browsers, where they have it; absent in Node and in workers. */
type Globals = {
  WebSocket?: new (url: string, protocols: string[]) => unknown;
  navigator?: { onLine?: boolean; locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> } };
  document?: Listened & { visibilityState: string };
} & Partial<Listened>;
type Listened = {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
};

const here = globalThis as unknown as Globals;

const NO_SOCKET = 'No WebSocket here: give createClient({ host: { socket } }).';

/** To be told where changes are asked for: later nobody is there to be told. @throws Error where nothing opens a WebSocket */
export function requireSocket({ socket }: Host): void {
  if (socket === ownHost.socket && here.WebSocket === undefined) throw new Error(NO_SOCKET);
}

/** The browser's or Node's own. */
export const ownHost: Host = {
  fetch: (url, init) => fetch(url, init),
  socket(url, protocols) {
    if (here.WebSocket === undefined) throw new Error(NO_SOCKET);
    return new here.WebSocket(url, protocols) as Socket;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  // Not randomUUID, which pages without TLS do not have.
  unique: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join(''),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  locked: (name, run) => here.navigator?.locks?.request(name, run) ?? run(),
  // Node has a navigator without it.
  isOffline: () => here.navigator?.onLine === false,
  onWake(heard) {
    const { document } = here;
    const tell = { online: () => heard('online'), offline: () => heard('offline') };
    const shown = () => document?.visibilityState === 'visible' && heard('visible');
    for (const [type, listener] of Object.entries(tell)) here.addEventListener?.(type, listener);
    document?.addEventListener('visibilitychange', shown);
    return () => {
      for (const [type, listener] of Object.entries(tell)) here.removeEventListener?.(type, listener);
      document?.removeEventListener('visibilitychange', shown);
    };
  },
};
