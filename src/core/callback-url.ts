import { isAddress, isPublicAddress } from './public-address.ts';

/** Where the platform and its proxies take HTTPS; anything else is more likely a service within somebody's walls. */
const PORTS = new Set(['', '443', '2053', '2083', '2087', '2096', '8443']);

/** Top-level names that no public resolver answers, or only for insiders (RFC 6761, 6762, 7686, 8375, 9476 and habit). */
const PRIVATE = new Set(
  'alt arpa cluster consul corp docker domain example home host internal intranet invalid lan local localdomain localhost onion private svc test workgroup'.split(
    ' ',
  ),
);

/** The name of a host as resolvers take it: without the brackets of an IPv6 address and the dot of the root. */
const nameOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '');

const isLoopback = (name: string): boolean => name === 'localhost' || name === '::1' || /^127\.[\d.]+$/.test(name);

/**
 * Why we do not call an address that somebody gave us, in words for them; null where we may. What its name resolves to is not
 * looked at here.
 * @param loopback whether this very machine may be called, in the clear too
 */
export function callbackFault(text: string, { loopback }: { loopback: boolean }): string | null {
  if (!URL.canParse(text)) return 'Must be a URL.';
  const url = new URL(text);
  // As URL reads it: 0x7f.1, 2130706433 and ① are spelled out by then.
  const name = nameOf(url);
  if (url.username !== '' || url.password !== '') return 'Must not hold a user name or a password.';
  if (loopback && isLoopback(name) && ['http:', 'https:'].includes(url.protocol)) return null;
  if (url.protocol !== 'https:') return 'Must start with https://.';
  if (isAddress(name)) return 'Must name a host, not an IP address.';
  const labels = name.split('.');
  if (labels.length < 2 || PRIVATE.has(labels.at(-1) ?? '')) return 'Must be a public name.';
  if (!PORTS.has(url.port)) return `Must use one of the ports ${[...PORTS].slice(1).join(', ')}.`;
  return null;
}

/** Asks for the addresses of a name. @throws Error when nobody could tell */
export type Resolver = (name: string) => Promise<readonly string[]>;

/**
 * Whether the name of an address that passed leads to public addresses alone. Between this and the call a name may change its
 * mind; what then protects us is that the platform itself calls no private address.
 * @throws Error when nobody could tell
 */
export async function leadsOutside(text: string, resolve: Resolver): Promise<boolean> {
  const name = nameOf(new URL(text));
  if (isLoopback(name)) return true;
  const addresses = await resolve(name);
  return addresses.length > 0 && addresses.every(isPublicAddress);
}
