import { afterAll, describe, expect, test } from 'vitest';
import { addMember, addUser } from '../../support/accounts.ts';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { ListFollower } from '../../support/list-follower.ts';
import { listen } from '../../support/listener.ts';
import { queriesOf, shareOfEach } from '../../support/paths.ts';
import { uuidOf } from '../../support/people.ts';
import { aim, cached, fire, make, makeEach, mutations, pathTo, takesId } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Live lists of every resource, as a client sees them that knows nothing but the contract.

const world = await sharedWorld();
const salon = await openCompany(world);
const { api } = salon;
const objects = await makeEach(api);

/** What the clock changes, and what is no first page, is refused. */
const isFollowed = (path: string): boolean => !/overdue=|page=/.test(path);
const paths = cached
  .filter(({ spec }) => spec.live !== undefined)
  .flatMap((route) => {
    const path = takesId(route) ? pathTo(route, objects[route.topic] ?? '') : route.spec.path;
    return ['', ...queriesOf(route)].map((query) => path + query);
  })
  .filter(isFollowed);

describe('subscribing', () => {
  /** What becomes of a subscription to these lists: its answer, or why it was refused. */
  async function ask(as: Api, queries: readonly string[], more: object = {}) {
    const listener = await listen(as);
    const { companyId } = await listener.next('welcome');
    listener.say({
      ...{ type: 'subscribe', id: 1, companyId },
      queries: queries.map((path, n) => ({ id: `l${n}`, path })),
      ...more,
    });
    await until('an answer', () => listener.of('subscribed').length + listener.of('error').length > 0);
    const [error] = listener.of('error');
    await listener.close();
    return error === undefined ? 'subscribed' : `${error.code}: ${error.message}`;
  }

  test.each([
    ['/clients?colour=red', 'unknown_query', 'colour'],
    ['/clients?status=NOBODY', 'unknown_query', 'status'],
    ['/clients?page=2', 'unknown_query', 'first page'],
    ['/invoices?overdue=true', 'unknown_query', 'clock'],
    ['/company', 'unknown_query', 'no list'],
    ['/clients/clnt_01h455vb4pex5vsknk084sn02q', 'unknown_query', 'no list'],
    ['/staff/stf_01h455vb4pex5vsknk084sn02q/time-off', 'unknown_query', 'nothing at this path'],
    ['/staff/%/time-off', 'unknown_query', 'nothing at this path'],
    ['/events', 'unknown_query', 'no list'],
    ['nonsense', 'unknown_query', 'no list'],
  ])('to %s is refused as a whole, and says which', async (path, code, why) => {
    const said = await ask(api, ['/clients', path]);
    expect(said).toMatch(new RegExp(`^${code}: queries: l1: .*${why}`));
  });

  test('to what the role may not read is forbidden; of the others nothing is followed either', async () => {
    const staff = await addUser(world, salon, 'STAFF');
    expect(await ask(staff, ['/clients', '/payments'])).toMatch(/^forbidden: queries: l1: /);
    expect(await ask(staff, ['/clients', '/api/v1/appointments?limit=100'])).toBe('subscribed');
    // Lists alone, without a topic; but not nothing at all.
    expect(await ask(staff, ['/clients'], { topics: [] })).toBe('subscribed');
    expect(await ask(staff, [], { topics: [] })).toMatch(/^forbidden/);
  });

  test('to the 21st list, or to one of more than 500 rows, is refused', async () => {
    expect(
      await ask(
        api,
        Array.from({ length: 21 }, (_, n) => `/clients?limit=${n + 1}`),
      ),
    ).toMatch(/^bad_frame/);
    const crowd = await openCompany(world);
    await world.sql(
      `insert into clients (company_id, id, first_name, tags) select $1::uuid, gen_random_uuid(), 'C' || n, case when n = 1 then '{one}' else '{}' end::text[]
        from generate_series(1, 501) n`,
      [uuidOf('comp', crowd.companyId)],
      'cp_owner',
    );
    expect(await ask(crowd.api, ['/clients'])).toMatch(/^query_too_large: queries: l0: /);
    expect(await ask(crowd.api, ['/clients?tag=one', '/clients?search=nobody'])).toBe('subscribed');
    expect(await ask(crowd.api, ['/clients?search=c'])).toMatch(/^query_too_large/);
    await world.sql(
      `update clients set status = 'ARCHIVED' where company_id = $1::uuid and first_name = 'C1'`,
      [uuidOf('comp', crowd.companyId)],
      'cp_owner',
    );
    expect(await ask(crowd.api, ['/clients'])).toBe('subscribed');
  });
});

