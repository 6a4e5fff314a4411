import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

// Secrets that must be used, and so cannot be hashed, stand encrypted in the database (AES-256-GCM). Whoever reads the
// database alone reads none of them. Each is bound to its place: in another row it is worth nothing.

const derive = (secret: string, what: string): Buffer => createHmac('sha256', secret).update(what).digest();

/** Names the key that something was encrypted with, and tells nothing of it. */
const nameOf = (secret: string): string => derive(secret, 'name of a key').subarray(0, 6).toString('base64url');

/** Derived once per isolate from each of the secrets that were given: a handful. */
const derived = new Map<string, { name: string; key: Buffer }>();

function keyFrom(secret: string): { name: string; key: Buffer } {
  const known = derived.get(secret) ?? { name: nameOf(secret), key: derive(secret, 'secrets in the database') };
  derived.set(secret, known);
  return known;
}

/** @param keys the first encrypts @param place where it will stand, such as the ids of its row */
export function encrypt(keys: readonly string[], place: string, text: string): string {
  const [first] = keys;
  if (first === undefined) throw new Error('no key to encrypt with');
  const { name, key } = keyFrom(first);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${name}.${sealed.toString('base64url')}`;
}

/** Null where none of the keys made it, or not for this place. */
export function decrypt(keys: readonly string[], place: string, sealed: string): string | null {
  const [version, name, text = ''] = sealed.split('.');
  const own = keys.map(keyFrom).find((key) => key.name === name);
  const bytes = Buffer.from(text, 'base64url');
  if (version !== 'v1' || own === undefined || bytes.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', own.key, bytes.subarray(0, 12)).setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
