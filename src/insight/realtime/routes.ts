import * as z from 'zod';
import { AppError } from '../../core/errors.ts';
import { formatId, parseId } from '../../core/id.ts';
import { lazy } from '../../core/lazy.ts';
import { type Listener, openTicket, sealTicket, TICKET_SECONDS, type Ticket } from '../../core/ticket.ts';
import { CLOSE, LOOKED_AFTER_WITHIN, PROTOCOL, type Upgrade, upgradeHeader } from '../../core/upgrade.ts';
import { admit } from '../../data/admit.ts';
import { flight } from '../../data/flight.ts';
import { closedSocket } from '../../data/rooms.ts';
import { admissionOf } from '../../http/admission.ts';
import { type Authenticator, authenticated } from '../../http/authenticate.ts';
import { type AppContext, principalOf } from '../../http/context.ts';
import { type RouteModule, routesBelow } from '../../http/route.ts';
import { sendJson } from '../../http/send.ts';
import { bodyValidator } from '../../http/validated.ts';
import { headOf, refuse } from '../../resources/admitted.ts';
import { readBody } from '../../resources/read-body.ts';

/** Below the base of the API; where sockets are opened. */
export const SOCKET_PATH = '/realtime';
const TICKET = 'ticket.';

const TicketRequest = lazy(() =>
  z
    .strictObject({ session: z.string().max(100, 'Must have at most 100 characters.').optional() })
    .meta({ id: 'TicketRequest', examples: [{ session: 'rts_0b7cbd32-7a53-4f3f-8f0e-1c9a2b3c4d5e' }] }),
);

const RealtimeTicket = lazy(() =>
  z
    .object({
      url: z.string().describe('Where to open the WebSocket.'),
      ticket: z.string().describe('Good for one connection: the second subprotocol, after `ticket.`.'),
      expiresIn: z.int().describe('Seconds.'),
    })
    .meta({
      id: 'RealtimeTicket',
      examples: [{ url: 'wss://api.example.com/api/v1/realtime', ticket: 'PqW…', expiresIn: TICKET_SECONDS }],
    }),
);

const validateBody = bodyValidator(TicketRequest);

const LISTENING = { permission: 'realtime', weight: 1 };

/**
 * 401, 429 and 403. A signed token of whose end Redis has no mark is enough, because the room asks for all who listen by itself,
 * together and soon (`LOOKED_AFTER_WITHIN`): a crowd that comes back at once is then no question to Postgres. @throws AppError
 */
async function admitListener(c: AppContext): Promise<void> {
  const { ctx } = c.env;
  const admission = admissionOf(c, LISTENING, 'read');
  await admit(c.env, admission);
  const { companyId, credentialId, role, credential } = principalOf(c);
  if (credential.known(ctx.now() + LOOKED_AFTER_WITHIN) || admission.excused()) return;
  // Another's question may have answered this one's, even if it took long.
  const ask = async (): Promise<unknown> => credential.known(ctx.now()) || headOf(c, admission);
  await flight(ctx, `listener:${companyId}:${credentialId}:${role}`, ask);
}

function listenerOf(c: AppContext): Listener {
  const { companyId, actor, credentialId, grant, expiresAt } = principalOf(c);
  const company = formatId('comp', companyId);
  return { company, actor, credential: credentialId, grant: grant(), expiresAt: expiresAt() };
}

/** Of an absolute URL, as each request's is. */
const originOf = (url: string): string => url.slice(0, url.indexOf('/', url.indexOf('//') + 2));

async function makeTicket(base: string, c: AppContext): Promise<Response> {
  const { ctx, deps } = c.env;
  await deps.door.enter(ctx, principalOf(c), 'ticket');
  const raw = await readBody(c).catch((error: unknown) => refuse(c, LISTENING.weight, error));
  await admitListener(c);
  const { session = null } = raw === undefined ? {} : await validateBody(c, raw);
  const body = {
    url: `${(deps.settings.roomsUrl ?? originOf(c.req.url)).replace('http', 'ws')}${base}${SOCKET_PATH}`,
    ticket: sealTicket(deps.settings.cursorSecret, { listener: listenerOf(c), session }, ctx.now()),
    expiresIn: TICKET_SECONDS,
  };
  return sendJson(c, 201, body, { headers: { 'Cache-Control': 'no-store' } });
}

