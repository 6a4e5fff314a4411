import { expect, it } from 'vitest';
import { acceptsGzip } from '../../../src/http/encoding.ts';

it.each([
  ['gzip', true],
  ['deflate, gzip, br', true],
  ['GZIP', true],
  ['br, gzip;q=0.5', true],
  ['gzip ; q=0.001', true],
  ['x-gzip', true],
  ['*', true],
  ['br, *;q=0.1', true],
  ['identity, gzip', true],
  ['', false],
  ['identity', false],
  ['br', false],
  ['gzip;q=0', false],
  ['gzip; q=0.000', false],
  ['*, gzip;q=0', false],
  ['identity, gzip;q=0.5', false],
  ['gzip;q=x', false],
  ['gzipped', false],
])('Accept-Encoding: %s', (header, taken) => expect(acceptsGzip(header)).toBe(taken));
