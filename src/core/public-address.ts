import { lazy } from './lazy.ts';
import { readV4, readV6 } from './network.ts';

/** What of IPv4 is not the public Internet (IANA's registry of special-purpose addresses): network and length. */
const SPECIAL: readonly (readonly [network: string, length: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

const numberOf = (bytes: readonly number[]): number => bytes.reduce((number, byte) => number * 256 + byte, 0);

const networks = lazy(() =>
  SPECIAL.map(([network, length]) => {
    const size = 2 ** (32 - length);
    return { size, first: numberOf(readV4(network) ?? []) / size };
  }),
);

/** Whether it is an address in one of its spellings, rather than a name. */
export const isAddress = (text: string): boolean => readV4(text) !== null || readV6(text) !== null;

/** Whether an address is one that anybody on the Internet may be reached at; false for what is none. */
export function isPublicAddress(text: string): boolean {
  const v4 = readV4(text);
  if (v4 !== null) return isPublicV4(v4);
  const groups = readV6(text);
  if (groups === null) return false;
  const [a = 0, b = 0] = groups;
  // Of IPv6 only 2000::/3 is global unicast; within it Teredo and ORCHID, documentation, and 6to4, which holds an IPv4 address.
  if (a >> 13 !== 1) return false;
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  if (a === 0x3fff && b < 0x1000) return false;
  return a !== 0x2002;
}

function isPublicV4(bytes: readonly number[]): boolean {
  const number = numberOf(bytes);
  return !networks().some(({ size, first }) => Math.floor(number / size) === first);
}
