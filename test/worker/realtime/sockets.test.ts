import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Listener, openTicket, sealTicket, TICKET_SECONDS } from '../../../src/core/ticket.ts';
import { addMember } from '../../support/accounts.ts';
import type { Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { listen, type Ticket, ticketOf, WireListener } from '../../support/listener.ts';
import { uuidOf } from '../../support/people.ts';
import { until } from '../../support/until.ts';
import { openWorld, type World } from '../../support/world.ts';

// A room over real WebSockets: how they open, what they are told, how they end. Its core under faults: test/unit/realtime.

let world: World;
let salon: Tenant;
let other: Tenant;
beforeAll(async () => {
  world = await openWorld({ ROOM_MAX_CONNECTIONS: '20' });
  salon = await openCompany(world);
  other = await openCompany(world);
});
afterAll(() => world.close());

const open = ({ url, ticket }: Pick<Ticket, 'url' | 'ticket'>) =>
  new WireListener(new WebSocket(url, ['clientsplus.v1', `ticket.${ticket}`]));
const client = (name: string) => salon.api.post('/clients', { firstName: name });

describe('opening', () => {
  test('with a ticket, once, as the second subprotocol or in the query', async () => {
    const ticket = await ticketOf(salon.api);
    expect(ticket).toEqual({
      url: expect.stringMatching(/^ws:\/\/.*\/api\/v1\/realtime$/),
      ticket: expect.any(String),
      expiresIn: 30,
    });
    const first = open(ticket);
    const { epoch, head } = (await salon.api.get('/events')).json;
    expect(await first.next('welcome')).toMatchObject({
      ...{ protocol: 'clientsplus.v1', companyId: salon.companyId, epoch },
      revision: head,
    });
    expect(first.socket.protocol).toBe('clientsplus.v1');
    expect(await open(ticket).closed()).toBe(4501);
    const { url, ticket: second } = await ticketOf(salon.api);
    const queried = new WireListener(new WebSocket(`${url}?ticket=${second}`));
    await queried.next('welcome');
    await Promise.all([first.close(), queried.close()]);
  });

  test('with a bearer, by whoever can send headers', async () => {
    const url = `${world.worker.url.replace('http', 'ws')}/api/v1/realtime`;
    const own = new WireListener(new WebSocket(url, { headers: { Authorization: `Bearer ${salon.api.token}` } }));
    expect(await own.next('welcome')).toMatchObject({ companyId: salon.companyId });
    await own.close();
    const refused = new WebSocket(url, { headers: { Authorization: 'Bearer nonsense' } });
    await expect(new Promise((_, reject) => refused.on('error', reject))).rejects.toThrow('401');
  });

  test('with nothing, nonsense, an altered ticket or another protocol ends with its code; without an upgrade it is 400', async () => {
    const { url, ticket } = await ticketOf(salon.api);
    const codes = await Promise.all(
      [
        ['clientsplus.v1'],
        [],
        ['clientsplus.v1', 'ticket.nonsense'],
        ['clientsplus.v1', `ticket.${ticket}x`],
        ['clientsplus.v2', `ticket.${ticket}`],
      ].map((protocols) => new WireListener(new WebSocket(url, protocols)).closed()),
    );
    expect(codes).toEqual([4501, 4501, 4501, 4501, 4505]);
    const answer = await fetch(url.replace('ws', 'http'));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'upgrade_required']);
  });

  test('a ticket of half a minute ago, or sealed by anybody else, is none', async () => {
    const { url, ticket } = await ticketOf(salon.api);
    const secret = String(world.vars.CURSOR_SECRET);
    const read = openTicket(secret, ticket, Date.now());
    const sealed = { listener: read?.listener as Listener, session: null };
    const codeOf = (one: string) => open({ url, ticket: one }).closed();
    expect(await codeOf(sealTicket(secret, sealed, Date.now() - TICKET_SECONDS * 1000))).toBe(4501);
    expect(await codeOf(sealTicket(`${secret}x`, sealed, Date.now()))).toBe(4501);
    const opens = open({ url, ticket: sealTicket(secret, sealed, Date.now()) });
    await opens.next('welcome');
    // A refresh takes one that is good, of the same user, and not twice.
    const { ticket: foreign } = await ticketOf(other.api);
    const { ticket: own } = await ticketOf(salon.api);
    for (const [id, one] of [foreign, own, own].entries()) opens.say({ type: 'refresh', id, ticket: one });
    await opens.next('error', 1);
    const message = 'The ticket is not, or no more, good for this.';
    const refused = { type: 'error', code: 'invalid_ticket', message, temporary: false };
    expect(opens.frames.slice(1)).toEqual([
      { ...refused, id: 0 },
      { type: 'refreshed', id: 1, expiresAt: expect.stringMatching(/^20.*Z$/) },
      { ...refused, id: 2 },
    ]);
    await opens.close();
  });

  test('a ticket with the session of an earlier connection ends that one', async () => {
    const ghost = await listen(salon.api);
    const { session } = await ghost.next('welcome');
    const back = await listen(salon.api, { session });
    expect(await ghost.closed()).toBe(4500);
    await back.close();
  });

  test('the 21st of 20 is closed as the room is full', async () => {
    const listeners = await Promise.all(Array.from({ length: 20 }, () => listen(other.api)));
    expect(await open(await ticketOf(other.api)).closed()).toBe(4013);
    await Promise.all(listeners.map((listener) => listener.close()));
  });
});

