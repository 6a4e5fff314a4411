import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

/** First name, last name, and what else. */
const PEOPLE: readonly [first: string | null, last: string | null, more?: Json][] = [
  ['John', 'Smith', { email: 'js@example.com', phone: '+436641234567' }],
  ['Johnny', 'Walker'],
  ['Anna', 'Müller', { email: 'anna.mueller@example.com' }],
  ['Zoe\u0308', 'Bjo\u0308rk'],
  ['Hanna', 'Weiß', { externalId: 'CRM-4711' }],
  ['Sinéad', "O'Connor"],
  ['李', '小龙'],
  ['Олег', 'Иванов'],
  ['100% Beauty', 'a_b'],
  ['Back\\slash', 'Ltd'],
  ['Axb', 'Wild'],
];

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');
for (const [firstName, lastName, more] of PEOPLE) {
  const reply = await salon.api.post('/clients', { firstName, lastName, ...more });
  expect(reply.status, reply.text).toBe(201);
}

const namesOf = (reply: { json: Json; status: number; text: string }): string[] => {
  expect(reply.status, reply.text).toBe(200);
  return (reply.json.data as Json[]).map(({ name }) => String(name));
};
const search = async (text: string, more = '', tenant = salon): Promise<string[]> =>
  namesOf(await tenant.api.get(`/clients?search=${encodeURIComponent(text)}${more}`));

describe('finds', () => {
  test.each([
    ['jonh', ['John Smith']],
    ['john', ['John Smith', 'Johnny Walker']],
    ['JOHN', ['John Smith', 'Johnny Walker']],
    ['Muller', ['Anna Müller']],
    ['müler', ['Anna Müller']],
    ['Mu\u0308ller', ['Anna Müller']],
    ['Zo\u00eb', ['Zoë Björk']],
    ['bjork', ['Zoë Björk']],
    ['weiss', ['Hanna Weiß']],
    ['anna', ['Anna Müller', 'Hanna Weiß']],
    ['müller anna', ['Anna Müller']],
    ['anna müller', ['Anna Müller']],
    ['anna smith', []],
    ["o'", ["Sinéad O'Connor"]],
    ['oconnor', ["Sinéad O'Connor"]],
    ['sinead', ["Sinéad O'Connor"]],
    ['李', ['李 小龙']],
    ['小龙', ['李 小龙']],
    ['иван', ['Олег Иванов']],
    ['олег иванов', ['Олег Иванов']],
    ['j', ['Johnny Walker', 'John Smith']],
    ['wa', ['Johnny Walker']],
    ['crm-4711', ['Hanna Weiß']],
    ['4711', ['Hanna Weiß']],
    ['mueller@', ['Anna Müller']],
    ['example.com', ['Anna Müller', 'John Smith']],
    ['1234567', ['John Smith']],
    ['41234', ['John Smith']],
    ['+43664', ['John Smith']],
    ['0664 1234567', ['John Smith']],
    ['+43 664 123-45-67', ['John Smith']],
    ['(0664) 123 45 67', ['John Smith']],
    ['0043 664 1234567', ['John Smith']],
    ['xyzzy', []],
    ['\u0301', []],
  ])('%s', async (text, names) => expect(await search(text)).toEqual(names));
});

describe('signs stand for themselves', () => {
  test.each([
    ['%', ['100% Beauty a_b']],
    ['100%', ['100% Beauty a_b']],
    ['_', ['100% Beauty a_b']],
    ['a_b', ['100% Beauty a_b']],
    ['\\', ['Back\\slash Ltd']],
    ['k\\s', ['Back\\slash Ltd']],
    ["'", ["Sinéad O'Connor"]],
    ['%%', []],
    ["' or true --", []],
    ['$$', []],
  ])('%s', async (text, names) => expect(await search(text)).toEqual(names));

  test('whatever is asked, the answer is a page', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), async (text) => {
        const reply = await salon.api.get(`/clients?search=${encodeURIComponent(text.toWellFormed())}`);
        expect([200, 400], `${JSON.stringify(text)} ${reply.text}`).toContain(reply.status);
      }),
      { numRuns: 60 },
    );
  });
});

