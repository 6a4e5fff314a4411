import { describe, expect, test } from 'vitest';
import { callbackFault, leadsOutside } from '../../../src/core/callback-url.ts';
import { isPublicAddress } from '../../../src/core/public-address.ts';

const may = (url: string, loopback = false): boolean => callbackFault(url, { loopback }) === null;

test.each([
  'https://hooks.example.com/path?query=1',
  'https://hooks.example.com:8443/',
  'https://hooks.example.com./',
  'https://xn--bcher-kva.example.org/',
  'https://10.example.com/',
])('%s may be called', (url) => expect(may(url)).toBe(true));

describe('may not be called, not even in development', () => {
  test.each([
    ['in the clear', 'http://hooks.example.com/'],
    ['another scheme', 'ftp://hooks.example.com/'],
    ['no URL', 'hooks.example.com'],
    ['a user name', 'https://user@hooks.example.com/'],
    ['a password', 'https://:secret@hooks.example.com/'],
    ['a public address', 'https://8.8.8.8/'],
    ['a private address', 'https://10.0.0.1/'],
    ['the metadata of a cloud', 'https://169.254.169.254/latest/meta-data/'],
    ['an address in one number', 'https://167772161/'],
    ['an address in hexadecimal', 'https://0xa.0.0.1/'],
    ['an address in octal', 'https://012.0.0.1/'],
    ['a short address', 'https://10.1/'],
    ['a full-width address', 'https://１０.0.0.1/'],
    ['an IPv6 address', 'https://[2606:4700::1111]/'],
    ['a mapped one', 'https://[::ffff:10.0.0.1]/'],
    ['a name of one label', 'https://intranet/'],
    ['a name of mDNS', 'https://printer.local/'],
    ['an internal name', 'https://metadata.google.internal/'],
    ['the same with the dot of the root', 'https://metadata.google.internal./'],
    ['a service of a cluster', 'https://x.svc/'],
    ['a name in capitals', 'https://Printer.LOCAL/'],
    ['a reserved name', 'https://x.test/'],
    ['a reverse name', 'https://1.0.0.10.in-addr.arpa/'],
    ['an odd port', 'https://hooks.example.com:22/'],
    ['the port of a database', 'https://hooks.example.com:6379/'],
  ])('%s: %s', (_, url) => {
    expect(may(url)).toBe(false);
    expect(may(url, true)).toBe(false);
  });
});

test.each(['http://127.0.0.1:3000/', 'http://localhost:3000/', 'https://[::1]:3000/', 'http://127.1:80/'])(
  '%s may be called in development alone',
  (url) => expect([may(url), may(url, true)]).toEqual([false, true]),
);

test.each(['1.1.1.1', '93.184.215.14', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])('%s is public', (one) =>
  expect(isPublicAddress(one)).toBe(true),
);

test.each(
  '0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.53 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.168.1.1 198.19.0.1 203.0.113.9 224.0.0.1 255.255.255.255 ::1 :: fc00::1 fe80::1 ff02::1 ::ffff:8.8.8.8 64:ff9b::808:808 2001:db8::1 2001::1 2002:a00:1:: 3fff::1 name.example'.split(
    ' ',
  ),
)('%s is not', (one) => expect(isPublicAddress(one)).toBe(false));

test('a name leads outside when all its addresses do, and it has one', async () => {
  const to = (...addresses: string[]) => leadsOutside('https://hooks.example.com/', async () => addresses);
  expect(await to('1.1.1.1', '2606:4700::1111')).toBe(true);
  expect(await to('1.1.1.1', '10.0.0.1')).toBe(false);
  expect(await to()).toBe(false);
  await expect(leadsOutside('https://hooks.example.com/', async () => Promise.reject(new Error()))).rejects.toThrow();
});
