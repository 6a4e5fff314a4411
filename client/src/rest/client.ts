import type { Login, Me, SignedIn, SignUp } from '../api.ts';
import { type Host, ownHost } from '../host.ts';
import { ProblemError } from './errors.ts';
import { exchange } from './exchange.ts';
import { pauseBefore, takesKey } from './repeat.ts';
import { inMemory, type Keep, Session } from './session.ts';
import type { Answer, AnswerTo, Asked, ListPath, Method, PathOf, Rest, RowOf, Ways } from './typing.ts';
import { filled, originOf, urlOf, withQuery } from './url.ts';

export type ClientOptions = {
  /** Where the API is, such as `https://api.example.com`. */
  url: string;
  /** An API key; absent, whoever signs in. */
  apiKey?: string;
  /** Where a session is kept; by default until the page is left. */
  keep?: Keep;
  host?: Partial<Host>;
};

/** What a request is made of, whatever its types. */
type Loose = Ways & { path?: object; query?: object; body?: unknown };

const TIMEOUT = 30_000;
/** They say who asks by their body. */
const PUBLIC = /^\/auth\/(login|signup|refresh|password\/(forgot|reset))$/;

/** The API of one deployment, as one user or key. */
export class ApiClient {
  readonly url: string;
  readonly host: Host;
  readonly session: Session;
  readonly #apiKey: string | null;
  #seen = 0;
  #company: string | null = null;

  constructor({ url, apiKey, keep = inMemory(), host }: ClientOptions) {
    this.url = originOf(url);
    this.host = { ...ownHost, ...host };
    this.#apiKey = apiKey ?? null;
    this.session = new Session(
      this.host,
      keep,
      async (refreshToken) => (await this.request('post', '/auth/refresh', { body: { refreshToken } })).body,
    );
    // The numbers of one company say nothing of another.
    this.session.onChange((kept) => {
      if (this.#company !== (kept?.companyId ?? null)) this.forget();
      this.#company = kept?.companyId ?? null;
    });
  }

  async signUp(body: SignUp, ways: Ways = {}): Promise<SignedIn> {
    const signedIn = (await this.request('post', '/auth/signup', { ...ways, body })).body;
    this.session.adopt(signedIn);
    return signedIn;
  }

  async signIn(body: Login, ways: Ways = {}): Promise<SignedIn> {
    const signedIn = (await this.request('post', '/auth/login', { ...ways, body })).body;
    this.session.adopt(signedIn);
    return signedIn;
  }

  /** Here at once, and on the server if it can be reached; a session that it does not hear the end of ends by itself. */
  async signOut(): Promise<void> {
    const token = this.session.current?.accessToken;
    this.session.adopt(null);
    if (token === undefined) return;
    const { host, url } = this;
    const headers = { Authorization: `Bearer ${token}` };
    await exchange(host, { ...BARE, url: urlOf(url, '/auth/logout'), method: 'post', headers }).catch(() => undefined);
  }

  /** Who is signed in, as the server says. */
  me(ways: Ways = {}): Promise<Me> {
    return this.get('/auth/me', ways);
  }

  get<P extends PathOf<'get'>, const A extends Asked<'get', P>>(path: P, ...[asked]: Rest<Asked<'get', P>, A>) {
    return this.#body('get', path, asked) as Promise<AnswerTo<'get', P, A>>;
  }

  post<P extends PathOf<'post'>, const A extends Asked<'post', P>>(path: P, ...[asked]: Rest<Asked<'post', P>, A>) {
    return this.#body('post', path, asked) as Promise<AnswerTo<'post', P, A>>;
  }

  patch<P extends PathOf<'patch'>, const A extends Asked<'patch', P>>(path: P, ...[asked]: Rest<Asked<'patch', P>, A>) {
    return this.#body('patch', path, asked) as Promise<AnswerTo<'patch', P, A>>;
  }

  delete<P extends PathOf<'delete'>, const A extends Asked<'delete', P>>(
    path: P,
    ...[asked]: Rest<Asked<'delete', P>, A>
  ) {
    return this.#body('delete', path, asked) as Promise<AnswerTo<'delete', P, A>>;
  }

  /** The same with what stands around the answer: its status, revision and headers. */
  request<M extends Method, P extends PathOf<M>, const A extends Asked<M, P>>(
    method: M,
    path: P,
    ...[asked]: Rest<Asked<M, P>, A>
  ): Promise<Answer<AnswerTo<M, P, A>>> {
    return this.send(method, path, asked as Loose) as Promise<Answer<AnswerTo<M, P, A>>>;
  }

  /** Every row of a list, page by page. */
  async *each<P extends ListPath, const A extends Asked<'get', P>>(
    path: P,
    ...[asked]: Rest<Asked<'get', P>, A>
  ): AsyncGenerator<RowOf<P, A>, void, undefined> {
    const loose = (asked ?? {}) as Loose;
    let query: object = { limit: 100, count: 'none', ...loose.query };
    for (;;) {
      const { body } = await this.send('get', path, { ...loose, query });
      const { data, pagination } = body as { data: RowOf<P, A>[]; pagination: { nextCursor: string | null } };
      yield* data;
      if (pagination.nextCursor === null) return;
      query = { ...query, page: undefined, cursor: pagination.nextCursor };
    }
  }

  /** From now on every GET answers at this revision or a later one. */
  saw(revision: number): void {
    this.#seen = Math.max(this.#seen, revision);
  }

  /** The company's history is another one: what was seen of the old one says nothing. */
  forget(): void {
    this.#seen = 0;
  }

  async #body(method: Method, path: string, asked: unknown): Promise<unknown> {
    return (await this.send(method, path, (asked ?? {}) as Loose)).body;
  }

