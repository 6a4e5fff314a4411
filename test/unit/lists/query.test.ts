import { describe, expect, it } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { type ListDeclaration, parseDetailQuery, parseListQuery } from '../../../src/core/list-query.ts';

const A = '01890a5d-ac96-774b-bcce-b302099a8057';
const B = '01890a5d-ac96-774b-bcce-b302099a8058';
const [STAFF_A, STAFF_B] = [formatId('stf', A), formatId('stf', B)];

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

describe('parseListQuery', () => {
  it('has defaults', () => {
    expect(parse('')).toEqual({
      mode: 'page',
      page: 1,
      limit: 20,
      cursor: null,
      count: 'exact',
      sort: [{ field: 'createdAt', descending: true }],
      explicitSort: false,
      fields: null,
      include: [],
      search: null,
      filters: {},
      normalised: '',
      filterKey: 'sort=-createdAt',
    });
  });

  it('takes everything at once', () => {
    const query = `page=2&limit=50&count=none&sort=lastName,-createdAt&fields=email,firstName&include=stats&search=%20jonh%20&status=INACTIVE,ACTIVE&isActive=false&staffId=${STAFF_A}`;
    expect(parse(query)).toEqual({
      mode: 'page',
      page: 2,
      limit: 50,
      cursor: null,
      count: 'none',
      sort: [
        { field: 'lastName', descending: false },
        { field: 'createdAt', descending: true },
      ],
      explicitSort: true,
      fields: ['email', 'firstName', 'id'],
      include: ['stats'],
      search: 'jonh',
      filters: { status: ['ACTIVE', 'INACTIVE'], isActive: false, staffId: A },
      normalised: `count=none&fields=email%2CfirstName%2Cid&include=stats&isActive=false&limit=50&page=2&search=jonh&sort=lastName%2C-createdAt&staffId=${STAFF_A}&status=ACTIVE%2CINACTIVE`,
      filterKey: `isActive=false&search=jonh&sort=lastName%2C-createdAt&staffId=${STAFF_A}&status=ACTIVE%2CINACTIVE`,
    });
  });

  it('walks by cursor, without a count unless asked', () => {
    expect(parse('cursor=abc')).toMatchObject({
      mode: 'cursor',
      cursor: 'abc',
      count: 'none',
      normalised: 'cursor=abc',
    });
    expect(parse('cursor=abc&count=exact')).toMatchObject({ count: 'exact', normalised: 'count=exact&cursor=abc' });
    expect(parse('cursor=abc&count=none').normalised).toBe('cursor=abc');
    // An empty cursor is for decodeCursor to refuse, as invalid_cursor.
    expect(parse('cursor=')).toMatchObject({ mode: 'cursor', cursor: '' });
  });

  it.each([
    ['sort=createdAt&order=desc', [{ field: 'createdAt', descending: true }]],
    ['sort=createdAt&order=asc', [{ field: 'createdAt', descending: false }]],
    ['order=desc&sort=lastName', [{ field: 'lastName', descending: true }]],
    ['sort=-lastName', [{ field: 'lastName', descending: true }]],
    ['sort=id', [{ field: 'id', descending: false }]],
  ])('%s', (query, sort) => expect(parse(query)).toMatchObject({ sort, explicitSort: true }));

  it('sorts by its own default', () => {
    const list = { ...declaration, defaultSort: 'lastName,-createdAt' };
    expect(parse('', list)).toMatchObject({
      sort: [{ field: 'lastName' }, { field: 'createdAt' }],
      explicitSort: false,
    });
    expect(parse('sort=lastName,-createdAt', list).normalised).toBe('');
    expect(parse('sort=-createdAt', list).normalised).toBe('sort=-createdAt');
  });

  it.each([
    ['createdAfter=2026-01-31T09:00:00%2B02:00', { createdAfter: '2026-01-31T07:00:00.000Z' }],
    ['createdAfter=2026-01-31T09:00:00+02:00', { createdAfter: '2026-01-31T07:00:00.000Z' }],
    ['createdAfter=2026-01-31T09:00:00.123456Z', { createdAfter: '2026-01-31T09:00:00.123Z' }],
    ['date=2028-02-29', { date: '2028-02-29' }],
    ['isActive=true', { isActive: true }],
    ['kind=TWO', { kind: 'TWO' }],
    ['status=ACTIVE', { status: ['ACTIVE'] }],
    ['status=INACTIVE,ACTIVE,INACTIVE', { status: ['ACTIVE', 'INACTIVE'] }],
    [`staffId=${STAFF_A}`, { staffId: A }],
    ['staffId=nonsense', { staffId: 'none' }],
    ['staffId=', { staffId: 'none' }],
    [`staffId=${formatId('clnt', A)}`, { staffId: 'none' }],
    [`staffId=${STAFF_A.toUpperCase()}`, { staffId: 'none' }],
    [`staffIds=${STAFF_B},x,${STAFF_A},y`, { staffIds: [A, B, 'none'] }],
    ['externalId=%20a%25b%20', { externalId: ' a%b ' }],
  ])('%s', (query, filters) => expect(parse(query).filters).toEqual(filters));

  it.each([
    ['search=jonh', 'jonh'],
    ['search=%20%09jonh%20smith%C2%A0', 'jonh smith'],
    ['search=%25_%5C', '%_\\'],
    ['search=u%CC%88', 'ü'],
    [`search=${'é'.repeat(100)}`, 'é'.repeat(100)],
    [`search=${'😀'.repeat(100)}`, '😀'.repeat(100)],
    [`search=${encodeURIComponent('e\u0301'.repeat(100))}`, 'é'.repeat(100)],
  ])('%s', (query, search) => expect(parse(query)).toMatchObject({ search, explicitSort: false }));

  it.each([
    ['createdAfter=2026-01-31T09:00:00%2B02:00', 'createdAfter=2026-01-31t07:00:00.000000z'],
    ['staffId=nonsense', `staffId=${formatId('clnt', A)}`],
    [`staffIds=${STAFF_B},x,${STAFF_A},${STAFF_B}`, `staffIds=y,${STAFF_A},${STAFF_B},z`],
    ['status=INACTIVE,ACTIVE', 'status=ACTIVE,INACTIVE,ACTIVE'],
    ['search=u%CC%88%20', 'search=%C3%BC'],
    ['fields=id,email', 'fields=email,email'],
    ['include=stats,duplicates', 'include=duplicates,stats'],
    ['sort=lastName&order=desc', 'sort=-lastName'],
    ['sort=lastName&order=asc', 'sort=lastName'],
    ['sort=-createdAt', 'page=1&limit=20&count=exact'],
    ['cursor=abc&count=none', 'cursor=abc'],
  ])('%s and %s are one', (a, b) => {
    expect(parse(a).normalised).toBe(parse(b).normalised);
    expect(parse(a).filterKey).toBe(parse(b).filterKey);
  });

  it('keeps the default sort beside a search, where it replaces the rank', () => {
    const [ranked, sorted] = [parse('search=a'), parse('search=a&sort=-createdAt')];
    expect(ranked).toMatchObject({ normalised: 'search=a', filterKey: 'search=a&sort=rank' });
    expect(sorted).toMatchObject({ normalised: 'search=a&sort=-createdAt', filterKey: 'search=a&sort=-createdAt' });
  });

  it('reaches the last row that pages reach', () => {
    expect(parse('page=100&limit=100')).toMatchObject({ page: 100, limit: 100 });
    expect(parse('page=500')).toMatchObject({ page: 500 });
    expect(parse('limit=1&page=10000')).toMatchObject({ page: 10_000 });
  });
});

describe('parseDetailQuery', () => {
  const detail = { fields: ['id', 'name', 'email'], includes: ['stats', 'duplicates'] };
  const read = (query: string) => parseDetailQuery(detail, new URLSearchParams(query));

  it('takes fields and include', () => {
    expect(read('')).toEqual({ fields: null, include: [], normalised: '' });
    expect(read('include=stats,duplicates&fields=name')).toEqual({
      fields: ['id', 'name'],
      include: ['duplicates', 'stats'],
      normalised: 'fields=id%2Cname&include=duplicates%2Cstats',
    });
    expect(read('fields=name,id,name').normalised).toBe(read('fields=name').normalised);
  });

  it('refuses everything else', () => {
    expect(() => read('limit=5')).toThrow(expect.objectContaining({ code: 'unknown_parameter' }));
    expect(() => read('fields=')).toThrow(expect.objectContaining({ code: 'invalid_parameter' }));
    expect(() => read('fields=a&fields=b')).toThrow(expect.objectContaining({ code: 'invalid_parameter' }));
    expect(() => parseDetailQuery({ fields: ['id'] }, new URLSearchParams('include=stats'))).toThrow(
      expect.objectContaining({ code: 'unknown_parameter' }),
    );
  });
});
