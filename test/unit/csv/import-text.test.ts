import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOf } from '../../../src/insight/imports/charset.ts';
import { declared, delimiterOf, firstLine } from '../../../src/insight/imports/delimiter.ts';

/** The text of bytes that come in pieces of `size`. */
function read(bytes: Uint8Array, size: number, charset: 'utf-8' | 'latin1' | null = null): string {
  const text = textOf(charset);
  let all = '';
  for (let at = 0; at < bytes.length; at += size) all += text.write(bytes.subarray(at, at + size));
  return all + text.end();
}

describe('the text of a file', () => {
  test('UTF-8 is read as it is, however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        fc.pre(!text.startsWith('\uFEFF'));
        expect(read(Buffer.from(text), size)).toBe(text);
      }),
    );
    expect(read(Buffer.from('\uFEFFüa'), 1)).toBe('üa');
  });

  test('what cannot be UTF-8 is Latin-1, however it is cut', () => {
    const names = ['Jürgen Größe', 'Renée', 'Åse', 'Señor Núñez', 'é', 'naïf \x80'];
    for (const name of names) {
      for (let size = 1; size < 5; size += 1)
        expect(read(Buffer.from(name, 'latin1'), size)).toBe(name.replace('\x80', '€'));
    }
  });

  test.each([
    ['UTF-8 that breaks later', [0xc3, 0xbc, 0x61, 0xfc, 0x61], null],
    ['UTF-8 that ends inside a character', [0xc3, 0xbc, 0xe2, 0x82], null],
    ['Latin-1 that says it is UTF-8', [0x61, 0xfc], 'utf-8'],
    ['UTF-16', [0xff, 0xfe, 0x61, 0], null],
  ] as const)('%s is refused', (_, bytes, charset) => {
    expect(() => read(Uint8Array.from(bytes), 10, charset)).toThrow(/UTF/);
    if (charset !== null || bytes[0] === 0xc3) expect(() => read(Uint8Array.from(bytes), 1, charset)).toThrow(/UTF/);
  });
});

describe('what separates cells', () => {
  const known = (name: string): boolean => ['firstName', 'lastName', 'notes'].includes(name);
  test.each([
    ['firstName,lastName', ','],
    ['firstName;lastName', ';'],
    ['firstName\tlastName', '\t'],
    ['"a,b";firstName;"c,d,e,f"', ';'],
    // More commas than semicolons, but names that are known.
    ['Name, Vorname, Titel;firstName;notes', ';'],
    ['a;b;c', ';'],
    ['firstName', ','],
    ['', ','],
  ])('%j: %j', (header, delimiter) => {
    expect(delimiterOf(header, known)).toBe(delimiter);
  });

  test('a first line that only names the delimiter', () => {
    expect([declared('sep=;'), declared('SEP=,'), declared('sep=x'), declared('separator')]).toEqual([
      ';',
      ',',
      null,
      null,
    ]);
  });

  test('the first line ends outside quotes; blank ones before it are none', () => {
    expect(firstLine('\r\n"a\nb",c\r\nd', false)).toMatchObject({ line: '"a\nb",c', start: 2 });
    expect(firstLine('a,b', false)).toBeNull();
    expect(firstLine('a,b', true)).toMatchObject({ line: 'a,b', next: 3 });
  });
});
