import { randomBytes } from 'node:crypto';
import { sha256 } from '../../core/hash.ts';

/** One-time links: `cpl_` and 32 random bytes in base64url. Only the SHA-256 of one is stored. */
const LINK = /^cpl_[\w-]{43}$/;

/** A new link's token, which is shown or sent once, and the hash that is stored in its stead. */
export function newLink(): { token: string; hash: Buffer } {
  const token = `cpl_${randomBytes(32).toString('base64url')}`;
  return { token, hash: sha256(token) };
}

/** The stored form; null when it is not the token of a link. */
export function hashLink(token: string): Buffer | null {
  return LINK.test(token) ? sha256(token) : null;
}
