import { createHash, randomBytes } from 'node:crypto';

/** One-time links: `cpl_` and 32 random bytes in base64url. Only the SHA-256 of one is stored. */
const LINK = /^cpl_[\w-]{43}$/;

/** A new link's token, which is shown or sent once, and the hash that is stored in its stead. */
export function newLink(): { token: string; hash: string } {
  const token = `cpl_${randomBytes(32).toString('base64url')}`;
  return { token, hash: sha256(token) };
}

/** The stored form, in hexadecimal; null when it is not the token of a link. */
export function hashLink(token: string): string | null {
  return LINK.test(token) ? sha256(token) : null;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
