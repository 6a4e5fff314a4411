import { randomBytes } from 'node:crypto';
import { sha256 } from '../../core/hash.ts';

/** What the address of a calendar claims. `hash` is the SHA-256 of its whole secret, so company and id cannot be exchanged. */
export type FeedClaim = { companyId: string; id: string; hash: Buffer };

/** Two uuids and 32 random bytes in base64url, told apart by their lengths. */
const SECRET = /^([\w-]{22})([\w-]{22})([\w-]{43})$/;
const FILE = /^([\w-]{87})\.ics$/;

/** A new secret, which is shown once, and the hash that is stored in its stead. */
export function mintSecret(companyId: string, id: string): { secret: string; hash: Buffer } {
  const secret = `${short(companyId)}${short(id)}${randomBytes(32).toString('base64url')}`;
  return { secret, hash: sha256(secret) };
}

/** Null when it is not the name of a calendar's file; that costs no hash. */
export function parseFile(file: string): FeedClaim | null {
  const secret = FILE.exec(file)?.[1];
  const [, company, id] = SECRET.exec(secret ?? '') ?? [];
  if (secret === undefined || company === undefined || id === undefined) return null;
  return { companyId: long(company), id: long(id), hash: sha256(secret) };
}

const short = (uuid: string): string => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');

/** Of several spellings that give one uuid, the hash admits one. */
const long = (text: string): string =>
  Buffer.from(text, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
