import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvLine, neutral, unneutral } from '../../../src/http/csv.ts';
import { anyText } from '../arbitraries.ts';

test.each([
  '=1+1',
  '+431234',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\n',
  '  =1+1',
  '\u00a0=1',
  '\uff1d1+1',
  ' \uff0b1',
  '\uff0d1',
  '\uff20x',
  "'=1+1",
  "''-1",
])('%j is no formula once exported', (cell) => {
  expect(neutral(cell)).toBe(`'${cell}`);
  expect(csvLine([cell])).toMatch(/^"?'/);
  expect(unneutral(neutral(cell))).toBe(cell);
});

test.each(['Ann', "O'Brien", "'quoted'", 'a=b', '1-2', ' x', '', '\u201c='])('%j is left as it is', (cell) => {
  expect(neutral(cell)).toBe(cell);
  expect(unneutral(cell)).toBe(cell);
});

test('numbers are no text, and so no formula', () => {
  expect(csvLine([-5, 'x'])).toBe('-5,x\r\n');
});

test('any cell comes back, and starts nothing', () => {
  const cell = fc.oneof(
    anyText,
    fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\n', '\r', ' ', '\uff1d', 'a'), maxLength: 6 }),
  );
  fc.assert(
    fc.property(cell, (text) => {
      expect(unneutral(neutral(text))).toBe(text);
      expect(neutral(text)).not.toMatch(/^(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/);
    }),
  );
});