test('four roles are told what their GETs answer, and a lower one at once of no more than it may see', async () => {
  const owner = await openCompany(world);
  const members = await Promise.all(
    ['ADMIN', 'MANAGER', 'STAFF', 'READONLY'].map((role) => addMember(world, owner, role)),
  );
  const wanted = ['/clients?limit=5&fields=name,createdAt', '/payments', '/users?sort=name'];
  const followers = await Promise.all(
    members.map(async (member) => {
      const answers = await Promise.all(wanted.map((path) => member.api.get(path)));
      const follower = new ListFollower(member.api);
      await follower.follow(wanted.filter((_, n) => answers[n]?.status === 200));
      return { member, follower };
    }),
  );
  expect(followers.map(({ follower }) => [...follower.mirrors.keys()].length)).toEqual([3, 2, 1, 1]);
  const payment = await make(owner.api, 'payments');
  const { revision } = await owner.api.post('/users', {
    name: 'Aa',
    email: `aa-${payment}@example.com`,
    role: 'STAFF',
  });
  for (const { follower } of followers) {
    await follower.reach(revision);
    await follower.check(follower.mirrors.keys(), revision);
  }
  // A manager becomes staff: the list of payments says once that it has changed, and then nothing.
  const [, manager] = followers;
  const { revision: lowered } = await owner.api.patch(`/users/${manager?.member.id}`, { role: 'STAFF' });
  await manager?.follower.reach(lowered);
  const told = manager?.follower.told('/payments');
  expect(manager?.follower.mirrors.get('/payments')?.isStale).toBe(true);
  await make(owner.api, 'payments');
  const { head } = (await owner.api.get(`/events?after=${lowered}`)).json as { head: number };
  await manager?.follower.reach(head);
  expect(manager?.follower.told('/payments')).toBe(told);
  await Promise.all(followers.map(({ follower }) => follower.close()));
});

test('who comes back is told what became of each list since, and a page that is full what is pushed off it', async () => {
  const own = await openCompany(world);
  const clients = ['B', 'C', 'D'].map((lastName) => ({ lastName }));
  const ids = await Promise.all(clients.map(async (body) => String((await own.api.post('/clients', body)).json.id)));
  const follower = new ListFollower(own.api);
  const paths = ['/clients?sort=lastName&limit=2', '/clients?sort=lastName', '/clients?tag=vip'];
  await follower.follow(paths);
  const [listener] = follower.listeners;
  const { epoch } = (listener?.of('subscribed')[0] ?? {}) as { epoch: string };
  const revision = follower.mirrors.get(paths[0] ?? '')?.revision;
  await listener?.close();
  await own.api.post('/clients', { lastName: 'A' });
  await own.api.patch(`/clients/${ids[2]}`, { tags: ['vip'] });
  const { revision: last } = await own.api.patch(`/clients/${ids[1]}`, { notes: 'beyond the page' });
  await follower.resume({ epoch, revision });
  await follower.reach(last);
  expect([...follower.mirrors.values()].map(({ isStale }) => isStale)).toEqual([false, false, false]);
  await follower.check(paths, last);
  // What moves up into the page is only known to a new GET.
  const { revision: gone } = await own.api.delete(`/clients/${ids[0]}`);
  await follower.reach(gone);
  expect([...follower.mirrors.values()].map(({ isStale }) => isStale)).toEqual([true, false, false]);
  await follower.check(paths, gone);
  await follower.close();
});

describe('every list, followed', async () => {
  const follower = new ListFollower(api);
  await follower.follow(paths);
  afterAll(() => follower.close());
  let reached = await logged(0);

  test.each(shareOfEach(mutations, 3).map((route) => [route.name, route] as const))(
    'is what GET answers after %s',
    async (_, route) => {
      const written = await fire(api, await aim(route, salon));
      expect(written.status, written.text).toBe(route.spec.success.status);
      const now = await logged(reached.head);
      await follower.reach(now.head);
      // Of what was not touched nothing is told; it is compared when something of it is.
      const touched = new Set([route.topic, ...now.topics]);
      await follower.check(
        paths.filter((path) => path.split(/[/?]/).some((step) => touched.has(step))),
        now.head,
      );
      reached = now;
    },
  );
});

/** Where the log ends, and what it says since. */
async function logged(after: number): Promise<{ head: number; topics: string[] }> {
  const { head, data } = (await api.get(`/events?after=${after}`)).json as { head: number; data: { topic: string }[] };
  return { head, topics: data.map(({ topic }) => topic) };
}
