import { createHmac, timingSafeEqual } from 'node:crypto';

// What Redis says of keys and sessions is believed without asking Postgres. So each record is signed, for its own place and
// its own time: whoever can write to Redis can neither make one up, nor use one of another key, nor keep one alive.

/** The signing key, derived once per isolate from the secret that was given. */
let derived: { secret: string; key: Buffer } | null = null;

function keyFrom(secret: string): Buffer {
  if (derived?.secret !== secret)
    derived = { secret, key: createHmac('sha256', secret).update('records in redis').digest() };
  return derived.key;
}

const sign = (secret: string, place: string, said: string): Buffer =>
  createHmac('sha256', keyFrom(secret)).update(`${place}\n${said}`).digest();

/** @param place the key in Redis @param until Unix time, ms */
export function seal(secret: string, place: string, text: string, until: number): string {
  const said = `${until}.${text}`;
  return `${sign(secret, place, said).toString('base64url')}.${said}`;
}

/** The text of a record of ours for this very place whose time is not over; null for anything else. */
export function unseal(secret: string, place: string, record: unknown, now: number): string | null {
  if (typeof record !== 'string') return null;
  const [, mac, said, until, text] = /^([\w-]{43})\.((\d{1,15})\.(.*))$/s.exec(record) ?? [];
  if (mac === undefined || said === undefined || text === undefined || now >= Number(until)) return null;
  const given = Buffer.from(mac, 'base64url');
  const own = sign(secret, place, said);
  return given.length === own.length && timingSafeEqual(given, own) ? text : null;
}
