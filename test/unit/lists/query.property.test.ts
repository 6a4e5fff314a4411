import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { formatId } from '../../../src/core/id.ts';
import { type ListDeclaration, parseDetailQuery, parseListQuery } from '../../../src/core/list-query.ts';
import { anyText } from '../arbitraries.ts';

const STATUSES = ['ACTIVE', 'INACTIVE', 'ARCHIVED'];
const SORTS = ['createdAt', 'lastName', 'email'];
const FIELDS = ['id', 'firstName', 'email', 'name'];
const INCLUDES = ['stats', 'duplicates'];
const list: ListDeclaration = {
  filters: {
    status: { kind: 'enumList', values: STATUSES, description: '' },
    isActive: { kind: 'boolean', description: '' },
    createdAfter: { kind: 'instant', description: '' },
    staffId: { kind: 'id', prefix: 'stf', description: '' },
    staffIds: { kind: 'idList', prefix: 'stf', description: '' },
    date: { kind: 'date', description: '' },
    externalId: { kind: 'text', description: '' },
  },
  sorts: SORTS,
  fields: FIELDS,
  includes: INCLUDES,
  search: true,
};

const some = (values: string[]) => fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 5 }).map(String);
const id = fc.oneof(
  fc.uuid().map((uuid) => formatId('stf', uuid)),
  fc.constantFrom('', 'x', 'stf_', 'none'),
);
const instant = fc
  .record({
    date: fc.date({
      min: new Date('1900-01-02T00:00:00Z'),
      max: new Date('2199-12-30T00:00:00Z'),
      noInvalidDate: true,
    }),
    offset: fc.constantFrom('Z', '+02:00', '-11:30', 'z'),
  })
  .map(({ date, offset }) => date.toISOString().replace('Z', offset));
const search = fc
  .string({ unit: 'grapheme', maxLength: 10 })
  .filter((text) => text.trim() !== '' && !text.includes('\0'));
const sort = fc
  .shuffledSubarray(SORTS, { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name) => fc.constantFrom(name, `-${name}`))))
  .map(String);
const range = fc.oneof(
  fc.record({ page: fc.integer({ min: 1, max: 100 }).map(String) }, { requiredKeys: [] }),
  fc.record({ cursor: fc.base64String() }),
);
const valid = fc
  .tuple(
    range,
    fc.record(
      {
        limit: fc.integer({ min: 1, max: 100 }).map(String),
        count: fc.constantFrom('exact', 'estimated', 'none'),
        sort,
        fields: some(FIELDS),
        include: some(INCLUDES),
        search,
        status: some(STATUSES),
        isActive: fc.constantFrom('true', 'false'),
        createdAfter: instant,
        staffId: id,
        staffIds: fc.array(id, { minLength: 1, maxLength: 4 }).map(String),
        date: fc.constantFrom('2026-01-31', '2028-02-29'),
        externalId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((text) => !text.includes('\0')),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([where, what]) => Object.entries({ ...where, ...what }) as [string, string][]);

const parse = (pairs: [string, string][] | string) => parseListQuery(list, new URLSearchParams(pairs));

describe('parseListQuery, whatever the query', () => {
  it('normalises to a query that means the same and normalises to itself', () => {
    fc.assert(
      fc.property(valid, (pairs) => {
        const query = parse(pairs);
        const again = parse(query.normalised);
        // A default sort that was spelled out is forgotten where it changes nothing.
        expect({ ...again, explicitSort: query.explicitSort }).toEqual(query);
        if (query.search !== null) expect(again.explicitSort).toBe(query.explicitSort);
      }),
      { numRuns: 400 },
    );
  });

  it('is the same in every order of its parameters', () => {
    fc.assert(
      fc.property(
        valid.chain((pairs) => fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length }))),
        ([pairs, shuffled]) => {
          const [a, b] = [parse(pairs), parse(shuffled)];
          expect(b).toEqual(a);
        },
      ),
    );
  });

  it('binds a cursor to filters, search and sort, not to the shape of the answer', () => {
    const shape = ['page', 'cursor', 'limit', 'count', 'fields', 'include'];
    fc.assert(
      fc.property(valid, (pairs) => {
        const { filterKey } = parse(pairs);
        expect(parse(pairs.filter(([name]) => !shape.includes(name))).filterKey).toBe(filterKey);
        for (const name of ['status', 'isActive', 'createdAfter', 'staffId', 'date', 'externalId', 'search']) {
          const without = pairs.filter(([given]) => given !== name);
          if (without.length < pairs.length) expect(parse(without).filterKey).not.toBe(filterKey);
        }
      }),
    );
  });

  it('gives different answers different keys, and equal ones the same', () => {
    const meaning = (pairs: [string, string][]) => {
      const { normalised, explicitSort: _, ...query } = parse(pairs);
      return { normalised, text: JSON.stringify({ ...query, filters: Object.entries(query.filters).sort() }) };
    };
    fc.assert(
      fc.property(valid, fc.nat(), (pairs, index) => {
        const [a, b] = [meaning(pairs), meaning(pairs.toSpliced(index % (pairs.length + 1), 1))];
        expect(a.normalised === b.normalised).toBe(a.text === b.text);
      }),
      { numRuns: 400 },
    );
  });

  it('accepts or refuses with an AppError of 400, never throws another', () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.keys(list.filters), 'page', 'limit', 'sort', 'order', 'fields', 'search', 'count'),
      fc.string(),
    );
    const value = fc.oneof(anyText, fc.constantFrom('', ',', '-', '1', '99999999999', 'createdAt', '2026-13-01'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
        for (const read of [
          () => parse(pairs),
          () => parseDetailQuery({ fields: FIELDS }, new URLSearchParams(pairs)),
        ]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            expect((error as AppError).faults.length).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
