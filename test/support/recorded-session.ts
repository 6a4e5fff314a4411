import { afterAll } from 'vitest';
import { HOLDS } from '../../src/account/holds.ts';
import type { Api, Tenant } from './api.ts';
import { newSignIn, type Place } from './company.ts';
import { uuidOf } from './people.ts';
import { type DirectRedis, openRedis } from './redis.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/**
 * The tenant's owner, always in a session that was recorded lately, for trips that are counted: every half minute a read also asks
 * whether its session lives, and tells Redis so behind its answer. Half of that is left for what is asked next.
 */
export function recordedOwner(world: World, tenant: Tenant): () => Promise<Api> {
  const redis = openRedis(world);
  afterAll(() => redis.stop());
  let [api, end] = [tenant.api, 0];
  return async () => {
    if (Date.now() > end) [end, api] = [Date.now() + HOLDS / 2, await recordedSession(world, tenant, redis)];
    return api;
  };
}

async function recordedSession(world: Place, tenant: Tenant, redis: DirectRedis): Promise<Api> {
  const [company, user] = [uuidOf('comp', tenant.companyId), uuidOf('usr', tenant.userId)];
  const api = tenant.api.as((await newSignIn(world, { company, user, role: 'OWNER' })).token);
  const others = new Set(await redis.keys('session:*'));
  await api.get('/company');
  await until('it is recorded', async () => (await redis.keys('session:*')).some((key) => !others.has(key)));
  return api;
}
