import { expect, test } from 'vitest';
import { encodeCursor } from '../../../src/core/cursor.ts';
import type { Json, Reply, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

let salon: Tenant;
const world = await sharedWorld();

type Page = {
  data: Json[];
  pagination: { nextCursor: string | null; prevCursor?: string | null; hasNextPage: boolean };
};
const page = (reply: Reply): Page => {
  expect(reply.status, reply.text).toBe(200);
  return reply.json as Page;
};
const idsOf = ({ data }: Page): string[] => data.map((row) => String(row.id));

/** A company of its own with these clients; answers their ids in this order. */
async function clients(bodies: Json[]): Promise<string[]> {
  salon = await openCompany(world);
  const ids: string[] = [];
  for (const body of bodies) ids.push(String((await salon.api.post('/clients', body)).json.id));
  return ids;
}
const named = (...names: string[]): Promise<string[]> => clients(names.map((firstName) => ({ firstName })));

test('pages count, link and end', async () => {
  const ids = (await named('a', 'b', 'c', 'd', 'e')).reverse();
  const first = page(await salon.api.get('/clients?limit=2'));
  expect(first.pagination).toMatchObject({ page: 1, limit: 2, total: 5, totalPages: 3, hasNextPage: true });
  const last = await salon.api.get('/clients?page=3&limit=2');
  expect(page(last).pagination).toEqual({
    page: 3,
    limit: 2,
    total: 5,
    totalPages: 3,
    hasNextPage: false,
    nextCursor: null,
  });
  const pages = [first, page(await salon.api.get('/clients?page=2&limit=2')), page(last)];
  expect(pages.flatMap(idsOf)).toEqual(ids);
  const beyond = page(await salon.api.get('/clients?page=4&limit=2'));
  expect([beyond.data, beyond.pagination.hasNextPage]).toEqual([[], false]);
  const link = (await salon.api.get('/clients?limit=2&page=2&status=ACTIVE')).headers.get('link') ?? '';
  const targets = Object.fromEntries([...link.matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, at, rel]) => [rel, at]));
  expect(Object.keys(targets).sort()).toEqual(['first', 'next', 'prev']);
  for (const [rel, expected] of [
    ['first', 0],
    ['prev', 0],
    ['next', 2],
  ] as const) {
    const followed = await salon.api.get(String(targets[rel]).replace('/api/v1', ''));
    expect(idsOf(page(followed)), rel).toEqual(idsOf(pages[expected] as Page));
  }
  const counted = page(await salon.api.get(`/clients?limit=2&cursor=${first.pagination.nextCursor}&count=exact`));
  expect(counted.pagination).toMatchObject({ limit: 2, total: 5 });
  const bare = page(await salon.api.get(`/clients?limit=2&cursor=${first.pagination.nextCursor}`));
  expect(Object.keys(bare.pagination).sort()).toEqual(['hasNextPage', 'limit', 'nextCursor', 'prevCursor']);
});

test.each(['-createdAt', 'lastName,-firstName', '-lastName,firstName', 'updatedAt', '-name'])(
  'a walk by %s, both ways, while rows come and go, repeats none and skips none',
  async (sort) => {
    const bodies = Array.from({ length: 14 }, (_, n) => ({
      firstName: `f${n % 4}`,
      lastName: n % 3 === 0 ? null : `l${n % 3}`,
      externalId: `x${n}`,
    }));
    const ids = await clients(bodies);
    const expected = idsOf(page(await salon.api.get(`/clients?limit=100&sort=${sort}`)));
    expect([...expected].sort()).toEqual([...ids].sort());
    const removed = new Set<string>();
    let churn = 0;
    const disturb = async (seen: readonly string[]): Promise<void> => {
      churn += 1;
      await salon.api.post('/clients', {
        firstName: `f${churn % 4}`,
        lastName: churn % 2 ? `l${churn % 3}` : null,
        externalId: `new${churn}`,
      });
      // One that was shown, and one that would come: the very row the cursor stands at among them.
      const victims = [seen.at(-1), expected.find((id) => !seen.includes(id) && !removed.has(id))];
      if (churn <= 3) {
        for (const id of victims) {
          if (id !== undefined && !removed.has(id)) await salon.api.delete(`/clients/${id}`);
          if (id !== undefined) removed.add(id);
        }
      }
    };
    const walk = async (start: Page, way: 'nextCursor' | 'prevCursor'): Promise<{ seen: string[]; last: Page }> => {
      const seen: string[] = [];
      let at = start;
      for (;;) {
        const shown = idsOf(at);
        if (way === 'nextCursor') seen.push(...shown);
        else seen.unshift(...shown);
        const cursor = at.pagination[way];
        if (typeof cursor !== 'string') return { seen, last: at };
        await disturb(way === 'nextCursor' ? seen : [...seen].reverse());
        at = page(await salon.api.get(`/clients?limit=3&sort=${sort}&cursor=${cursor}`));
      }
    };
    const forth = await walk(page(await salon.api.get(`/clients?limit=3&sort=${sort}`)), 'nextCursor');
    const stayed = expected.filter((id) => !removed.has(id));
    expect(new Set(forth.seen).size).toBe(forth.seen.length);
    expect(forth.seen.filter((id) => stayed.includes(id))).toEqual(stayed);
    churn = 0;
    const back = await walk(forth.last, 'prevCursor');
    const left = expected.filter((id) => !removed.has(id));
    expect(new Set(back.seen).size).toBe(back.seen.length);
    expect(back.seen.filter((id) => left.includes(id))).toEqual(left);
  },
);

