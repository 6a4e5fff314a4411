import { inject } from 'vitest';
import { RedisClient } from '../../local/redis-client.ts';

/** Straight to the Redis all files share; each world has its own prefix there. */
export type DirectRedis = {
  keys(pattern: string): Promise<string[]>;
  get(key: string): Promise<string | null>;
  /** Deletes what belongs to this world, as a wiped Redis would have lost it. */
  wipe(): Promise<void>;
  stop(): void;
};

export function openRedis(environment: string): DirectRedis {
  const client = new RedisClient(`redis://127.0.0.1:${inject('redisPort')}`);
  const prefix = `v1:${environment}:`;
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
    async wipe() {
      const found = await keys('*');
      if (found.length > 0) await client.send([['DEL', ...found]]);
    },
    stop: () => client.stop(),
  };
}
