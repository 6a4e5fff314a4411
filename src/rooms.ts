import { HonoBase as Hono } from 'hono/hono-base';
import { identify } from './account/sign-in/routes.ts';
import { BASE } from './app.ts';
import { AppError } from './core/errors.ts';
import type { Env } from './env.ts';
import type { AppContext, AppEnv } from './http/context.ts';
import { observe } from './http/observe.ts';
import { PathRouter } from './http/path-router.ts';
import { problem } from './http/problem.ts';
import { openSocket, SOCKET_PATH } from './insight/realtime/routes.ts';
import { depsOf } from './objects.ts';

// Rooms as a Worker of their own (wrangler.rooms.toml), where sockets are opened and stay while the API is deployed. Who deploys
// one Worker for all does not need it.

export { CompanyRoom, Dispatcher, Monitor, RedisWatch } from './objects.ts';

const app = new Hono<AppEnv>({ router: new PathRouter() });
app.get(`${BASE}${SOCKET_PATH}`, openSocket(identify));
app.notFound((c) => problem(c, new AppError('not_found', 'There is nothing at this path.')));
app.onError((error, c) => problem(c as AppContext, error));

export default { fetch: observe(depsOf, app.fetch) } satisfies ExportedHandler<Env>;
