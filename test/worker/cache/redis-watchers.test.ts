import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, expect, test } from 'vitest';
import { LEASE } from '../../../src/data/pulse.ts';
import { addKey } from '../../support/accounts.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { openRedis } from '../../support/redis.ts';
import { putImage, takeImage } from '../../support/redis-image.ts';
import { make } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Each watcher of a Redis that goes back, by what it does. How long a stale answer lives: redis-back.long.test.ts.

const world = await ownWorld();
const salon = await openCompany(world);
const redis = openRedis(world);
afterAll(async () => {
  redis.stop();
});
afterEach(async () => {
  world.upstash.setRefusal(null);
  // Of the breaker, too; and what was refused meanwhile is announced.
  await until('all is well again', async () => {
    const { json } = await salon.api.get('/health/ready');
    return json.status === 'ready' && [undefined, await databaseHead()].includes((await state()).head);
  });
});

const company = (): string => uuidOf('comp', salon.companyId);
async function state(): Promise<Record<string, string>> {
  const image = await takeImage(world.redisPort);
  const { value = [] } = image.get(`v1:${world.vars.ENVIRONMENT}:log:${company()}`) ?? {};
  return Object.fromEntries(Array.from({ length: value.length / 2 }, (_, i) => [value[2 * i], value[2 * i + 1]]));
}
const databaseHead = async (): Promise<string> =>
  String((await world.sql('select revision from company_heads where company_id = $1', [company()]))[0]?.revision);

test('the room looks again: what Redis took and lost within a beat is announced once more', async () => {
  const id = await make(salon.api, 'clients');
  const before = await takeImage(world.redisPort);
  await salon.api.patch(`/clients/${id}`, { notes: 'lost' });
  const key = `v1:${world.vars.ENVIRONMENT}:log:${company()}`;
  const present = new Map(await takeImage(world.redisPort));
  // The state alone: mark and beat are as they should be.
  await putImage(world.redisPort, present.set(key, before.get(key) as never));
  expect((await state()).head).not.toBe(await databaseHead());
  await until('Redis knows again', async () => (await state()).head === (await databaseHead()));
});

test('something else under the name of a company’s state is no trouble with Redis: the next read starts the state over', async () => {
  const key = `v1:${world.vars.ENVIRONMENT}:log:${company()}`;
  await redis.set(key, 'none of ours');
  const read = () => salon.api.get('/clients?limit=3');
  await until('the state is one again', async () => {
    expect((await read()).status).toBe(200);
    return (await state()).head === (await databaseHead());
  });
  await until('a hit', async () => (await read()).headers.get('x-cache') === 'HIT');
  expect((await salon.api.get('/health/ready')).json.status).toBe('ready');
});

test('the watch finds an older mark and renews the era; with its own it does not', async () => {
  await world.worker.sweep();
  const image = await takeImage(world.redisPort);
  const era = await redis.get(`v1:${world.vars.ENVIRONMENT}:era`);
  await world.worker.sweep();
  await world.worker.sweep();
  expect(await redis.get(`v1:${world.vars.ENVIRONMENT}:era`)).toBe(era);
  await putImage(world.redisPort, image);
  await until('the era is another', async () => {
    await world.worker.sweep();
    return (await redis.get(`v1:${world.vars.ENVIRONMENT}:era`)) !== era;
  });
});

test('a Redis that refuses writes is believed by nobody, not even for a key without a voucher, and health says so', async () => {
  const path = `/clients/${await make(salon.api, 'clients')}`;
  const keys = await Promise.all([1, 2].map(() => addKey(salon.api, ['clients:read'])));
  const beat = async (): Promise<number> => Number(await redis.get(`v1:${world.vars.ENVIRONMENT}:beat`));
  await until('a read under a beat of the watch', async () => {
    world.upstash.setRefusal(null);
    const [there, keyed] = await Promise.all(
      keys.map(async ({ secret }) => salon.api.at((await world.another()).url).as(secret)),
    );
    // Isolates that have met neither the company nor the key: what is kept in Redis answers them.
    await until('a hit under a young beat', async () => {
      const reply = await there?.get(path);
      return reply?.headers.get('x-cache') === 'HIT' && (await beat()) > Date.now() - LEASE / 4;
    });
    world.upstash.setRefusal('replica');
    const notes = randomUUID();
    await salon.api.patch(path, { notes });
    const asked = Date.now();
    expect((await keyed?.get(path))?.json.notes).toBe(notes);
    // Later than that nothing is believed anyway, and another try tells.
    return (await beat()) > asked - LEASE;
  });
  const health = await until('health says so', async () => {
    const { json } = await salon.api.get('/health/ready');
    return json.status === 'degraded' && json;
  });
  expect(health).toMatchObject({ redis: { status: 'down', fault: 'refuses' } });
});

test('a Redis that is full loses the state of a company whose announcement it refuses: unknown, not old', async () => {
  await make(salon.api, 'clients');
  expect((await state()).head).toBeDefined();
  world.upstash.setRefusal('full');
  const written = await salon.api.patch('/company', { name: 'Full' });
  expect(written.status).toBe(200);
  expect(await state()).toEqual({});
});

test('a room far behind raises the floor at once, and never sticks behind a write in SQL', async () => {
  await make(salon.api, 'clients');
  await world.sql(
    `insert into clients (company_id, id, first_name) select $1, gen_random_uuid(), 'x' from generate_series(1, 60)`,
    [company()],
    'cp_owner',
  );
  await world.worker.sweep();
  const head = await databaseHead();
  expect(await state()).toMatchObject({ head, floor: head });
  // A gap before a write of the API is closed by that write, and what comes after it is announced by its tags again.
  await world.sql(
    `update clients set notes = 'sql' where company_id = $1 and first_name = 'x'`,
    [company()],
    'cp_owner',
  );
  const written = await salon.api.patch('/company', { name: 'After SQL' });
  expect(await state()).toMatchObject({ head: String(written.revision), floor: String(written.revision - 1) });
});
