import type { Handler } from 'hono';
import type { RouterRoute } from 'hono/types';
import type { ErrorCode } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { DetailDeclaration, FilterKind, ListDeclaration } from '../core/list-query.ts';
import type { LiveRoute } from '../data/live-list.ts';
import { type Authenticator, authenticated } from './authenticate.ts';
import type { AppContext, AppEnv } from './context.ts';
import type { PathRouter } from './path-router.ts';
import type { Schema } from './schemas.ts';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** A query parameter as the OpenAPI document shows it; without a kind it is text. */
export type QueryParameter = {
  kind?: FilterKind | 'integer';
  values?: readonly string[];
  minimum?: number;
  maximum?: number;
  /** What it is when absent. */
  fallback?: number | string | boolean;
  description: string;
  required?: boolean;
};

/** One route as its resource declares it: the handler, and what the OpenAPI document says of it. */
export type RouteSpec = {
  method: Method;
  /** Hono's form: `/clients/:id`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  /** Anonymous routes need no bearer. */
  anonymous?: boolean;
  permission?: string;
  /** Permissions that the handler asks for besides. */
  alsoNeeds?: readonly string[];
  list?: ListDeclaration;
  /** How a room follows this list; absent: it cannot be followed. */
  live?: LiveRoute;
  /** What of one object may be asked for. */
  detail?: DetailDeclaration;
  /** What parts of the path are that are no public id. */
  parts?: Readonly<Record<string, string>>;
  /** Query parameters of a special route. */
  query?: Readonly<Record<string, QueryParameter>>;
  body?: Schema;
  /** The body may be absent. */
  optionalBody?: true;
  /** The body is a file of one of these media types. */
  file?: readonly string[];
  /** Such a file, by its media type. */
  fileExamples?: Readonly<Record<string, string>>;
  /** An Idempotency-Key changes nothing: the answer is a secret that is not kept, or a repeat is as good by itself. */
  ignoresKey?: true;
  /** False: no answer waits for Postgres. */
  awaitsDatabase?: false;
  /** Status and schema of success; null for answers without a body. */
  success: {
    status: number;
    schema: Schema | null;
    description: string;
    cached?: boolean;
    /** False: what was made has no place of its own, and the answer no Location. */
    located?: false;
    /** Answers 304 by itself to whoever holds it, without being cached. */
    revalidated?: boolean;
    /** Media types of an answer that is no JSON. */
    types?: readonly string[];
    /** What one line of such an answer shows. */
    line?: Schema;
  };
  /** Answers of other statuses that are no problems, by status. */
  others?: Readonly<Record<number, { schema: Schema; description: string }>>;
  /** Error codes besides those of every route of its kind (`errorsOf`). */
  errors: readonly ErrorCode[];
  handler: (c: AppContext) => Promise<Response> | Response;
};

/** What a resource contributes to the API; `app.ts` has one line for each. */
export type RouteModule = {
  /** What its paths begin with. */
  readonly below: readonly string[];
  readonly routes: () => readonly RouteSpec[];
};

/** Routes that are made when a path below one of these names is first asked for: a start makes none. */
export const routesBelow = (below: readonly string[], routes: () => readonly RouteSpec[]): RouteModule => ({
  below,
  routes: lazy(routes),
});

/** Where a request finds its handler. */
export type Routes = PathRouter<[Handler<AppEnv>, RouterRoute]>;

/** Mounts the routes; what may fail at authentication fails after 404 and 405 and before all else. */
export function mount(router: Routes, base: string, identify: Authenticator, modules: readonly RouteModule[]): void {
  const literal = new Set<string>();
  for (const { below, routes } of modules)
    router.below(base, below, () => {
      const specs = routes();
      const stray = specs.find(({ path }) => !below.includes(path.split('/')[1] ?? ''));
      if (stray !== undefined) throw new Error(`${stray.path} is below none of ${below}`);
      for (const { path } of specs) if (!path.includes(':')) literal.add(`${base}${path}`);
      for (const spec of specs) mountOne(spec);
    });

  function mountOne(spec: RouteSpec): void {
    // Cached answers come from `read`; a handler that wrongly says so is refused by `principalOf`.
    const asksItself = spec.success.cached === true;
    const handler = spec.anonymous === true ? spec.handler : authenticated(identify, asksItself, spec.handler);
    put(router, spec.method.toUpperCase(), `${base}${spec.path}`, (c) => {
      // `/clients/bulk` is no client: with a verb it does not have, it is 405 and not an unknown id.
      if (spec.path.includes(':') && literal.has(c.req.path)) return c.notFound();
      c.env.state.route = spec.path;
      return handler(c);
    });
  }
}

/** What `app.on` comes to for one method and one path. */
export function put(router: Routes, method: string, path: string, handler: Handler<AppEnv>): void {
  router.add(method, path, [handler, { basePath: '/', path, method, handler }]);
}

/** `/clients/:id` as OpenAPI writes it. */
export const templated = (path: string): string => path.replace(/:([A-Za-z]+)/g, '{$1}');
