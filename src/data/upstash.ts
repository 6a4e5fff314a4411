type Word = string | number;
type Expiry = { ex?: number; px?: number; nx?: true };

/** Commands that go to Redis in one request, in this order. */
export class Pipeline {
  readonly commands: (readonly Word[])[] = [];

  get(key: string): void {
    this.commands.push(['get', key]);
  }

  mget(...keys: readonly string[]): void {
    this.commands.push(['mget', ...keys]);
  }

  hmget(key: string, ...fields: readonly string[]): void {
    this.commands.push(['hmget', key, ...fields]);
  }

  set(key: string, value: Word, { ex, px, nx }: Expiry = {}): void {
    this.commands.push([
      ...['set', key, value],
      ...(nx === undefined ? [] : ['nx']),
      ...(ex === undefined ? [] : ['ex', ex]),
      ...(px === undefined ? [] : ['px', px]),
    ]);
  }

  mset(values: Readonly<Record<string, Word>>): void {
    this.commands.push(['mset', ...Object.entries(values).flat()]);
  }

  hset(key: string, values: Readonly<Record<string, Word>>): void {
    this.commands.push(['hset', key, ...Object.entries(values).flat()]);
  }

  del(...keys: readonly string[]): void {
    this.commands.push(['del', ...keys]);
  }

  unlink(...keys: readonly string[]): void {
    this.commands.push(['unlink', ...keys]);
  }

  incr(key: string): void {
    this.commands.push(['incr', key]);
  }

  incrby(key: string, amount: number): void {
    this.commands.push(['incrby', key, amount]);
  }

  expire(key: string, seconds: number): void {
    this.commands.push(['expire', key, seconds]);
  }

  pexpire(key: string, ms: number): void {
    this.commands.push(['pexpire', key, ms]);
  }

  scan(cursor: Word, { match, count }: { match: string; count: number }): void {
    this.commands.push(['scan', cursor, 'match', match, 'count', count]);
  }

  eval(script: string, keys: readonly string[], args: readonly Word[]): void {
    this.commands.push(['eval', script, keys.length, ...keys, ...args]);
  }
}

export type UpstashOptions = {
  url: string;
  token: string;
  /** Of one request with its repeat, ms. */
  deadline(): number;
};

/** Ms before the one repeat of a request that met nobody. */
const PAUSE = 25;

/**
 * Pipelines over Upstash's REST dialect, as @upstash/redis sends them: that package makes 200 closures for each pipeline and
 * knows every command of Redis, 74 KiB (test/unit/data/upstash.test.ts compares the two).
 */
export function openUpstash({ url, token, deadline }: UpstashOptions): (pipeline: Pipeline) => Promise<unknown> {
  const address = `${url.replace(/\/$/, '')}/pipeline`;
  // Of a Redis with replicas: they answer once they know what this isolate wrote.
  let written = '';
  return async ({ commands }) => {
    const request = {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token}`,
        'Upstash-Sync-Token': written,
      },
      body: JSON.stringify(commands),
      signal: AbortSignal.timeout(deadline()),
    };
    const answer = await fetch(address, request).catch(async (error: unknown) => {
      if (request.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      return await fetch(address, request);
    });
    // What it says repeats the commands, and with them keys and rows.
    if (!answer.ok) throw new UpstashError(`HTTP status ${answer.status}`);
    written = answer.headers.get('Upstash-Sync-Token') ?? '';
    return await answer.json();
  };
}

class UpstashError extends Error {
  override readonly name = 'UpstashError';
}
