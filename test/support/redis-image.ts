import { RedisClient } from '../../local/redis-client.ts';

/** What a Redis held at a moment: values by key, with the ms they had left (null: for ever). Strings and hashes. */
export type RedisImage = ReadonlyMap<string, { value: string | readonly string[]; left: number | null }>;

/** Reads everything, as a snapshot or a backup would. */
export async function takeImage(port: number): Promise<RedisImage> {
  return withClient(port, async (client) => {
    const [keys] = await client.send([['KEYS', '*']]);
    const image = new Map<string, { value: string | readonly string[]; left: number | null }>();
    for (const key of (Array.isArray(keys) ? keys : []).map(String)) {
      const [type, left] = await client.send([
        ['TYPE', key],
        ['PTTL', key],
      ]);
      const [value] = await client.send([String(type) === 'hash' ? ['HGETALL', key] : ['GET', key]]);
      if (value === null || value === undefined) continue;
      image.set(key, {
        value: Array.isArray(value) ? value.map(String) : String(value),
        left: Number(left) < 0 ? null : Number(left),
      });
    }
    return image;
  });
}

/** The image as a Redis restored after `ms` more would have it: what has ended since is gone. */
export function aged(image: RedisImage, ms: number): RedisImage {
  const rest = [...image].filter(([, { left }]) => left === null || left > ms);
  return new Map(rest.map(([key, { value, left }]) => [key, { value, left: left === null ? null : left - ms }]));
}

/** Puts an image in the place of everything. */
export async function putImage(port: number, image: RedisImage): Promise<void> {
  await withClient(port, async (client) => {
    const commands: string[][] = [['FLUSHALL']];
    for (const [key, { value, left }] of image) {
      commands.push(typeof value === 'string' ? ['SET', key, value] : ['HSET', key, ...value]);
      if (left !== null) commands.push(['PEXPIRE', key, String(left)]);
    }
    await client.send(commands);
  });
}

async function withClient<T>(port: number, work: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = new RedisClient(`redis://127.0.0.1:${port}`);
  try {
    return await work(client);
  } finally {
    client.stop();
  }
}
