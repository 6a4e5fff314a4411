import { randomBytes } from 'node:crypto';
import { decrypt, encrypt } from '../../core/keyring.ts';
import { SECRET_PREFIX } from '../../core/standard-webhook.ts';

const placeOf = (companyId: string, webhookId: string): string => `webhook ${companyId} ${webhookId}`;

/** A new secret, which is shown once, and how it is stored. */
export function mintSecret(keys: readonly string[], companyId: string, webhookId: string) {
  const secret = SECRET_PREFIX + randomBytes(32).toString('base64');
  return { secret, stored: encrypt(keys, placeOf(companyId, webhookId), secret) };
}

/** Null where it was stored under a key that is not there any more. */
export const readSecret = (
  keys: readonly string[],
  { companyId, webhookId }: { companyId: string; webhookId: string },
  stored: string,
): string | null => decrypt(keys, placeOf(companyId, webhookId), stored);
