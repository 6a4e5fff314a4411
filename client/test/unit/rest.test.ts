import { describe, expect, test } from 'vitest';
import { describeApi } from '../../../local/site/describe.ts';
import { ApiClient, ConnectionError, inMemory, type Keep, ProblemError } from '../../src/index.ts';
import { takesKey } from '../../src/rest/repeat.ts';
import { FakeHost, json, refusal, signedIn } from '../support/fake-host.ts';

const url = 'http://api.test';
const paths = (host: FakeHost): string[] => host.asked.map((request) => new URL(request.url).pathname.slice(7));

/** Signed in with the first pair; the API answers `answer`, renewals with the next pair. */
async function start(answer: (request: Request) => Response | Promise<Response>, keep: Keep = inMemory()) {
  const host = new FakeHost();
  let pairs = 1;
  host.answer = (request) => (/\/auth\/(login|refresh)$/.test(request.url) ? json(signedIn(pairs++)) : answer(request));
  const client = new ApiClient({ url, host, keep });
  await client.signIn({ email: 'a@example.com', password: 'x' });
  host.asked.length = 0;
  return { host, client };
}

const page = (data: unknown[], nextCursor: string | null = null) => json({ data, pagination: { nextCursor } });

describe('where the API is', () => {
  test.each(['http://api.test/', 'http://api.test/api/v1', 'http://api.test/api/v1/'])('may be told as %s', (told) => {
    expect(new ApiClient({ url: told }).url).toBe(url);
  });

  test.each(['', '/', 'api.test', 'localhost:8787', 'https://', undefined])(
    '%s is none, and is told so at once',
    (told) => {
      expect(() => new ApiClient({ url: told as string })).toThrow('url must be like');
    },
  );
});

describe('renewal', () => {
  test('is one for all requests that need it', async () => {
    const { host, client } = await start(() => page([]));
    host.time += 590_000;
    await Promise.all([client.get('/clients'), client.get('/staff'), client.get('/branches')]);
    expect(paths(host)).toEqual(['/auth/refresh', '/clients', '/staff', '/branches']);
    expect(host.asked.slice(1).map((request) => request.headers.get('authorization'))).toEqual(
      Array(3).fill('Bearer access-2'),
    );
  });

  test('is one for two tabs that share a session', async () => {
    const keep = inMemory();
    const { host, client } = await start(() => page([]), keep);
    const other = new ApiClient({ url, host, keep });
    host.time += 590_000;
    await Promise.all([client.get('/clients'), other.get('/staff')]);
    expect(paths(host).filter((path) => path === '/auth/refresh')).toHaveLength(1);
  });

  test('follows a refused token, once', async () => {
    const { host, client } = await start((request) =>
      request.headers.get('authorization') === 'Bearer access-2' ? page([]) : refusal(401, 'token_expired'),
    );
    await client.get('/clients');
    expect(paths(host)).toEqual(['/clients', '/auth/refresh', '/clients']);
  });

  test('that another tab won takes its pair; one that nobody won ends the session', async () => {
    const keep = inMemory();
    const { host, client } = await start(() => page([]), keep);
    const won = {
      ...signedIn(7),
      expiresAt: host.time + 1_200_000,
      companyId: 'comp_1',
      userId: 'usr_1',
      role: 'OWNER',
    };
    host.answer = (request) => (request.url.endsWith('/refresh') ? refusal(401, 'invalid_refresh_token') : page([]));
    host.time += 590_000;
    const asked = client.get('/clients');
    await host.pass(10);
    keep.write(won);
    await host.pass(2000);
    await asked;
    expect(host.asked.at(-1)?.headers.get('authorization')).toBe('Bearer access-7');
    host.time += 1_300_000;
    const ends: unknown[] = [];
    client.session.onChange((kept) => ends.push(kept));
    const last = client.get('/clients');
    await host.pass(2000);
    await last;
    expect([ends, keep.read(), host.asked.at(-1)?.headers.get('authorization')]).toEqual([[null], null, null]);
  });
});

