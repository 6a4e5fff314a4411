import { randomBytes } from 'node:crypto';
import { sha256 } from '../../core/hash.ts';

/** What the text of a key claims. `hash` is the SHA-256 of the whole text, so company and id cannot be exchanged. */
export type KeyClaim = { companyId: string; keyId: string; hash: Buffer };

export const KEY_PREFIX = 'cpk_';

/** `cpk_live_<company>_<key>_<secret>`: two uuids and 32 random bytes in base64url, told apart by their lengths. */
const KEY = /^cpk_live_([\w-]{22})_([\w-]{22})_([\w-]{43})$/;

/** A new key's text, which is shown once, and the hash that is stored in its stead. */
export function mintKey(companyId: string, keyId: string): { secret: string; hash: Buffer } {
  const random = randomBytes(32).toString('base64url');
  const secret = `cpk_live_${short(companyId)}_${short(keyId)}_${random}`;
  return { secret, hash: sha256(secret) };
}

/** Null when it is not the text of a key; that costs no hash. */
export function parseKey(text: string): KeyClaim | null {
  const match = KEY.exec(text);
  const companyId = long(match?.[1]);
  const keyId = long(match?.[2]);
  if (companyId === null || keyId === null) return null;
  return { companyId, keyId, hash: sha256(text) };
}

function short(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

function long(text: string | undefined): string | null {
  if (text === undefined) return null;
  const hex = Buffer.from(text, 'base64url').toString('hex');
  // 22 characters are 132 bits: one uuid has one spelling.
  if (Buffer.from(hex, 'hex').toString('base64url') !== text) return null;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
