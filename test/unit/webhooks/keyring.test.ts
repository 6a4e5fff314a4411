import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { decrypt, encrypt } from '../../../src/core/keyring.ts';

const [a, b] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];

test('what is encrypted is read under its key, at its place, and nowhere else', () => {
  const sealed = encrypt([a], 'row 1', 'whsec_secret');
  expect(sealed).not.toContain('secret');
  expect(decrypt([a], 'row 1', sealed)).toBe('whsec_secret');
  expect(decrypt([a], 'row 2', sealed)).toBeNull();
  expect(decrypt([b], 'row 1', sealed)).toBeNull();
  expect(encrypt([a], 'row 1', 'whsec_secret')).not.toBe(sealed);
});

test('a new key goes before the old one, which still reads', () => {
  const sealed = encrypt([a], 'row', 'text');
  expect(decrypt([b, a], 'row', sealed)).toBe('text');
  expect(decrypt([a], 'row', encrypt([b, a], 'row', 'text'))).toBeNull();
});

test('what was tampered with is not read', () => {
  const sealed = encrypt([a], 'row', 'text');
  const [version, name, body = ''] = sealed.split('.');
  const bytes = Buffer.from(body, 'base64url');
  for (const at of [0, 13, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    expect(decrypt([a], 'row', `${version}.${name}.${other.toString('base64url')}`)).toBeNull();
  }
  for (const text of ['', 'v1', `v1.${name}.`, `v2.${name}.${body}`, sealed.slice(0, -20)])
    expect(decrypt([a], 'row', text)).toBeNull();
});
