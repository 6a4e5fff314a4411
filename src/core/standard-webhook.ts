import { createHmac } from 'node:crypto';

/** Before the base64 of a secret. */
export const SECRET_PREFIX = 'whsec_';

/** The bytes of a secret as it is handed around. */
export const secretBytes = (secret: string): Uint8Array => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/**
 * The headers of a signed message (Standard Webhooks 1.0). A secret on its way out signs beside the one that follows it.
 * @param timestamp of this attempt, Unix time in seconds
 */
export function signedHeaders(
  { id, timestamp, body }: { id: string; timestamp: number; body: string },
  secrets: readonly Uint8Array[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${mac}`;
  });
  return {
    'Content-Type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