test('a page that says there are more names the cursor to them', async () => {
  const ids = await named('a', 'b', 'c', 'd');
  const first = page(await salon.api.get('/clients?limit=2&sort=createdAt'));
  const second = page(await salon.api.get(`/clients?limit=2&sort=createdAt&cursor=${first.pagination.nextCursor}`));
  for (const id of ids.slice(0, 2)) await salon.api.delete(`/clients/${id}`);
  const before = page(await salon.api.get(`/clients?limit=2&sort=createdAt&cursor=${second.pagination.prevCursor}`));
  expect(before.data).toEqual([]);
  expect(before.pagination.hasNextPage).toBe(before.pagination.nextCursor !== null);
});

test('nulls are last in both directions, ties go by id', async () => {
  const ids = await clients([
    { lastName: 'b' },
    { firstName: 'x' },
    { lastName: 'a' },
    { firstName: 'y' },
    { lastName: 'a' },
  ]);
  const [b, x, a1, y, a2] = ids;
  const sorted = async (query: string): Promise<string[]> => idsOf(page(await salon.api.get(`/clients?sort=${query}`)));
  expect(await sorted('lastName')).toEqual([a1, a2, b, x, y]);
  expect(await sorted('-lastName')).toEqual([b, a2, a1, y, x]);
  expect(await sorted('lastName&order=desc')).toEqual(await sorted('-lastName'));
  expect(await sorted('lastName,-createdAt')).toEqual([a2, a1, b, y, x]);
});

test('fields keep exactly what they name, and id', async () => {
  const [id] = await clients([{ firstName: 'A', lastName: 'B', email: 'a@example.com' }]);
  const list = page(await salon.api.get('/clients?fields=name,email'));
  expect(list.data).toEqual([{ id, name: 'A B', email: 'a@example.com' }]);
  expect((await salon.api.get(`/clients/${id}?fields=id,firstName`)).json).toEqual({ id, firstName: 'A' });
  for (const fields of ['secret', 'name,', '', 'search_text', 'name,__proto__']) {
    for (const path of ['/clients', `/clients/${id}`, '/company']) {
      const [fault] = expectProblem(await salon.api.get(`${path}?fields=${fields}`), 'invalid_parameter');
      expect([fault?.parameter, fault?.detail]).toEqual(['fields', expect.stringContaining('name')]);
    }
  }
});

test('filters', async () => {
  const [a, b, c] = await clients([
    { firstName: 'a', tags: ['vip', 'x,y'], externalId: 'e1' },
    { firstName: 'b', status: 'INACTIVE' },
    { firstName: 'c', tags: ['vi'] },
  ]);
  await salon.api.delete(`/clients/${c}`);
  const { createdAt } = (await salon.api.get(`/clients/${a}`)).json;
  const { createdAt: later } = (await salon.api.get(`/clients/${b}`)).json;
  const found = async (query: string): Promise<string[]> =>
    idsOf(page(await salon.api.get(`/clients?sort=createdAt&${query}`)));
  expect(await found('')).toEqual([a, b]);
  expect(await found('status=ARCHIVED')).toEqual([c]);
  expect(await found('status=ARCHIVED,ACTIVE')).toEqual([a, c]);
  expect(await found('tag=vip')).toEqual([a]);
  expect(await found('tag=x,y')).toEqual([a]);
  expect(await found('externalId=e1&status=INACTIVE')).toEqual([]);
  expect(await found(`createdAfter=${createdAt}`)).toEqual([b]);
  expect(await found(`createdBefore=${later}`)).toEqual([a]);
  expect(await found(`createdAfter=${String(createdAt).replace('Z', '%2B00:00')}`)).toEqual([b]);
});