describe('being told', () => {
  test('every change once, in order, as GET answers it at that revision', async () => {
    const listener = await listen(salon.api);
    const { revision, recovered, replay, topics } = await listener.subscribe();
    expect({ recovered, replay }).toEqual({ recovered: false, replay: 0 });
    expect(topics).toEqual(expect.arrayContaining(['clients', 'branches', 'company', 'users']));
    const made = await Promise.all(Array.from({ length: 12 }, (_, n) => client(`Told ${n}`)));
    const last = Math.max(...made.map((reply) => reply.revision));
    const seen = async () => {
      await listener.next('batch_update', listener.of('batch_update').length - 1);
      return listener.messages();
    };
    for (let messages = await seen(); (messages.at(-1)?.revision ?? 0) < last; messages = await seen())
      await listener.next('batch_update', listener.of('batch_update').length);
    const { data: events } = (await salon.api.get(`/events?after=${revision}`)).json as { data: unknown[] };
    expect(listener.messages()).toEqual(events);
    let prev = revision;
    for (const frame of listener.of('batch_update')) {
      expect(frame.prev).toBe(prev);
      prev = frame.revision;
    }
    await listener.close();
  });

  test('what was missed meanwhile, from the position it had', async () => {
    const listener = await listen(salon.api);
    const { revision, epoch } = await listener.subscribe({ topics: ['clients'] });
    await listener.close();
    const { revision: missed } = await client('Missed');
    const back = await listen(salon.api);
    const subscribed = await back.subscribe({ topics: ['clients'], resume: { epoch, revision } });
    expect(subscribed).toMatchObject({ recovered: true, revision });
    await back.next('batch_update');
    expect(back.messages().map((message) => message.revision)).toEqual([missed]);
    await back.close();
  });

  test('a write made in SQL, once the sweep has found it', async () => {
    const listener = await listen(salon.api);
    await listener.subscribe();
    await client('Shown');
    await listener.next('batch_update');
    await world.sql(`update clients set notes = 'from a console' where first_name = 'Shown'`, [], 'cp_owner');
    await world.worker.sweep();
    const before = listener.of('batch_update').length;
    await listener.next('batch_update', Math.max(1, before - 1));
    expect(listener.messages().at(-1)).toMatchObject({ type: 'client.updated', data: { notes: 'from a console' } });
    await listener.close();
  });

  test('nothing of another company, and nothing beyond the role', async () => {
    const foreign = await listen(other.api);
    await foreign.subscribe();
    const key = (await salon.api.post('/api-keys', { name: 'reads', scopes: ['catalog:read'] })).json;
    const narrow = await listen(salon.api.as(String(key.secret)));
    expect((await narrow.subscribe()).topics).toEqual(expect.not.arrayContaining(['clients', 'users']));
    const { revision } = await client('Hidden');
    await narrow.next('batch_update');
    expect(narrow.of('batch_update').at(-1)).toMatchObject({ revision, messages: [] });
    foreign.say({ type: 'subscribe', id: 9, companyId: salon.companyId });
    expect(await foreign.next('error')).toMatchObject({ id: 9, code: 'unknown_company' });
    expect(foreign.messages()).toEqual([]);
    await Promise.all([foreign.close(), narrow.close()]);
  });
});

