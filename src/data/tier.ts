import type { Entry } from '../core/revision.ts';
import type { Loaded } from './answer.ts';
import type { Ctx } from './ctx.ts';
import type { LargeBody } from './large-body.ts';

/**
 * A computed answer as every tier keeps it: the bytes, serialised once, and what is needed to judge and send them.
 * `link` is the value of the Link header, `storedAt` and `expiresAt` are ms.
 */
export type CachedAnswer = Entry & {
  storedAt: number;
  expiresAt: number;
  link: string | null;
  body: Uint8Array | LargeBody;
};

/** One tier of the cache. A tier never judges validity; it may lose an entry at any time. */
export type Tier = {
  readonly name: 'memory' | 'edge' | 'redis';
  get(ctx: Ctx, key: string): Promise<CachedAnswer | null> | CachedAnswer | null;
  set(ctx: Ctx, key: string, entry: CachedAnswer): Promise<void> | void;
};

type Head = Omit<CachedAnswer, 'body'>;

const encoder = new TextEncoder();

/**
 * A computed answer as an entry that ends after `ttl` seconds or with the clock's change.
 * @param incarnation of the tag state as read before the answer's snapshot
 */
export function entryOf(loaded: Loaded, incarnation: string | null, ttl: number, now: number): CachedAnswer {
  const { epoch, revision, validUntil, link } = loaded;
  const body = typeof loaded.body === 'string' ? encoder.encode(loaded.body) : loaded.body;
  // ±10 %, so that what was filled together does not end together.
  const lifetime = Math.round(ttl * (0.9 + Math.random() * 0.2)) * 1000;
  const expiresAt = Math.min(now + lifetime, validUntil ?? Number.POSITIVE_INFINITY);
  return { epoch, incarnation, revision, validUntil, link, storedAt: now, expiresAt, body };
}

/** One line of JSON, a newline, the body: so that a tier can keep text without touching the body. */
export function encodeEntry(entry: CachedAnswer, body: string): string {
  return `${encodeHead(entry)}\n${body}`;
}

/** The head line and the body as text. Null for anything that this version did not write. */
export function decodeEntry(text: string): CachedAnswer | null {
  const end = text.indexOf('\n');
  const head = end < 0 ? null : decodeHead(text.slice(0, end));
  return head === null ? null : { ...head, body: encoder.encode(text.slice(end + 1)) };
}

export function encodeHead(entry: CachedAnswer): string {
  const { epoch, incarnation, revision, validUntil, storedAt, expiresAt, link } = entry;
  return JSON.stringify({ epoch, incarnation, revision, validUntil, storedAt, expiresAt, link } satisfies Head);
}

/** Null for anything that this version did not write; an entry without an incarnation is never written anywhere. */
export function decodeHead(text: string): Head | null {
  if (text.charCodeAt(0) !== 123) return null;
  try {
    const head = JSON.parse(text) as Partial<Head>;
    const { epoch, incarnation, revision, storedAt, expiresAt } = head;
    if (typeof epoch !== 'string' || typeof incarnation !== 'string') return null;
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision)) return null;
    if (typeof storedAt !== 'number' || typeof expiresAt !== 'number') return null;
    const [validUntil, link] = [head.validUntil ?? null, head.link ?? null];
    return { epoch, incarnation, revision, validUntil, storedAt, expiresAt, link };
  } catch {
    return null;
  }
}
