import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cursor, decodeCursor, encodeCursor } from '../../../src/core/cursor.ts';
import { anyText } from '../arbitraries.ts';

const SECRET = 'a secret of sufficient length';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const example: Cursor = {
  company: '01890a5d-ac96-774b-bcce-b302099a8057',
  route: '/clients',
  query: 'search=jonh&sort=rank',
  values: ['2026-01-31T09:00:00.000Z', 12.5, null, true],
  id: '01890a5d-ac96-774b-bcce-b302099a8058',
  direction: 'next',
};
const refused = (code: string) => expect.objectContaining({ name: 'AppError', code });

const text = fc.string({ unit: 'grapheme' });
const anyCursor: fc.Arbitrary<Cursor> = fc.record({
  company: fc.uuid(),
  route: text,
  query: text,
  values: fc.array(fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), { maxLength: 4 }),
  id: fc.uuid(),
  direction: fc.constantFrom('next', 'prev'),
});

describe('encodeCursor and decodeCursor', () => {
  it('round-trip', () => {
    fc.assert(
      fc.property(text, anyCursor, (secret, cursor) => {
        const encoded = encodeCursor(secret, cursor);
        expect(encoded).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(secret, encoded, cursor)).toEqual(cursor);
      }),
    );
  });

  it('always write the same cursor the same way', () => {
    expect(encodeCursor(SECRET, { ...example })).toBe(encodeCursor(SECRET, example));
  });

  it('do not show company, route, search text or secret', () => {
    const encoded = encodeCursor(SECRET, example);
    const shown = encoded + Buffer.from(encoded, 'base64url').toString('latin1');
    for (const hidden of [example.company, example.company.replaceAll('-', ''), 'clients', 'jonh', SECRET]) {
      expect(shown).not.toContain(hidden);
    }
  });

  it('return what was expected and nothing else of it', () => {
    const expected = { company: example.company, route: example.route, query: example.query, more: 1 };
    expect(decodeCursor(SECRET, encodeCursor(SECRET, example), expected)).toEqual(example);
  });
});

describe('decodeCursor refuses', () => {
  const encoded = encodeCursor(SECRET, example);

  it('a cursor changed in any one character to any other', () => {
    for (let index = 0; index < encoded.length; index++) {
      // The last is another character that a careless conversion to bytes makes the same.
      const alike = String.fromCharCode(encoded.charCodeAt(index) + 256);
      for (const character of [...BASE64URL, '=', '+', '/', ' ', alike]) {
        if (character === encoded[index]) continue;
        const tampered = encoded.slice(0, index) + character + encoded.slice(index + 1);
        expect(() => decodeCursor(SECRET, tampered, example)).toThrow(refused('invalid_cursor'));
      }
    }
  });

  it('every cut, addition and swap', () => {
    for (let index = 0; index < encoded.length; index++) {
      expect(() => decodeCursor(SECRET, encoded.slice(index + 1), example)).toThrow(refused('invalid_cursor'));
      expect(() => decodeCursor(SECRET, encoded.slice(0, index), example)).toThrow(refused('invalid_cursor'));
    }
    for (const tampered of [`${encoded}=`, `${encoded}A`, ` ${encoded}`, encoded + encoded, encoded.toLowerCase()]) {
      expect(() => decodeCursor(SECRET, tampered, example)).toThrow(refused('invalid_cursor'));
    }
  });

  it.each<[string, Partial<Cursor>]>([
    ['another company', { company: '01890a5d-ac96-774b-bcce-b302099a8059' }],
    ['another route', { route: '/invoices' }],
    ['a boundary moved between the two', { company: `${example.company}/`, route: 'clients' }],
    ['another company and another query', { company: 'other', query: '' }],
  ])('%s as invalid_cursor', (_, other) => {
    expect(() => decodeCursor(SECRET, encoded, { ...example, ...other })).toThrow(refused('invalid_cursor'));
  });

  it('another secret as invalid_cursor', () => {
    expect(() => decodeCursor('another secret', encoded, example)).toThrow(refused('invalid_cursor'));
  });

  it('another query as cursor_mismatch, naming the parameter', () => {
    expect(() => decodeCursor(SECRET, encoded, { ...example, query: 'sort=rank' })).toThrow(
      expect.objectContaining({
        code: 'cursor_mismatch',
        faults: [expect.objectContaining({ parameter: 'cursor', code: 'cursor_mismatch' })],
      }),
    );
  });

  it('any text whatever, without another kind of error', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.base64String(), fc.constant('A'.repeat(100_000))), (given) => {
        expect(() => decodeCursor(SECRET, given, example)).toThrow(refused('invalid_cursor'));
      }),
    );
  });
});
