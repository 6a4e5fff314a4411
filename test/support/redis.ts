import { connect } from 'node:net';
import { RedisClient } from '../../local/redis-client.ts';
import { encodeCommand } from '../../local/resp.ts';
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

/** What the watch and the rooms ask by themselves, as MONITOR shows it. */
const WATCHING = /:mark:|"set" "[^"]*:beat"|"hmget" "[^"]*:log:[^"]*" "epoch" "head"$/i;

/** Listens to every command that a world's Redis runs, those inside scripts too, less those of the watch and the rooms. */
export async function monitor({ redisPort }: Pick<World, 'redisPort'>) {
  const socket = connect(redisPort, '127.0.0.1');
  let text = '';
  const ready = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.write(encodeCommand(['MONITOR']));
  await ready;
  socket.on('data', (chunk) => {
    text += chunk.toString('utf8');
  });
  return {
    /** Names of the commands since it was last asked. */
    take(): string[] {
      const lines = text.split('\r\n').filter((line) => line !== '' && !WATCHING.test(line));
      text = '';
      return lines.map((line) => /] "([^"]+)"/.exec(line)?.[1]?.toUpperCase() ?? line);
    },
    stop: () => socket.destroy(),
  };
}