test('what a query may not say', async () => {
  await named('a');
  const wrong: [string, string, string][] = [
    ['limit=0', 'invalid_parameter', 'limit'],
    ['limit=101', 'invalid_parameter', 'limit'],
    ['limit=1e1', 'invalid_parameter', 'limit'],
    ['page=0', 'invalid_parameter', 'page'],
    ['page=101&limit=100', 'use_cursor', 'page'],
    ['limit=5&limit=6', 'invalid_parameter', 'limit'],
    ['sort=secret', 'invalid_parameter', 'sort'],
    ['sort=name,name', 'invalid_parameter', 'sort'],
    ['order=desc', 'invalid_parameter', 'order'],
    ['sort=-name&order=asc', 'invalid_parameter', 'order'],
    ['status=active', 'invalid_parameter', 'status'],
    ['createdAfter=yesterday', 'invalid_parameter', 'createdAfter'],
    ['createdAfter=2026-01-01', 'invalid_parameter', 'createdAfter'],
    ['count=maybe', 'invalid_parameter', 'count'],
    ['cursor=x', 'invalid_cursor', 'cursor'],
    ['tag=', 'invalid_parameter', 'tag'],
    ['nonsense=1', 'unknown_parameter', 'nonsense'],
  ];
  for (const [query, code, parameter] of wrong) {
    const faults = expectProblem(await salon.api.get(`/clients?${query}`), code as 'invalid_parameter');
    expect(
      faults.map((fault) => fault.parameter),
      query,
    ).toEqual([parameter]);
  }
  const all = expectProblem(
    await salon.api.get('/clients?limit=0&page=x&sort=y&status=z&fields=q'),
    'invalid_parameter',
  );
  expect(all.map(({ parameter }) => parameter).sort()).toEqual(['fields', 'limit', 'page', 'sort', 'status']);
});

test('a cursor goes with its query, its page and its limit', async () => {
  await named('a', 'b', 'c');
  const { nextCursor } = page(await salon.api.get('/clients?limit=1&sort=firstName')).pagination;
  const at = `/clients?cursor=${nextCursor}`;
  expectProblem(await salon.api.get(at), 'cursor_mismatch');
  expectProblem(await salon.api.get(`${at}&sort=-firstName`), 'cursor_mismatch');
  expectProblem(await salon.api.get(`${at}&sort=firstName&tag=vip`), 'cursor_mismatch');
  expectProblem(await salon.api.get(`${at}&sort=firstName&page=2`), 'invalid_parameter');
  expect(page(await salon.api.get(`${at}&sort=firstName&limit=5&fields=firstName`)).data.length).toBe(2);
});

test.each([
  ['a value of another type', '', '-createdAt', [7]],
  ['no instant', '', '-createdAt', ['yesterday']],
  ['null where none is', '', '-createdAt', [null]],
  ['too many values', '?sort=lastName', 'lastName', ['a', 'b']],
  ['a rank that is none', '?search=anna', 'rank', ['high']],
] as const)('a cursor of our own that leads nowhere is invalid: %s', async (_, query, sort, values) => {
  await named('Anna');
  const search = query.startsWith('?search') ? 'search=anna&' : '';
  const cursor = encodeCursor(String(world.vars.CURSOR_SECRET), {
    company: uuidOf('comp', salon.companyId),
    route: 'clients.list',
    query: `${search}sort=${sort}`,
    values: [...values],
    id: '01890000-0000-7000-8000-000000000000',
    direction: 'next',
  });
  const reply = await salon.api.get(`/clients${query}${query === '' ? '?' : '&'}cursor=${cursor}`);
  expectProblem(reply, 'invalid_cursor');
});
