import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { type ListDeclaration, parseListQuery } from '../../../src/core/list-query.ts';

const declaration: ListDeclaration = {
  filters: {
    status: { kind: 'enumList', values: ['ACTIVE', 'INACTIVE', 'ARCHIVED'], description: '' },
    kind: { kind: 'enum', values: ['ONE', 'TWO'], description: '' },
    isActive: { kind: 'boolean', description: '' },
    createdAfter: { kind: 'instant', description: '' },
    staffId: { kind: 'id', prefix: 'stf', description: '' },
    staffIds: { kind: 'idList', prefix: 'stf', description: '' },
    date: { kind: 'date', description: '' },
    externalId: { kind: 'text', description: '' },
  },
  sorts: ['createdAt', 'lastName', 'id'],
  fields: ['id', 'firstName', 'lastName', 'email'],
  includes: ['stats', 'duplicates'],
  search: true,
};
const parse = (query: string, list = declaration) => parseListQuery(list, new URLSearchParams(query));

function refusal(query: string, list = declaration): AppError {
  try {
    parse(query, list);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`accepted: ${query}`);
}
const faults = (query: string, list = declaration) =>
  refusal(query, list).faults.map(({ parameter, code }) => `${parameter}:${code}`);

describe('parseListQuery refuses', () => {
  it.each([
    ...['0', '101', '-1', '+5', '5.0', '1e1', '0x10', ' 5', '', 'abc', '020', '٥', '99999999999999999999'].map(
      (limit) => [`limit=${encodeURIComponent(limit)}`, 'limit:out_of_range'],
    ),
    ...['0', '-1', '1.5', '', 'x', '01', 'Infinity'].map((page) => [`page=${page}`, 'page:out_of_range']),
    ['page=1&cursor=abc', 'page:conflict'],
    ['count=all', 'count:unknown_value'],
    ['count=', 'count:unknown_value'],
    ['sort=', 'sort:unknown_value'],
    ['sort=phone', 'sort:unknown_value'],
    ['sort=--createdAt', 'sort:unknown_value'],
    ['sort=createdAt,', 'sort:unknown_value'],
    ['sort=constructor', 'sort:unknown_value'],
    ['sort=lastName,-lastName', 'sort:duplicate_value'],
    ['order=asc', 'order:conflict'],
    ['sort=-createdAt&order=asc', 'order:conflict'],
    ['sort=createdAt,lastName&order=asc', 'order:conflict'],
    ['sort=createdAt&order=DESC', 'order:invalid_value'],
    ['sort=createdAt&order=', 'order:invalid_value'],
    ['fields=', 'fields:unknown_value'],
    ['fields=,', 'fields:unknown_value'],
    ['fields=email,passwordHash', 'fields:unknown_value'],
    ['fields=__proto__', 'fields:unknown_value'],
    ['createdAfter=1899-12-31T23:59:59Z', 'createdAfter:out_of_range'],
    ['createdAfter=9999-12-31T00:00:00Z', 'createdAfter:out_of_range'],
    ['include=', 'include:unknown_value'],
    ['include=invoices', 'include:unknown_value'],
    ['search=', 'search:invalid_value'],
    ['search=%20%20', 'search:invalid_value'],
    ['search=a%00b', 'search:invalid_value'],
    ['status=', 'status:unknown_value'],
    ['status=ACTIVE,', 'status:unknown_value'],
    ['status=active', 'status:unknown_value'],
    ['kind=ONE,TWO', 'kind:unknown_value'],
    ['isActive=1', 'isActive:invalid_value'],
    ['isActive=TRUE', 'isActive:invalid_value'],
    ['isActive=', 'isActive:invalid_value'],
    ['createdAfter=2026-02-30T00:00:00Z', 'createdAfter:invalid_value'],
    ['createdAfter=2026-01-01T00:00:00', 'createdAfter:invalid_value'],
    ['createdAfter=2026-01-01', 'createdAfter:invalid_value'],
    ['createdAfter=', 'createdAfter:invalid_value'],
    ['date=2026-02-29', 'date:invalid_value'],
    ['date=2026-1-1', 'date:invalid_value'],
    ['externalId=', 'externalId:invalid_value'],
    ['externalId=%00', 'externalId:invalid_value'],
    ['limit=5&limit=5', 'limit:duplicate_parameter'],
    ['status=ACTIVE&status=INACTIVE&status=ARCHIVED', 'status:duplicate_parameter'],
  ])('%s', (query, fault) => {
    expect(faults(query)).toEqual([fault]);
    expect(refusal(query).code).toBe('invalid_parameter');
  });

  it.each([
    ['search', 'a', 101],
    ['search', '😀', 101],
    ['search', 'x', 5_000],
    ['externalId', 'x', 201],
  ])('%s of %s, %i times', (name, character, times) => {
    expect(faults(`${name}=${character.repeat(times)}`)).toEqual([`${name}:invalid_value`]);
  });

  it.each(['page=501', 'page=101&limit=100', 'page=99999999999999999999999', 'page=10001&limit=1'])('%s', (query) => {
    expect(faults(query)).toEqual(['page:use_cursor']);
    expect(refusal(query).code).toBe('use_cursor');
  });

  it.each(['foo=1', 'Limit=5', '__proto__=1', 'constructor=x', 'toString=1', '=1', 'limit%00=5'])(
    'unknown %s',
    (query) => {
      const error = refusal(query);
      expect(error.code).toBe('unknown_parameter');
      expect(error.faults).toHaveLength(1);
      expect(error.faults[0]?.detail).toContain(
        'page, limit, cursor, count, sort, order, fields, include, search, status, kind, isActive, createdAfter,',
      );
    },
  );

  it('lists the valid fields, with id even where it is not declared', () => {
    expect(refusal('fields=phone').faults[0]?.detail).toContain('id, firstName, lastName, email');
    expect(refusal('fields=phone', { ...declaration, fields: ['name'] }).faults[0]?.detail).toContain('id, name');
    expect(parse('fields=id', { ...declaration, fields: ['name'] }).fields).toEqual(['id']);
  });

  it('search and include where a list has none', () => {
    const list = { filters: {}, sorts: ['createdAt'], fields: ['id'] };
    expect(refusal('search=a&include=stats', list).code).toBe('unknown_parameter');
    expect(faults('search=a&include=stats', list)).toEqual(['search:unknown_parameter', 'include:unknown_parameter']);
    expect(refusal('foo=1', list).faults[0]?.detail).toBe(
      'Unknown parameter. Allowed: page, limit, cursor, count, sort, order, fields.',
    );
    expect(faults('include=x', { ...list, includes: [] })).toEqual(['include:unknown_parameter']);
  });

  it('everything at once', () => {
    const error = refusal(
      'limit=0&page=0&foo=1&sort=x&order=y&fields=&include=z&status=Q&date=0&search=&count=7&foo=2',
    );
    expect(error.code).toBe('invalid_parameter');
    expect(new Set(error.faults.map(({ parameter }) => parameter))).toEqual(
      new Set(['limit', 'page', 'foo', 'sort', 'order', 'fields', 'include', 'status', 'date', 'search', 'count']),
    );
    expect(error.faults).toHaveLength(11);
  });

  it('too deep a page and an unknown parameter as invalid_parameter', () => {
    expect(refusal('page=501&foo=1').code).toBe('invalid_parameter');
  });

  it('a flood of parameters with an answer of bounded size', () => {
    const flood = Array.from({ length: 5_000 }, (_, n) => `${'x'.repeat(300)}${n}=1`).join('&');
    const error = refusal(flood);
    expect(error.code).toBe('unknown_parameter');
    expect(JSON.stringify(error.faults).length).toBeLessThan(25_000);
  });
});
