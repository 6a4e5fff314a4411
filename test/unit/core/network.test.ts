import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkOf } from '../../../src/core/network.ts';

test.each([
  ['192.0.2.7', '192.0.2.7', null],
  ['::ffff:9.9.9.9', '9.9.9.9', null],
  ['::FFFF:0909:0909', '9.9.9.9', null],
  ['0:0:0:0:0:ffff:9.9.9.9', '9.9.9.9', null],
  ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['2001:0DB8:0:0:ffff::9', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8:1:2:3:4:1.2.3.4', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
  ['::1', '0:0:0:0::/64', '0:0:0::/48'],
])('%s is %s in %s', (text, subscriber, site) => {
  expect(networkOf(text)).toEqual({ subscriber, site });
});

test.each([
  '',
  'unknown',
  '1.2.3',
  '1.2.3.256',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  ':1::2',
  '12345::',
  'g::',
  '1.2.3.4::',
])('%j is no address: all of those are one', (text) => {
  expect(networkOf(text)).toEqual({ subscriber: 'unknown', site: null });
});

test('every spelling of an address is the same network, and all of a /64 is one', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 }).filter((g) => g.slice(0, 5).some((n) => n > 0));
  const spell = (numbers: number[], upper: boolean, padded: boolean, at: number, length: number): string => {
    const parts = numbers.map((n) => n.toString(16).padStart(padded ? 4 : 1, '0'));
    const run = numbers.slice(at, at + length);
    const short = run.length > 0 && run.every((n) => n === 0);
    const text = short ? `${parts.slice(0, at).join(':')}::${parts.slice(at + run.length).join(':')}` : parts.join(':');
    return upper ? text.toUpperCase() : text;
  };
  fc.assert(
    fc.property(
      groups,
      groups,
      fc.boolean(),
      fc.boolean(),
      fc.nat(7),
      fc.integer({ min: 1, max: 8 }),
      (a, b, ...how) => {
        const plain = networkOf(a.map((n) => n.toString(16)).join(':'));
        expect(networkOf(spell(a, ...how))).toEqual(plain);
        const neighbour = [...a.slice(0, 4), ...b.slice(4)];
        expect(networkOf(spell(neighbour, ...how))).toEqual(plain);
      },
    ),
  );
});
