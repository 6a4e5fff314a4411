import { createHash } from 'node:crypto';

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A name of a text: 132 bits of its hash in 22 characters of base64url. */
export const shortHash = (text: string): string => sha256(text).toString('base64url').slice(0, 22);