describe('repeating', () => {
  const answers = (...of: (() => Response)[]) => {
    return (): Response => {
      const next = of.shift();
      if (next === undefined) throw new TypeError('network');
      return next();
    };
  };
  const network = (): Response => {
    throw new TypeError('network');
  };

  test('a POST keeps its key, after the pause that was asked for', async () => {
    const busy = () => refusal(503, 'busy', {}, { 'Retry-After': '7' });
    const { host, client } = await start(
      answers(network, busy, () => json({ id: 'clnt_1' }, { status: 201, Revision: '9' })),
    );
    const made = client.post('/clients', { body: { firstName: 'Ada' } });
    await host.pass(1000);
    expect(host.asked).toHaveLength(2);
    await host.pass(6000);
    expect(host.asked).toHaveLength(2);
    await host.pass(2000);
    expect((await made).id).toBe('clnt_1');
    const keys = host.asked.map((request) => request.headers.get('idempotency-key'));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^unique-/);
  });

  test.each([
    ['is sent once after a lost connection', network, 1],
    [
      'is sent once when it is not known what became of it',
      () => refusal(503, 'database_unavailable', { outcome: 'unknown' }),
      1,
    ],
    ['is sent again after 429', () => refusal(429, 'rate_limited', {}, { 'Retry-After': '1' }), 5],
    ['is sent again after a 503 that changed nothing', () => refusal(503, 'busy'), 5],
  ])('a PATCH %s', async (_name, answer, times) => {
    const { host, client } = await start(answer);
    const patched = client
      .patch('/clients/{id}', { path: { id: 'clnt_1' }, body: { notes: 'x' } })
      .catch((error) => error);
    await host.pass(60_000);
    expect(await patched).toBeInstanceOf(Error);
    expect(host.asked).toHaveLength(times);
  });

  test('a refusal is not repeated, and says what it is', async () => {
    const { host, client } = await start(() =>
      refusal(409, 'slot_taken', { suggestions: ['2026-12-07T08:00:00.000Z'] }),
    );
    const error = await client.get('/clients').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status: 409, code: 'slot_taken', problem: { suggestions: [expect.any(String)] } });
    expect(host.asked).toHaveLength(1);
  });

  test('without a network nothing is sent', async () => {
    const { host, client } = await start(() => page([]));
    host.isOut = true;
    const refused = client.post('/clients', { body: { firstName: 'Ada' } });
    await expect(refused).rejects.toMatchObject({ name: 'ConnectionError', code: 'offline' });
    expect(host.asked).toEqual([]);
  });

  test('an answer that does not come in time is one that did not come; who gives up is told why', async () => {
    const { host, client } = await start(
      (request) =>
        new Promise((_, fail) => request.signal.addEventListener('abort', () => fail(request.signal.reason))),
    );
    const late = client.get('/clients', { timeout: 500, repeats: 0 }).catch((e: unknown) => e);
    await host.pass(500);
    expect(await late).toEqual(new ConnectionError('timeout'));
    const giving = new AbortController();
    const given = client.get('/clients', { signal: giving.signal }).catch((e: unknown) => e);
    await host.pass(10);
    giving.abort(new Error('enough'));
    expect(await given).toEqual(new Error('enough'));
  });

  test('keys go where the document says that they count', () => {
    const { paths } = describeApi() as { paths: Record<string, Record<string, { parameters?: { name?: string }[] }>> };
    const said = Object.entries(paths).flatMap(([path, { post }]) =>
      post === undefined
        ? []
        : [[path.slice(7), post.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false]],
    );
    const taken = said.map(([path]) => [path, takesKey('post', String(path))]);
    expect(taken, 'KEYLESS in client/src/rest/repeat.ts').toEqual(said);
  });
});

describe('revisions', () => {
  test('what was written is asked for in every later read, until the history is another one', async () => {
    let ahead = false;
    const { host, client } = await start((request) => {
      if (request.method !== 'GET') return json({}, { Revision: '42' });
      return ahead && request.headers.has('min-revision') ? refusal(400, 'revision_ahead') : page([]);
    });
    const asked = () => host.asked.at(-1)?.headers.get('min-revision');
    await client.get('/clients');
    expect(asked()).toBeNull();
    await client.delete('/clients/{id}', { path: { id: 'clnt_1' } });
    await client.get('/clients');
    expect(asked()).toBe('42');
    client.saw(41);
    await client.get('/clients', { minRevision: 50 });
    expect(asked()).toBe('50');
    ahead = true;
    await client.get('/clients');
    expect(asked()).toBeNull();
  });

  test('an If-Match is quoted', async () => {
    const { host, client } = await start(() => json({}));
    await client.patch('/clients/{id}', { path: { id: 'a/b' }, body: {}, ifMatch: 3 });
    expect([host.asked[0]?.headers.get('if-match'), paths(host)]).toEqual(['"3"', ['/clients/a%2Fb']]);
  });
});

test('each() walks all pages', async () => {
  const { host, client } = await start((request) =>
    request.url.includes('cursor=next') ? page([{ id: 3 }]) : page([{ id: 1 }, { id: 2 }], 'next'),
  );
  const ids = [];
  for await (const { id } of client.each('/clients', { query: { status: 'ACTIVE' } })) ids.push(id);
  expect(ids).toEqual([1, 2, 3]);
  expect(host.asked.map((request) => new URL(request.url).search)).toEqual([
    '?limit=100&count=none&status=ACTIVE',
    '?limit=100&count=none&status=ACTIVE&cursor=next',
  ]);
});