describe('combines', () => {
  test('with filters, and leaves the archived out until asked for', async () => {
    const { json } = await salon.api.post('/clients', { firstName: 'Zebedee', status: 'INACTIVE', tags: ['vip'] });
    expect(await search('zebedee', '&status=INACTIVE')).toEqual(['Zebedee']);
    expect(await search('zebedee', '&status=ACTIVE')).toEqual([]);
    expect(await search('zebedee', '&tag=vip')).toEqual(['Zebedee']);
    expect(await search('zebedee', '&tag=x')).toEqual([]);
    expect(await search('zebedee', `&createdAfter=${json.createdAt}`)).toEqual([]);
    expect(await search('zebedee', `&createdBefore=${json.createdAt}`)).toEqual([]);
    expect(await search('zebedee', '&createdBefore=2999-01-01T00:00:00Z&createdAfter=2000-01-01T00:00:00Z')).toEqual([
      'Zebedee',
    ]);
    expect(await search('zebedee', '&updatedAfter=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await search('zebedee', "&externalId=o'x")).toEqual([]);
    await salon.api.delete(`/clients/${json.id}`);
    expect(await search('zebedee')).toEqual([]);
    expect(await search('zebedee', '&status=ARCHIVED')).toEqual(['Zebedee']);
  });

  test('with a sort, which then decides', async () => {
    expect(await search('anna', '&sort=-firstName')).toEqual(['Hanna Weiß', 'Anna Müller']);
    expect(await search('anna', '&sort=lastName')).toEqual(['Anna Müller', 'Hanna Weiß']);
  });

  test('with fields, counts and pages', async () => {
    const reply = await salon.api.get('/clients?search=anna&limit=1&page=2&fields=lastName');
    expect(reply.json.data).toEqual([{ id: expect.stringMatching(/^clnt_/), lastName: 'Weiß' }]);
    expect(reply.json.pagination).toMatchObject({ page: 2, total: 2, totalPages: 2, hasNextPage: false });
    const exact = await salon.api.get('/clients?search=anna&count=exact');
    expect(exact.json.pagination).toMatchObject({ total: 2 });
  });

  test('refuses what is no search', async () => {
    for (const text of ['', '   ', 'x'.repeat(101), '\0']) {
      const reply = await salon.api.get(`/clients?search=${encodeURIComponent(text)}`);
      expect([reply.status, reply.json.code]).toEqual([400, 'invalid_parameter']);
    }
    expect((await salon.api.get('/branches?search=x')).json.code).toBe('unknown_parameter');
  });
});

describe('walls', () => {
  test("another company's clients and names are not found, not even by a typo", async () => {
    expect(await search('john', '', other)).toEqual([]);
    expect(await search('jonh', '', other)).toEqual([]);
    expect(await search('smith', '&sort=name', other)).toEqual([]);
    await other.api.post('/clients', { firstName: 'Only', lastName: 'Theirs' });
    expect(await search('theirs')).toEqual([]);
  });

  test('the function that runs conditions is for its own kind only', async () => {
    await expect(
      world.sql(`select app.sample_clients('true', array['true', 'true', 'true', 'true'])`, [], 'cp_app'),
    ).rejects.toThrow('permission denied');
    await expect(world.sql('select * from client_names', [], 'cp_app')).rejects.toThrow('permission denied');
  });

  test('a name that nobody bears any longer helps no typo', async () => {
    const { json } = await salon.api.post('/clients', { firstName: 'Quentin' });
    expect(await search('quetnin')).toEqual(['Quentin']);
    await salon.api.patch(`/clients/${json.id}`, { firstName: 'Robert' });
    expect(await search('quetnin')).toEqual([]);
    const rows = await world.sql("select 1 from client_names where name = 'quentin'", [], 'cp_owner');
    expect(rows).toEqual([]);
  });
});

test('a walk by cursor, forwards and back, meets every hit once, in order of rank', async () => {
  const tenant = await openCompany(world, 'Walk');
  for (let i = 0; i < 24; i += 1) {
    const firstName = ['Karin', 'Karina', 'Okarino', 'Krain'][i % 4];
    await tenant.api.post('/clients', { firstName, lastName: `No${i}` });
  }
  const seen: Json[] = [];
  const pages: Json[][] = [];
  let query = 'search=karin&limit=5';
  for (;;) {
    const { json, status, text } = await tenant.api.get(`/clients?${query}`);
    expect(status, text).toBe(200);
    pages.push(json.data as Json[]);
    seen.push(...(json.data as Json[]));
    const { nextCursor, prevCursor } = json.pagination as { nextCursor: string | null; prevCursor?: string };
    if (nextCursor === null) {
      const back = await tenant.api.get(`/clients?search=karin&limit=5&cursor=${prevCursor}`);
      expect(back.json.data).toEqual(pages.at(-2));
      break;
    }
    // What comes and goes meanwhile moves nobody: this one is newer than where the walk stands.
    await tenant.api.post('/clients', { firstName: 'Karin', lastName: 'New' });
    query = `search=karin&limit=5&cursor=${nextCursor}`;
  }
  const hits = seen.filter(({ lastName }) => lastName !== 'New');
  expect(new Set(hits.map(({ id }) => id)).size).toBe(24);
  const first = hits.map(({ firstName }) => firstName);
  const order = ['Karin', 'Karina', 'Okarino', 'Krain'].flatMap((name) => Array(6).fill(name));
  expect(first).toEqual(order);
  const mismatch = await tenant.api.get(`/clients?search=other&cursor=${query.split('cursor=')[1]}`);
  expect(mismatch.json.code).toBe('cursor_mismatch');
});