  /** Any request, untyped: renews the token, repeats what may be repeated, remembers what was written. */
  async send(method: Method, template: string, asked: Loose = {}): Promise<Answer<unknown>> {
    const { host } = this;
    const path = withQuery(
      filled(template, asked.path as Record<string, unknown>),
      asked.query as Record<string, unknown>,
    );
    const bare = path.split('?', 1)[0] ?? '';
    const isRead = method === 'get';
    const key = takesKey(method, bare) ? (asked.idempotencyKey ?? host.unique()) : undefined;
    const harmless = isRead || key !== undefined;
    let renewed = false;
    for (let repeats = 0; ; ) {
      const token = PUBLIC.test(bare) ? null : (this.#apiKey ?? (await this.session.token()));
      const minRevision = isRead ? Math.max(this.#seen, asked.minRevision ?? 0) : 0;
      try {
        const answer = await exchange(host, {
          url: urlOf(this.url, path),
          method,
          headers: headersOf(asked, { token, key, minRevision }),
          body: bodyOf(asked),
          signal: asked.signal,
          timeout: asked.timeout ?? TIMEOUT,
        });
        if (!isRead && answer.revision !== null) this.saw(answer.revision);
        return answer;
      } catch (error) {
        const code = error instanceof ProblemError ? error.code : null;
        if (
          error instanceof ProblemError &&
          error.status === 401 &&
          token !== null &&
          !renewed &&
          this.#apiKey === null
        ) {
          renewed = true;
          if ((await this.session.renewed(token)) === null) throw error;
          continue;
        }
        // A database that was set back counts anew.
        if (code === 'revision_ahead' && this.#seen > (asked.minRevision ?? 0)) {
          this.forget();
          continue;
        }
        const pause =
          repeats < (asked.repeats ?? Number.POSITIVE_INFINITY)
            ? pauseBefore(error, repeats, harmless, host.random())
            : null;
        if (pause === null) throw error;
        repeats += 1;
        await passed(host, pause, asked.signal);
      }
    }
  }
}

export const createClient = (options: ClientOptions): ApiClient => new ApiClient(options);

const BARE = { body: undefined, signal: undefined, timeout: TIMEOUT };

function headersOf(
  { body, contentType = 'application/json', ifMatch }: Loose,
  { token, key, minRevision }: { token: string | null; key: string | undefined; minRevision: number },
): Record<string, string> {
  return {
    ...(token !== null && { Authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'Content-Type': contentType }),
    ...(key !== undefined && { 'Idempotency-Key': key }),
    ...(minRevision > 0 && { 'Min-Revision': String(minRevision) }),
    ...(ifMatch !== undefined && { 'If-Match': `"${ifMatch}"` }),
  };
}

const bodyOf = ({ body, contentType }: Loose): string | undefined =>
  body === undefined ? undefined : contentType === undefined ? JSON.stringify(body) : String(body);

/** @throws the reason of the signal, when it is aborted meanwhile */
function passed(host: Host, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const stop = (): void => {
      cancel();
      fail(signal?.reason as unknown);
    };
    const cancel = host.after(ms, () => {
      signal?.removeEventListener('abort', stop);
      done();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}
