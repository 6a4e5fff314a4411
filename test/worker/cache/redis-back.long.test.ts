import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startUpstashBridge, type UpstashBridge } from '../../../local/upstash.ts';
import { addKey } from '../../support/accounts.ts';
import { type Api, signUp, type Tenant } from '../../support/api.ts';
import { Watched } from '../../support/readers.ts';
import { aged, putImage, takeImage } from '../../support/redis-image.ts';
import { make } from '../../support/routes.ts';
import { until } from '../../support/until.ts';
import { startWorker } from '../../support/worker.ts';
import { openWorld, type World } from '../../support/world.ts';

// F3 in the hands of a Redis that goes back in time, away, or half away. Readers of three kinds look all the time: one who
// was there before, one whose isolate begins with the fault, and one with an API key that nobody has vouched for yet.

let world: World;
let salon: Tenant;
beforeAll(async () => {
  world = await openWorld({ REDIS_DEADLINE_MS: '250' });
  salon = await signUp(world.api);
});
afterAll(() => world.close());

const report: string[] = [];
afterAll(() => console.log(`longest stale answer, ms\n${report.join('\n')}`));

type Scene = { watched: Watched; writer: Api; old: Api; begin(): Promise<void> };

/** A client of its own, read before; `begin` adds the readers that begin with the fault. */
async function scene(): Promise<Scene> {
  const path = `/clients/${await make(salon.api, 'clients')}`;
  const watched = new Watched(path);
  const [there, cold] = [await world.another(), await world.another()];
  const { secret: key } = await addKey(salon.api, ['clients:read']);
  await watched.write(salon.api);
  await watched.write(salon.api);
  const old = salon.api.at(there.url);
  for (let n = 0; n < 3; n += 1) await old.get(path);
  return {
    watched,
    writer: salon.api,
    old,
    async begin() {
      watched.read('cold', salon.api.at(cold.url));
      watched.read('key', salon.api.at((await world.another()).url).as(key));
    },
  };
}

function judge(name: string, watched: Watched, most: number): void {
  for (const [reader, { reads, stalest, back, failed }] of Object.entries(watched.seen)) {
    report.push(
      `${name.padEnd(44)} ${reader.padEnd(6)} ${String(stalest).padStart(6)}  of ${reads} reads, ${failed} failed`,
    );
    expect(stalest, `${name}: ${reader}`).toBeLessThanOrEqual(most);
    expect(back, `${name}: ${reader} went back`).toBe(0);
    expect(reads).toBeGreaterThan(20);
  }
}

const MINUTE = 60_000;
// The snapshot is aged, not waited for: nothing in Redis but ends of lifetimes and the beat knows the time.
test.each([
  ['2 s', 2000, 0],
  ['30 s', 9000, 21_000],
  ['10 min', 9000, 10 * MINUTE],
  ['24 h', 9000, 24 * 60 * MINUTE],
])('Redis restored to %s ago', async (ago, since, older) => {
  const { watched, writer, old, begin } = await scene();
  const beat = `v1:${world.vars.ENVIRONMENT}:beat`;
  const image = new Map(aged(await takeImage(world.redisPort), older));
  image.set(beat, { value: String(Date.now() - older), left: null });
  watched.read('warm', old);
  await watched.write(writer);
  await pause(since - 1000);
  await watched.write(writer);
  await pause(1000);
  await putImage(world.redisPort, image);
  await begin();
  await pause(12_000);
  await watched.write(writer);
  await pause(4000);
  await watched.stop();
  judge(`restored to ${ago} ago`, watched, 10_000);
});

test('Redis killed and restarted from its snapshot', async () => {
  const { watched, writer, old, begin } = await scene();
  watched.read('warm', old);
  const image = await takeImage(world.redisPort);
  await pause(500);
  await watched.write(writer);
  world.upstash.setFault('refuse');
  await pause(1500);
  await putImage(world.redisPort, image);
  world.upstash.setFault(null);
  await begin();
  await pause(15_000);
  await watched.stop();
  judge('killed, restarted from its snapshot', watched, 10_000);
});

test('Redis wiped', async () => {
  const { watched, writer, old, begin } = await scene();
  watched.read('warm', old);
  await watched.write(writer);
  await putImage(world.redisPort, new Map());
  await begin();
  await watched.write(writer);
  await pause(5000);
  await watched.stop();
  judge('wiped', watched, 10_000);
});

test.each(['full', 'replica'] as const)('a Redis that is %s: it answers reads and refuses writes', async (refusal) => {
  const { watched, writer, old, begin } = await scene();
  watched.read('warm', old);
  world.upstash.setRefusal(refusal);
  await watched.write(writer);
  await begin();
  for (let n = 0; n < 6; n += 1) {
    await pause(2500);
    await watched.write(writer);
  }
  // It says what the last trip that failed met: on a busy machine that may have been no answer in time.
  const ready = async () => (await salon.api.get('/health/ready')).json as { redis: { fault?: string } };
  const said = await until('a trip that is answered in time', async () => {
    const json = await ready();
    return json.redis.fault === 'refuses' ? json : null;
  });
  expect(said).toMatchObject({ status: 'degraded', redis: { status: 'down' } });
  world.upstash.setRefusal(null);
  await pause(10_000);
  await watched.stop();
  judge(`refuses writes (${refusal})`, watched, 10_000);
});

test('nobody reaches Redis for 15 s, and both sides write', async () => {
  const { watched, writer, old, begin } = await scene();
  watched.read('warm', old);
  world.upstash.setFault('refuse');
  await watched.write(writer);
  await pause(7500);
  await watched.write(old);
  await pause(7500);
  world.upstash.setFault(null);
  await begin();
  await pause(12_000);
  await watched.stop();
  judge('unreachable for 15 s, writes on both sides', watched, 10_000);
});

test.each([
  ['rooms and watch cut off', true],
  ['rooms and watch still connected', false],
])('one side does not reach Redis for 15 s, and both sides write: %s', async (name, cutsObjects) => {
  const path = `/clients/${await make(salon.api, 'clients')}`;
  const watched = new Watched(path);
  const other: UpstashBridge = await startUpstashBridge({ redisPort: world.redisPort, token: 'test' });
  const [own, away] = [world.vars.UPSTASH_REDIS_REST_URL, `http://127.0.0.1:${other.port}`].map((url) => ({
    UPSTASH_REDIS_REST_URL: String(url),
  }));
  // The first owns the objects of both, as a deployment's are the same for all its isolates.
  const pair = await startWorker({
    bundle: inject('bundle'),
    vars: { ...world.vars, ...(cutsObjects ? away : own) },
    isolates: 2,
    elsewhere: (cutsObjects ? own : away) as Record<string, string>,
  });
  try {
    const [first, second] = pair.urls.map((url) => salon.api.at(url)) as [Api, Api];
    const [cut, joined] = cutsObjects ? [first, second] : [second, first];
    await watched.write(cut);
    for (const api of [cut, joined]) for (let n = 0; n < 3; n += 1) await api.get(path);
    watched.read('cut', cut);
    watched.read('joined', joined);
    await pause(4000);
    other.setFault('refuse');
    await watched.write(cut);
    await pause(7000);
    await watched.write(cut);
    await watched.write(joined);
    await pause(8000);
    other.setFault(null);
    await pause(10_000);
    await watched.stop();
    judge(`half cut off for 15 s, ${name}`, watched, 10_000);
  } finally {
    await pair.stop();
    await other.stop();
  }
});
