import { setTimeout as pause } from 'node:timers/promises';
import { formatId, newUuid } from '../../src/core/id.ts';
import { Broken, type Reply } from './caller.ts';
import type { Company } from './company.ts';
import type { Instance } from './instance.ts';
import { digest, type Ledger, seenIn } from './ledger.ts';
import type { Pace } from './pace.ts';
import { LAST_NAME } from './queries.ts';
import type { Random } from './random.ts';

/** Starts the notes of every write that is bound to change something; the killer aims at these. */
export const MARK = 'w:';

type Order = {
  method: 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  expect: number;
  code?: string;
  changed: boolean | null;
};

const GOOD = { create: 25, patch: 47, nothing: 10, archive: 10, restore: 8 } as const;
const BAD = { duplicate: 35, stale: 35, missing: 10, reused: 10, invalid: 10 } as const;

/** One caller who writes, one write after the other, a quarter of them bound to fail. */
export async function writer(a: Instance, company: Company, ledger: Ledger, pace: Pace, random: Random): Promise<void> {
  while (!pace.over) {
    await pace.writer(random);
    const took = await send(a, company, ledger, random.next() < 0.25 ? bad(company, random) : good(company, random));
    if (took !== null) pace.writes.note(took);
  }
}

/** The clients every storm begins with. */
export async function seed(
  a: Instance,
  company: Company,
  ledger: Ledger,
  count: number,
  random: Random,
): Promise<void> {
  for (let i = 0; i < count; i += 1) await send(a, company, ledger, create(company, random));
}

function create(_company: Company, random: Random): Order {
  const key = `${MARK}${newUuid()}`;
  const tags = random.next() < 0.2 ? ['vip'] : [];
  const body = { firstName: `F${random.below(1000)}`, lastName: LAST_NAME, externalId: key, notes: key, tags };
  return { method: 'POST', path: '/clients', body, headers: { 'Idempotency-Key': key }, expect: 201, changed: true };
}

function good(company: Company, random: Random): Order {
  const kind = random.weighted(GOOD);
  if (kind === 'create') return create(company, random);
  const path = `/clients/${someClient(company, random).id}`;
  if (kind === 'archive') return { method: 'DELETE', path, expect: 200, changed: null };
  if (kind === 'restore') return { method: 'POST', path: `${path}/restore`, expect: 200, changed: null };
  if (kind === 'nothing') return { method: 'PATCH', path, body: { lastName: LAST_NAME }, expect: 200, changed: false };
  const body: Record<string, unknown> = { notes: `${MARK}${newUuid()}` };
  if (random.next() < 0.3) body.status = random.pick(['ACTIVE', 'INACTIVE']);
  if (random.next() < 0.1) body.tags = random.next() < 0.5 ? ['vip'] : [];
  return { method: 'PATCH', path, body, expect: 200, changed: true };
}

function bad(company: Company, random: Random): Order {
  const { id, externalId, key } = someClient(company, random);
  const path = `/clients/${id}`;
  const body = { notes: 'never to be seen', lastName: LAST_NAME };
  switch (random.weighted(BAD)) {
    case 'duplicate':
      return { method: 'POST', path: '/clients', body: { ...body, externalId }, expect: 409, changed: false };
    case 'stale': {
      const headers = { 'If-Match': '"1000000"' };
      return { method: 'PATCH', path, body, headers, expect: 412, changed: false };
    }
    case 'missing':
      return { method: 'PATCH', path: `/clients/${formatId('clnt', newUuid())}`, body, expect: 404, changed: false };
    case 'reused':
      return {
        method: 'POST',
        path: '/clients',
        body,
        headers: { 'Idempotency-Key': key },
        expect: 422,
        changed: false,
      };
    default:
      return { method: 'POST', path: '/clients', body: { ...body, status: 'NOPE' }, expect: 422, changed: false };
  }
}

/** Mostly one of the newest, so that they are read and written at once. */
export function someClient(company: Company, random: Random): Company['clients'][number] {
  const { clients } = company;
  return random.pick(random.next() < 0.6 ? clients.slice(-20) : clients);
}

/**
 * Sends until there is an answer or the outcome is the log's to say; with an Idempotency-Key there is always an answer.
 * @returns how long the answer took, ms; null without one
 */
async function send(a: Instance, company: Company, ledger: Ledger, order: Order): Promise<number | null> {
  for (;;) {
    await rested(a, company);
    try {
      const { method, path, body, headers } = order;
      const reply = await a.caller.ask({ method, path, token: company.token, body, headers: headers ?? {} });
      if (settle(a, company, ledger, order, reply)) return reply.endedAt - reply.startedAt;
      await pause(50);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      if (error.hung) ledger.fault('answers', `${order.method} ${order.path} through ${a.name}: ${error.message}`);
      if (error.sent) ledger.count('write.broken');
      if (error.sent && !repeatable(order)) {
        company.unknown += 1;
        return null;
      }
      await pause(20);
    }
  }
}

const repeatable = ({ headers, expect }: Order): boolean =>
  headers?.['Idempotency-Key'] !== undefined && expect === 201;

/** Resolves when the Worker runs and the company's writers are not to rest. */
async function rested(a: Instance, company: Company): Promise<void> {
  await a.up;
  while (company.quietUntil > performance.now()) await pause(50);
}

/** Books an answer. @returns false when the same request should be sent again */
function settle(a: Instance, company: Company, ledger: Ledger, order: Order, reply: Reply): boolean {
  const requestId = String(reply.headers['request-id']);
  const { status } = reply;
  if (status === 503) {
    const { code, outcome } = JSON.parse(reply.text) as { code: string; outcome?: string };
    const open = outcome === 'unknown';
    ledger.count(`write.503.${code}`);
    if (!open) company.refused.add(requestId);
    else if (!repeatable(order)) company.unknown += 1;
    return open && !repeatable(order);
  }
  ledger.count(status < 300 ? 'write.ok' : 'write.refused');
  ledger.count(`write.status.${status}`);
  if (status !== order.expect)
    ledger.fault(
      'answers',
      `${order.method} ${order.path} answered ${status}, not ${order.expect}: ${reply.text.slice(0, 200)}`,
    );
  if (status >= 300) {
    company.refused.add(requestId);
    return true;
  }
  const { revision, endedAt: answeredAt } = reply;
  const ack = { revision, changed: order.changed, answeredAt, announced: wasAnnounced(reply), met: false };
  if (order.changed === true && !ack.announced) ledger.count('write.unannounced');
  if (reply.headers['idempotency-replayed'] === 'true') {
    company.replays.set(revision, ack);
    ledger.count('write.replayed');
  } else company.acks.set(requestId, ack);
  const text = reply.text.replace(/,"duplicates":\[\]\}$/, '}');
  const { id, externalId } = JSON.parse(text) as { id: string; externalId: string };
  company.seen.push(seenIn(reply, `/clients/${id}`, a.name, 'WRITE', null, digest(text)));
  if (status === 201) company.clients.push({ id, externalId, key: externalId });
  if (revision > company.newest) company.newest = revision;
  return true;
}

/** Two tries of 250 ms, and no trip at all while the breaker is open (src/data/redis.ts). */
function wasAnnounced(reply: Reply): boolean {
  const redis = /redis;dur=([0-9]+)/.exec(String(reply.headers['server-timing']));
  return redis !== null && Number(redis[1]) < 240;
}
