/** A caller's address as limits count it. */
export type Network = {
  /** One subscriber: a whole IPv4 address, the /64 of an IPv6 one. */
  subscriber: string;
  /** The /48 around an IPv6 subscriber, which one customer of a provider may own whole; null for IPv4. */
  site: string | null;
};

/** For what is no address: all of it counts as one. */
const UNKNOWN: Network = { subscriber: 'unknown', site: null };

/** Reads an IP address in any of its spellings (RFC 4291, 2.2); equal addresses are equal networks. */
export function networkOf(text: string): Network {
  const [address = ''] = text.trim().split('%', 1);
  const v4 = readV4(address);
  if (v4 !== null) return ofV4(v4);
  const groups = readV6(address);
  if (groups === null) return UNKNOWN;
  // ::ffff:0:0/96 is an IPv4 address in the clothes of IPv6 (RFC 4291, 2.5.5.2).
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return ofV4(groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]));
  const prefix = (length: number): string =>
    groups
      .slice(0, length)
      .map((group) => group.toString(16))
      .join(':');
  return { subscriber: `${prefix(4)}::/64`, site: `${prefix(3)}::/48` };
}

const ofV4 = (bytes: readonly number[]): Network => ({ subscriber: bytes.join('.'), site: null });

/** The four bytes of an IPv4 address, or null. */
export function readV4(text: string): number[] | null {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return null;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** Eight groups of 16 bits, or null. */
export function readV6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, at) => readGroups(half, at === halves.length - 1));
  if (head === undefined || head === null || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? null : [...head, ...Array<number>(gap).fill(0), ...tail];
}

/** Groups between colons; where they end the address, the last may be an IPv4 address. */
function readGroups(text: string, ending: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    const v4 = ending && at === parts.length - 1 ? readV4(part) : null;
    if (v4 !== null) {
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
