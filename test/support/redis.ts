import { RedisClient } from '../../local/redis-client.ts';
import type { World } from './world.ts';

/** Straight to a world's Redis. */
export type DirectRedis = {
  keys(pattern: string): Promise<string[]>;
  get(key: string): Promise<string | null>;
  set(key: string, text: string): Promise<void>;
  wipe(): Promise<void>;
  stop(): void;
};

export function openRedis({ redisPort, vars }: Pick<World, 'redisPort' | 'vars'>): DirectRedis {
  const client = new RedisClient(`redis://127.0.0.1:${redisPort}`);
  const prefix = `v1:${vars.ENVIRONMENT}:`;
  const keys = async (pattern: string): Promise<string[]> => {
    const [found] = await client.send([['KEYS', prefix + pattern]]);
    return Array.isArray(found) ? found.map(String) : [];
  };
  return {
    keys,
    async get(key) {
      const [text] = await client.send([['GET', key]]);
      return text === null || text === undefined ? null : String(text);
    },
    async set(key, text) {
      await client.send([['SET', key, text]]);
    },
    async wipe() {
      await client.send([['FLUSHALL']]);
    },
    stop: () => client.stop(),
  };
}
