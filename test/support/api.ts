import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, exchange } from './exchange.ts';

export type Json = Record<string, unknown>;

/** An answer, read whole. */
export type Reply = { status: number; headers: Headers; text: string; json: Json; revision: number };

export type Ask = { body?: unknown; headers?: Record<string, string>; raw?: string | Uint8Array };

type Check = (method: string, path: string, answer: Answer) => void;
let check: Check | null = null;

/** Sets what every answer is checked with: the suites' set-up does, the benchmarks do not. */
export function checkAnswersWith(own: Check): void {
  check = own;
}

/** An answer of `fetch`, read whole and checked. @param path below `/api/v1`, with its query */
export async function received(method: string, path: string, answer: Response): Promise<Reply> {
  const { status, headers } = answer;
  return judged(method, path, { status, headers, text: await answer.text() });
}

function judged(method: string, path: string, { status, headers, text }: Answer): Reply {
  if (!path.startsWith('/.')) check?.(method, path, { status, headers, text });
  const type = headers.get('content-type') ?? '';
  const json = (/[/+]json/.test(type) && text !== '' ? JSON.parse(text) : {}) as Json;
  return { status, headers, text, json, revision: Number(headers.get('revision') ?? -1) };
}

/** A caller of the public API over real HTTP, with or without a token. */
export class Api {
  readonly url: string;
  readonly token: string | null;

  constructor(url: string, token: string | null = null) {
    this.url = url;
    this.token = token;
  }

  as(token: string | null): Api {
    return new Api(this.url, token);
  }

  /** The same caller at another Worker. */
  at(url: string): Api {
    return new Api(url, this.token);
  }

  /** @param path below `/api/v1`, with its query */
  async ask(method: string, path: string, { body, headers = {}, raw }: Ask = {}): Promise<Reply> {
    const answer = await exchange(`${this.url}${path.startsWith('/.') ? '' : '/api/v1'}${path}`, {
      method,
      headers: {
        ...(this.token !== null && { Authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    return judged(method, path, answer);
  }

  get = (path: string, ask?: Ask): Promise<Reply> => this.ask('GET', path, ask);
  post = (path: string, body?: unknown, ask: Ask = {}): Promise<Reply> => this.ask('POST', path, { ...ask, body });
  patch = (path: string, body?: unknown, ask: Ask = {}): Promise<Reply> => this.ask('PATCH', path, { ...ask, body });
  delete = (path: string, ask?: Ask): Promise<Reply> => this.ask('DELETE', path, ask);
}

/** A signed-up company and its owner's caller. */
export type Tenant = {
  api: Api;
  companyId: string;
  userId: string;
  email: string;
  password: string;
  refreshToken: string;
};

export const PASSWORD = 'correct horse battery';

/** Signs a company up. An isolate that is hashing refuses the next sign-up for a moment; that one waits as told. */
export async function signUp(api: Api, name: string = 'Salon'): Promise<Tenant> {
  const email = `${randomUUID()}@example.com`;
  for (;;) {
    const reply = await api.as(null).post('/auth/signup', {
      company: { name, currency: 'EUR', timeZone: 'Europe/Vienna' },
      user: { name: 'Owner', email, password: PASSWORD },
    });
    if (reply.status === 503) {
      await pause(Number(reply.headers.get('retry-after')) * 1000);
      continue;
    }
    if (reply.status !== 201) throw new Error(`sign-up answered ${reply.status}: ${reply.text}`);
    const { accessToken, refreshToken, company, user } = reply.json as {
      accessToken: string;
      refreshToken: string;
      company: Json;
      user: Json;
    };
    return {
      api: api.as(accessToken),
      companyId: String(company.id),
      userId: String(user.id),
      email,
      password: PASSWORD,
      refreshToken,
    };
  }
}
