import { type Context, Hono } from 'hono';

type Env = {
  Bindings: {
    BODY: string;
    /** Of an answer of Clients+, as JSON; absent: a content type alone. */
    HEADERS?: string;
    /** Logged with each answer; absent: nothing is. */
    LINE?: string;
    REDIS_URL: string;
    REDIS_TOKEN: string;
    SQL_URL: string;
    DATABASE_URL: string;
  };
};

/** The least a Hono Worker can do: the same bytes, a content type or all the headers that we must send, nothing else. */
const app = new Hono<Env>();
app.get('/api/v1/clients', answer);

/** The same after the least trips that an answer of each kind needs, one after another. */
app.get('/coldHit', async (c) => {
  await redis(c);
  return answer(c);
});
app.get('/miss', async (c) => {
  await redis(c);
  await postgres(c);
  return answer(c);
});
app.get('/write', async (c) => {
  await postgres(c);
  await redis(c);
  return answer(c);
});

let headers: Record<string, string> | null = null;

function answer(c: Context<Env>): Response {
  headers ??= JSON.parse(c.env.HEADERS ?? '{"Content-Type":"application/json"}') as Record<string, string>;
  if (c.env.LINE !== undefined) console.log(c.env.LINE);
  // A copy each time, as a Worker whose values change from answer to answer makes one.
  return new Response(c.env.BODY, { status: 200, headers: { ...headers } });
}

/** What a read asks: the company's state, the entry, the caller's count. */
const PIPELINE = JSON.stringify([
  ['hmget', 'bare:log', 'epoch', 'head', 'floor', 'incarnation', 't:clients'],
  ['get', 'bare:entry'],
  ['incrby', 'bare:rate', 1],
  ['pexpire', 'bare:rate', 120_000],
]);

async function redis({ env }: Context<Env>): Promise<void> {
  await post(`${env.REDIS_URL}/pipeline`, { Authorization: `Bearer ${env.REDIS_TOKEN}` }, PIPELINE);
}

async function postgres({ env }: Context<Env>): Promise<void> {
  await post(env.SQL_URL, { 'Neon-Connection-String': env.DATABASE_URL }, '{"query":"select 1","params":[]}');
}

async function post(url: string, headers: Record<string, string>, body: string): Promise<void> {
  const reply = await fetch(url, { method: 'POST', headers, body });
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}`);
  await reply.text();
}

export default app;
