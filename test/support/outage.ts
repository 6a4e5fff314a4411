import type { Api } from './api.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Ends what a test did to the bridges, and waits until the Worker has noticed. */
export async function wellAgain({ neon, upstash }: Pick<World, 'neon' | 'upstash'>, api: Api): Promise<void> {
  neon.setFault(null);
  neon.setHooks({ onRequest: null, afterCommit: null });
  upstash.setFault(null);
  await until(
    'everything is well again',
    // Each database has a breaker of its own.
    async () => (await api.get('/health/ready')).json.status === 'ready' && (await api.get('/events')).status === 200,
  );
}