test('while Postgres is away the ring serves who comes back; who needs more is to try again, and is not told to load anew', async () => {
  const listener = await listen(salon.api);
  const { revision, epoch } = await listener.subscribe();
  const { revision: missed } = await client('In the ring');
  await listener.next('batch_update');
  const [back, far] = [await listen(salon.api), await listen(salon.api)];
  world.neon.setFault('refuse');
  expect(await back.subscribe({ resume: { epoch, revision } })).toMatchObject({ recovered: true, replay: 1 });
  await back.next('batch_update');
  expect(back.messages().map((message) => message.revision)).toEqual([missed]);
  far.say({ type: 'subscribe', id: 1, companyId: salon.companyId, resume: { epoch, revision: 0 } });
  expect(await far.next('error')).toEqual({
    ...{ type: 'error', id: 1, code: 'unavailable', message: 'The log cannot be read at the moment.' },
    ...{ temporary: true, retryAfterMs: 2000 },
  });
  world.neon.setFault(null);
  const resume = { epoch, revision: 0 };
  const { replay } = await until('the log can be read again', () => far.subscribe({ resume }).catch(() => null));
  await until('all of it is told', () => far.of('batch_update').at(-1)?.revision === replay);
  expect(far.of('reset')).toEqual([]);
  await Promise.all([listener, back, far].map((one) => one.close()));
});

describe('ending', () => {
  test('with the session, at once', async () => {
    const login = await salon.api.post('/auth/login', { email: salon.email, password: salon.password });
    const session = salon.api.as(String(login.json.accessToken));
    const [listens, ticket] = [await listen(session), await ticketOf(session)];
    await session.post('/auth/logout');
    expect(await listens.closed()).toBe(4503);
    // Nor does a ticket from before open anything.
    const late = open(ticket);
    expect([await late.closed(), late.frames]).toEqual([4503, []]);
  });

  test('with the session, because the room is told: its own look would find nothing', async () => {
    const login = await other.api.post('/auth/login', { email: other.email, password: other.password });
    const session = other.api.as(String(login.json.accessToken));
    const [ends, stays] = [await listen(session), await listen(other.api)];
    await session.post('/auth/logout');
    await world.sql(
      'update sessions set revoked_at = null where company_id = $1',
      [uuidOf('comp', other.companyId)],
      'cp_owner',
    );
    expect(await ends.closed()).toBe(4503);
    expect(stays.code).toBeNull();
    await stays.close();
  });

  test('with the key, at once; tickets from before it, or from before a user had another role, open what is theirs now', async () => {
    const key = (await salon.api.post('/api-keys', { name: 'ends', scopes: ['clients:read'] })).json;
    const [ofKey, member] = [salon.api.as(String(key.secret)), await addMember(world, salon, 'ADMIN')];
    const [byKey, listens] = [await listen(ofKey), await listen(member.api)];
    await Promise.all([byKey.subscribe(), listens.subscribe()]);
    const [first, second] = [await ticketOf(ofKey), await ticketOf(ofKey)];
    const [third, renewal] = [await ticketOf(member.api), await ticketOf(member.api)];
    await salon.api.delete(`/api-keys/${key.id}`);
    expect(await byKey.closed()).toBe(4503);
    const { revision } = await salon.api.patch(`/users/${member.id}`, { role: 'STAFF' });
    await until('the room has heard', () => Number(listens.of('batch_update').at(-1)?.revision) >= revision);
    // While it cannot be found out they are to come again.
    world.neon.setFault('refuse');
    const unknown = open(first);
    expect([await unknown.closed(), unknown.frames]).toEqual([4009, []]);
    world.neon.setFault(null);
    const late = open(second);
    expect([await late.closed(), late.frames]).toEqual([4503, []]);
    const lowered = open(third);
    const { topics } = await lowered.subscribe();
    expect([topics, topics]).toEqual([expect.arrayContaining(['clients']), expect.not.arrayContaining(['payments'])]);
    lowered.say({ type: 'refresh', id: 9, ticket: renewal.ticket });
    await lowered.next('refreshed');
    expect((await lowered.subscribe()).topics).toEqual(topics);
    await Promise.all([listens.close(), lowered.close()]);
  });

  test('pings are answered byte by byte', async () => {
    const listener = await listen(salon.api);
    const raw: string[] = [];
    listener.socket.on('message', (data) => void raw.push(String(data)));
    listener.say('{"type":"ping"}');
    await listener.next('pong');
    expect(raw).toEqual(['{"type":"pong"}']);
    await listener.close();
  });
});
