/** What Redis and isolates know of a living key: whom to believe, what it may, when it ends (ms; null never). */
export type KeyRecord = { hash: Uint8Array; scopes: readonly string[]; expiresAt: number | null };

export function encodeRecord({ hash, scopes, expiresAt }: KeyRecord): string {
  return JSON.stringify([Buffer.from(hash).toString('hex'), expiresAt, scopes]);
}

/** Null for anything else than a record: then Postgres is asked. */
export function decodeRecord(text: unknown): KeyRecord | null {
  if (typeof text !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const [hex, expiresAt, scopes]: unknown[] = value;
  if (typeof hex !== 'string' || !/^[0-9a-f]{64}$/.test(hex)) return null;
  if (expiresAt !== null && typeof expiresAt !== 'number') return null;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) return null;
  return { hash: Buffer.from(hex, 'hex'), scopes, expiresAt };
}
