import { Redis } from '@upstash/redis/cloudflare';
import { afterEach, expect, it, vi } from 'vitest';
import { openUpstash, Pipeline } from '../../../src/data/upstash.ts';

// What goes to Redis and what comes back is the same as by the package it stands in for.

const PLACE = { url: 'https://eu1-quiet.upstash.io/', token: 'secret' };

type Sent = { url: string; headers: Record<string, string>; body: string; method: string };

/** A Redis that answers these one after another (an error: nobody is met), and what it was asked. */
function redis(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', async (url: string, { headers, body, method }: RequestInit) => {
    const named = Object.entries(headers as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value]);
    sent.push({ url, headers: Object.fromEntries(named), body: String(body), method: String(method) });
    const answer = answers.shift() ?? new Error('no more');
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return sent;
}

const ok = (...results: unknown[]) => Response.json(results, { headers: { 'upstash-sync-token': 'after' } });
const ours = () => openUpstash({ ...PLACE, deadline: () => 1000 });
const theirs = () =>
  new Redis({
    ...PLACE,
    ...{ automaticDeserialization: false, enableTelemetry: false, responseEncoding: false },
    retry: { retries: 1, backoff: () => 1 },
    signal: () => AbortSignal.timeout(1000),
  });

afterEach(() => void vi.unstubAllGlobals());

/** All that we ask Redis for. */
function fill(p: Pipeline | ReturnType<Redis['pipeline']>): void {
  p.get('a');
  (p as Pipeline).mget('a', 'b');
  (p as Pipeline).hmget('h', 'x', 'y');
  p.set('a', 'text "quoted"');
  p.set('a', 1, { ex: 60 });
  p.set('a', '{"json":1}', { px: 500 });
  p.set('a', '1', { nx: true, ex: 60 });
  p.mset({ a: 1, b: 'two' });
  p.hset('h', { x: 'one', y: 2 });
  p.del('a', 'b');
  p.unlink('a', 'b');
  p.incr('n');
  p.incrby('n', 5);
  p.expire('n', 60);
  p.pexpire('n', 500);
  p.scan('0', { match: 'v1:*', count: 100 });
  p.eval('return 1', ['k'], ['x', '2']);
}

it('a pipeline has the same address, headers and body, and says what was written before', async () => {
  const sent = redis(ok(), ok(), ok(), ok());
  const [ask, client] = [ours(), theirs()];
  for (let number = 0; number < 2; number += 1) {
    const pipeline = new Pipeline();
    fill(pipeline);
    await ask(pipeline);
    const other = client.pipeline();
    fill(other);
    await other.exec({ keepErrors: true });
  }
  expect(sent.map(({ headers }) => headers['upstash-sync-token'])).toEqual(['', '', 'after', 'after']);
  expect(sent[0]).toEqual(sent[1]);
  expect(sent[2]).toEqual(sent[3]);
});

it('answers are as Redis gave them, refusals among them', async () => {
  const said = [{ result: '1' }, { result: null }, { result: ['a', null] }, { error: 'WRONGTYPE' }, { result: 7 }];
  redis(ok(...said));
  expect(await ours()(new Pipeline())).toEqual(said);
});

it('who is not met is asked once more, and once only', async () => {
  const sent = redis(new TypeError('lost'), ok({ result: 1 }), new TypeError('lost'), new TypeError('lost'));
  const ask = ours();
  expect(await ask(new Pipeline())).toEqual([{ result: 1 }]);
  await expect(ask(new Pipeline())).rejects.toThrow('lost');
  expect(sent).toHaveLength(4);
});

it('who is late is not asked again', async () => {
  let asked = 0;
  vi.stubGlobal('fetch', (_url: string, { signal }: RequestInit) => {
    asked += 1;
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  });
  const ask = openUpstash({ ...PLACE, deadline: () => 1 });
  await expect(ask(new Pipeline())).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(asked).toBe(1);
});

it.each([400, 401, 429, 500])('%i is an error that repeats nothing of what was asked', async (status) => {
  redis(Response.json({ error: 'ERR secret' }, { status }));
  await expect(ours()(new Pipeline())).rejects.toMatchObject({
    name: 'UpstashError',
    message: `HTTP status ${status}`,
  });
});