/**
 * Opens a socket: with a ticket as the second subprotocol or in the query, or with a bearer. What a browser cannot be told
 * by a status it is told by a close code.
 */
export function openSocket(identify: Authenticator): (c: AppContext) => Promise<Response> | Response {
  const withBearer = authenticated(identify, false, async (c) => {
    await c.env.deps.door.enter(c.env.ctx, principalOf(c), 'socket');
    await admitListener(c);
    return connect(c, { listener: listenerOf(c), session: c.req.query('session') ?? null, ticket: null });
  });
  return (c) => {
    if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket')
      throw new AppError('upgrade_required', 'This is where WebSockets are opened.');
    const offered = (c.req.header('Sec-WebSocket-Protocol') ?? '').split(',').map((one) => one.trim());
    const text = offered.find((one) => one.startsWith(TICKET))?.slice(TICKET.length) ?? c.req.query('ticket');
    if (offered[0] !== '' && !offered.includes(PROTOCOL))
      return closedSocket(CLOSE.unsupportedProtocol, 'unknown protocol', offered[0] ?? null);
    if (text === undefined && c.req.header('Authorization') !== undefined) return withBearer(c);
    const ticket = openTicket(c.env.deps.settings.cursorSecret, text ?? '', c.env.ctx.now());
    const chosen = offered.includes(PROTOCOL) ? PROTOCOL : null;
    if (ticket === null) return closedSocket(CLOSE.unauthorized, 'unauthorized', chosen);
    return withTicket(c, ticket, chosen);
  };
}

/** A ticket must be good until it has waited for its turn. */
const LEFT = 1000;

async function withTicket(
  c: AppContext,
  { listener, session, id, until }: Ticket,
  chosen: string | null,
): Promise<Response> {
  try {
    const { ctx, deps } = c.env;
    const comer = { companyId: companyOf(listener), actor: listener.actor };
    await deps.door.enter(ctx, comer, 'socket', until - ctx.now() - LEFT);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    c.env.ctx.note('code', error.code);
    return closedSocket(CLOSE.rateLimited, 'rate limited', chosen);
  }
  return connect(c, { listener, session, ticket: { id, until } });
}

const companyOf = ({ company }: Listener): string => parseId('comp', company) ?? '';

function connect(c: AppContext, { listener, session, ticket }: Omit<Upgrade, 'companyId'>): Promise<Response> {
  const protocol = c.req.header('Sec-WebSocket-Protocol');
  const companyId = companyOf(listener);
  const headers = {
    Upgrade: 'websocket',
    ...upgradeHeader({ companyId, listener, session, ticket }),
    ...(protocol !== undefined && protocol !== '' && { 'Sec-WebSocket-Protocol': protocol }),
  };
  return c.env.deps.rooms(companyId).fetch('https://room/', { headers });
}

export const realtimeRoutes = (base: string): RouteModule =>
  routesBelow(['realtime'], () => [
    {
      method: 'post',
      path: '/realtime/tickets',
      tag: 'Realtime',
      summary: 'Get a ticket for a WebSocket',
      description:
        'Then `new WebSocket(url, ["clientsplus.v1", "ticket." + ticket])`. A ticket opens one connection. `session` is that of an earlier `welcome` of the same user or key: its socket is closed first. A company is given 20 at once and 50 a second, and a user or key that takes more than 5 a second waits behind itself; beyond that an answer takes its time, and is 429 where that would be more than six seconds. So it is with sockets, of which those with a ticket are closed then (4029).',
      permission: 'realtime',
      body: TicketRequest,
      optionalBody: true,
      ignoresKey: true,
      success: { status: 201, schema: RealtimeTicket, description: 'The ticket', located: false },
      errors: [],
      handler: (c) => makeTicket(base, c),
    },
  ]);
