import { anchored, type Ctx } from './ctx.ts';
import { type CachedAnswer, decodeHead, encodeHead, type Tier } from './tier.ts';

/** The part of the Cache API that is used; `caches.open()` gives it. */
type EdgeStore = Pick<Cache, 'match' | 'put' | 'delete'>;

/** Synthetic keys under a host that no user can ask for. */
const ORIGIN = 'https://cache.clientsplus.internal/';

const MIB = 1024 * 1024;
/** A copy above this is a large one, bytes; so many bytes of those are fetched at once. What waits to be sent is bounded elsewhere. */
const [LARGE, MOST_FETCHED] = [MIB / 8, 16 * MIB];

/** Bytes of large copies that are being fetched. A plain number: the isolate keeps it beyond a request. */
let fetching = 0;

/**
 * The location's tier: the Cache API, shared by all isolates of one Cloudflare location. It keeps entries only. Copies of
 * tag readings were tried: an isolate that has no reading has to ask Redis for its caller anyway, and looking for a copy
 * first made every cold answer slower.
 */
export class EdgeTier implements Tier {
  readonly name = 'edge' as const;
  readonly #open: () => Promise<EdgeStore>;

  constructor(open: () => Promise<EdgeStore>) {
    this.#open = open;
  }

  async get(ctx: Ctx, key: string): Promise<CachedAnswer | null> {
    const found = await this.#match(ctx, key);
    if (found === null) return null;
    const head = decodeHead(found.headers.get('X-Entry') ?? '');
    if (head === null || ctx.now() >= head.expiresAt) return null;
    const size = Number(found.headers.get('X-Size') ?? 0);
    const bytes = size > LARGE ? size : 0;
    if (bytes > 0 && fetching > 0 && fetching + bytes > MOST_FETCHED) {
      await found.body?.cancel();
      return null;
    }
    fetching += bytes;
    // To its end although the caller may leave: what is not told to have ended would count for ever.
    return anchored(ctx, async () => {
      try {
        return { ...head, body: new Uint8Array(await found.arrayBuffer()) };
      } finally {
        fetching -= bytes;
      }
    });
  }

  async set(ctx: Ctx, key: string, entry: CachedAnswer): Promise<void> {
    await this.#put(key, entry.body, encodeHead(entry), Math.ceil((entry.expiresAt - ctx.now()) / 1000));
  }

  async delete(key: string): Promise<void> {
    try {
      await (await this.#open()).delete(ORIGIN + key);
    } catch {
      // It is not valid, and ends with its time.
    }
  }

  async #match(ctx: Ctx, key: string): Promise<Response | null> {
    const started = ctx.now();
    try {
      return (await (await this.#open()).match(ORIGIN + key)) ?? null;
    } catch {
      // A tier may fail like any cache: the next one answers.
      return null;
    } finally {
      ctx.times.edge += ctx.now() - started;
    }
  }

  async #put(key: string, body: CachedAnswer['body'], head: string, seconds: number): Promise<void> {
    if (seconds <= 0) return;
    try {
      const headers = {
        ...{ 'Cache-Control': `max-age=${seconds}`, 'Content-Type': 'application/json' },
        ...{ 'X-Entry': head, 'X-Size': String(body.byteLength) },
      };
      // In one piece whatever its parts: the store is slower to take a stream.
      const sent = body instanceof Uint8Array ? body : new Blob([...body.parts]);
      await (await this.#open()).put(ORIGIN + key, new Response(sent, { headers }));
    } catch {
      // Not stored is not wrong.
    }
  }
}
