import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvParser, type CsvRecord } from '../../../src/insight/imports/csv.ts';
import { LineSplitter } from '../../../src/insight/imports/lines.ts';

function parse(...pieces: string[]): { records: CsvRecord[]; whole: boolean } {
  const records: CsvRecord[] = [];
  const parser = new CsvParser((record) => records.push(record));
  for (const piece of pieces) parser.push(piece);
  return { whole: parser.end(), records };
}

const cellsOf = (...pieces: string[]): string[][] => parse(...pieces).records.map(({ cells }) => cells);

/** Pieces of a text, cut at arbitrary places. */
const cut = (text: string, places: number[]): string[] => {
  const ends = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...ends, text.length].map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
};

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ' ', ',', '"', '\n', '\r', '\0', "'", '='),
  maxLength: 6,
});
const table = fc
  .integer({ min: 2, max: 4 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }));
const write = (text: string, always: boolean): string =>
  always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const places = fc.array(fc.nat(200), { maxLength: 8 });

describe('a CSV file', () => {
  test('of any cells is read back, quoted or not, whatever its line ends and wherever it is cut', () => {
    fc.assert(
      fc.property(
        table,
        fc.boolean(),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        places,
        (rows, always, eol, last, at) => {
          const text = rows.map((row) => row.map((value) => write(value, always)).join()).join(eol) + (last ? eol : '');
          const { records, whole } = parse(...cut(text, at));
          expect(whole).toBe(true);
          expect(records).toEqual(rows.map((cells) => ({ cells, malformed: false })));
        },
      ),
    );
  });

  test('of any text at all gives the same records wherever it is cut, and never throws', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\0', ''), maxLength: 40 });
    fc.assert(fc.property(text, places, (whole, at) => void expect(parse(...cut(whole, at))).toEqual(parse(whole))));
  });

  test('blank lines are no records', () => {
    expect(cellsOf('\n\na,b\n\n1,2\r\n\r\n\n')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  test('in a file of one column a blank line between others is a blank cell, at the end it is nothing', () => {
    expect(cellsOf('a\n1\n\n2\n\n\n')).toEqual([['a'], ['1'], [''], ['2']]);
    expect(cellsOf('a\n""\n')).toEqual([['a'], ['']]);
    expect(cellsOf('a\n""')).toEqual([['a'], ['']]);
  });

  test('quotes where none may be are marked, and cost no other record', () => {
    expect(parse('a,b\n1"x,2\n"1"x,2\n3,4').records).toEqual([
      { cells: ['a', 'b'], malformed: false },
      { cells: ['1"x', '2'], malformed: true },
      { cells: ['1x', '2'], malformed: true },
      { cells: ['3', '4'], malformed: false },
    ]);
  });

  test('that ends inside quotes says so', () => {
    expect(parse('a,b\n1,"2\n3,4\n').whole).toBe(false);
    expect(parse('a,b\n1,"2"').whole).toBe(true);
  });

  test('nothing is no record; empty cells are cells', () => {
    expect(cellsOf('')).toEqual([]);
    expect(cellsOf(',')).toEqual([['', '']]);
    expect(cellsOf('a,\n,b')).toEqual([
      ['a', ''],
      ['', 'b'],
    ]);
  });

  test('a cell of many megabytes in small pieces takes linear time', () => {
    const pieces = Array.from({ length: 2000 }, () => 'x'.repeat(5000));
    const started = performance.now();
    expect(cellsOf('a,b\n1,"', ...pieces, '"')[1]?.[1]?.length).toBe(10_000_000);
    expect(cellsOf('a,b\n1,', ...pieces)[1]?.[1]?.length).toBe(10_000_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test('of a record of commas alone a thousand cells are kept', () => {
  expect(cellsOf(`a,b\n${','.repeat(1_000_000)}`)[1]?.length).toBe(1000);
});

test('lines are the same wherever the text is cut', () => {
  const lines = (...pieces: string[]): string[] => {
    const found: string[] = [];
    const splitter = new LineSplitter((line) => found.push(line));
    for (const piece of pieces) splitter.push(piece);
    splitter.end();
    return found;
  };
  expect(lines('a\r\nb\n\nc')).toEqual(['a', 'b', '', 'c']);
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r'), maxLength: 20 });
  fc.assert(fc.property(text, places, (whole, at) => void expect(lines(...cut(whole, at))).toEqual(lines(whole))));
});
