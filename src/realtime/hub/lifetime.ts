import { CLOSE } from '../../core/upgrade.ts';
import type { Member } from './member.ts';

/** How a connection ends by itself, or when it may next, ms. */
export type End = { code: number; reason: string } | { due: number };

/** @param pinged when the platform last answered a ping of it, ms */
export function endOf(
  { connectedAt, lastMessageAt, expiresAt }: Member,
  pinged: number,
  now: number,
  idleMs: number,
): End {
  if (expiresAt !== null && expiresAt <= now) return { code: CLOSE.credentialsExpired, reason: 'credentials expired' };
  const heard = Math.max(connectedAt, lastMessageAt, pinged);
  // A clock that stepped back must not keep a socket for as long as it stepped.
  const silent = heard > now ? 0 : now - heard;
  if (silent >= idleMs) return { code: CLOSE.idle, reason: 'idle' };
  return { due: Math.min(now + idleMs - silent, expiresAt ?? Number.POSITIVE_INFINITY) };
}
