import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, isDate, parseInstant } from '../../../src/core/instant.ts';
import { anyText } from '../arbitraries.ts';

describe('parseInstant', () => {
  it.each([
    ['2026-01-31T09:00:00Z', '2026-01-31T09:00:00.000Z'],
    ['2026-01-31t09:00:00z', '2026-01-31T09:00:00.000Z'],
    ['2026-01-31T09:00:00+02:00', '2026-01-31T07:00:00.000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
    ['2026-01-31T09:00:00-03:30', '2026-01-31T12:30:00.000Z'],
    ['2026-01-31T09:00:00-00:00', '2026-01-31T09:00:00.000Z'],
    ['2026-01-31T09:00:00.5Z', '2026-01-31T09:00:00.500Z'],
    ['2026-01-31T09:00:00.123456789Z', '2026-01-31T09:00:00.123Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['0050-06-01T00:00:00Z', '0050-06-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, instant) => expect(parseInstant(text)).toBe(instant));

  it.each([
    '',
    '2026-01-31',
    '2026-01-31T09:00:00',
    '2026-01-31T09:00Z',
    '2026-01-31 09:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00,5Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+00:60',
    '2026-01-01T00:00:00+0200',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '+002026-01-01T00:00:00Z',
    '20260-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '٢٠٢٦-01-01T00:00:00Z',
    '1767225600000',
  ])('%j is none', (text) => expect(parseInstant(text)).toBeNull());

  const time = fc.date({
    min: new Date('0001-01-02T00:00:00Z'),
    max: new Date('9999-12-30T00:00:00Z'),
    noInvalidDate: true,
  });

  it('is the same instant in every offset', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: -1439, max: 1439 }), (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [h, m] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
          String(n).padStart(2, '0'),
        );
        expect(parseInstant(`${local}${minutes < 0 ? '-' : '+'}${h}:${m}`)).toBe(date.toISOString());
      }),
    );
  });

  it('never throws and is a fixpoint', () => {
    const text = fc.oneof(anyText, fc.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/));
    fc.assert(
      fc.property(text, (given) => {
        const instant = parseInstant(given);
        return instant === null || parseInstant(instant) === instant;
      }),
    );
  });
});

describe('isDate', () => {
  it('knows every day of four centuries and no other', () => {
    const days = new Set<string>();
    for (let day = Date.parse('1896-01-01T00:00:00Z'); day < Date.parse('2297-01-01T00:00:00Z'); day += 86_400_000) {
      days.add(new Date(day).toISOString().slice(0, 10));
    }
    let wrong = 0;
    for (let year = 1896; year < 2297; year++) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
          if (isDate(text) !== days.has(text)) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it.each([
    '0000-01-01',
    '2026-1-1',
    '2026-01-01T00:00:00Z',
    '26-01-01',
    '-001-01-01',
    '2026-01-0x',
    '2026-01-01 ',
    '2026-01-1 ',
    '2026-01-1.',
    '',
  ])('refuses %j', (text) => expect(isDate(text)).toBe(false));
});

it('an instant that no calendar of ours reaches is shown as it is stored', () => {
  expect(instantOf('10000-01-01T00:44:00+00:00')).toBe('10000-01-01T00:44:00+00:00');
  expect(instantOf('2026-11-23T02:07:14.12+00:00')).toBe('2026-11-23T02:07:14.120Z');
});
