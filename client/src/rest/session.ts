import type { SignedIn } from '../api.ts';
import type { Host } from '../host.ts';
import { ProblemError } from './errors.ts';

/** Whoever is signed in, as it is kept between two visits. */
export type Kept = {
  accessToken: string;
  refreshToken: string;
  /** When the access token ends, ms of this machine's clock. */
  expiresAt: number;
  companyId: string;
  userId: string;
  role: string;
};

/** Where it is kept. Tabs that share it share the session. */
export type Keep = { read(): Kept | null; write(kept: Kept | null): void };

/** Until the page is left. */
export function inMemory(): Keep {
  let kept: Kept | null = null;
  return {
    read: () => kept,
    write: (next) => {
      kept = next;
    },
  };
}

/** Over visits: `inStorage(localStorage)`. Whatever script runs in the page can read it. */
export function inStorage(
  storage: {
    getItem(name: string): string | null;
    setItem(name: string, text: string): void;
    removeItem(name: string): void;
  },
  name = 'clientsplus.session',
): Keep {
  return {
    read() {
      const text = storage.getItem(name);
      return text === null ? null : (JSON.parse(text) as Kept);
    },
    write: (kept) => (kept === null ? storage.removeItem(name) : storage.setItem(name, JSON.stringify(kept))),
  };
}

/** Renewed so long before its end, ms: a request under way must not meet it. */
const EARLY = 30_000;
/** A tab without locks may have been given the new pair a moment before it writes it down, ms. */
const OTHER_TAB = 1000;

/** Who asks: the tokens, and their renewal, of which there is one at a time over all tabs. */
export class Session {
  readonly #host: Host;
  readonly #keep: Keep;
  readonly #renew: (refreshToken: string) => Promise<SignedIn>;
  readonly #listeners = new Set<(kept: Kept | null) => void>();
  #renewal: Promise<Kept | null> | null = null;

  constructor(host: Host, keep: Keep, renew: (refreshToken: string) => Promise<SignedIn>) {
    this.#host = host;
    this.#keep = keep;
    this.#renew = renew;
  }

  get current(): Kept | null {
    return this.#keep.read();
  }

  /** Tells of each sign-in, renewal and end. @returns stops telling */
  onChange(listener: (kept: Kept | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  adopt(signedIn: SignedIn | null): Kept | null {
    const kept = signedIn && {
      accessToken: signedIn.accessToken,
      refreshToken: signedIn.refreshToken,
      expiresAt: this.#host.now() + signedIn.expiresIn * 1000,
      companyId: signedIn.company.id,
      userId: signedIn.user.id,
      role: signedIn.user.role,
    };
    this.#keep.write(kept);
    for (const listener of this.#listeners) listener(kept);
    return kept;
  }

  /** A token that is good for a while yet; null: nobody is signed in. @param early renew it when it ends within so many ms */
  async token(early = EARLY): Promise<string | null> {
    const kept = this.current;
    if (kept === null) return null;
    const lasts = kept.expiresAt - this.#host.now() > early;
    return lasts ? kept.accessToken : ((await this.renewed(kept.accessToken))?.accessToken ?? null);
  }

  /** Another pair than the one with this access token, which is refused or about to be; null: the session has ended. */
  renewed(accessToken: string): Promise<Kept | null> {
    this.#renewal ??= this.#host
      .locked('clientsplus.renewal', () => this.#renewOnce(accessToken))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  async #renewOnce(accessToken: string): Promise<Kept | null> {
    const kept = this.current;
    // Another tab was first.
    if (kept === null || kept.accessToken !== accessToken) return kept;
    try {
      return this.adopt(await this.#renew(kept.refreshToken));
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 401) throw error;
      await new Promise<void>((done) => void this.#host.after(OTHER_TAB, done));
      return this.current?.refreshToken === kept.refreshToken ? this.adopt(null) : this.current;
    }
  }
}
