import { Worker } from 'node:worker_threads';
import type { Begin } from './abuses.ts';
import type { Api } from './api.ts';
import { openCompany, type Place } from './company.ts';
import { flood } from './flood.ts';

/** Keys of the company that attacks: each counts as a user of its own. */
const KEYS = 22;
/** Ten more than a room takes. */
const SOCKETS = 110;
/** Of the rows that the company's lists show. */
const CLIENTS = 300;

type Sockets = { url: string; companyId: string; keys: string[]; sockets: number };
/** What each socket says once it is there, and how often, ms; `reads`: whether anything takes what it is sent. */
type Manner = { says: string[]; each: number; reads: boolean };

const SOCKETS_OF = `
const { workerData: { url, companyId, keys, sockets, says, each, reads, tickets } } = require('node:worker_threads');
const { WebSocket } = require('ws');
const again = (open, of) => setTimeout(() => open(of), 10);
const open = (of) => {
  const headers = { Authorization: 'Bearer ' + keys[of % keys.length] };
  const socket = new WebSocket(url.replace('http', 'ws') + '/api/v1/realtime', { headers, perMessageDeflate: false });
  let timer;
  let next = of;
  socket.on('error', () => undefined);
  socket.on('close', () => { clearInterval(timer); again(open, of); });
  socket.on('message', () => undefined);
  socket.once('message', (welcome) => {
    const { epoch } = JSON.parse(String(welcome));
    socket.send(JSON.stringify({ type: 'subscribe', id: 1, companyId }));
    if (!reads) socket._socket.pause();
    const said = () => says[next++ % says.length].replace('"id":2', '"id":' + next).replace('"epoch":"here"', '"epoch":"' + epoch + '"');
    timer = setInterval(() => socket.send(said()), each);
  });
};
const take = async (of) => {
  try {
    const headers = { Authorization: 'Bearer ' + keys[of % keys.length], 'Content-Length': '0' };
    const answer = await fetch(url + '/api/v1/realtime/tickets', { method: 'POST', headers });
    const { url: at, ticket } = await answer.json();
    if (ticket === undefined) return again(take, of);
    const socket = new WebSocket(at, ['clientsplus.v1', 'ticket.' + ticket], { perMessageDeflate: false });
    socket.on('error', () => undefined);
    // Gone without a word, before or after it is let in.
    if (of % 2 === 0) socket.on('open', () => socket.terminate());
    else setTimeout(() => socket.terminate(), 5);
    socket.on('close', () => take(of));
  } catch {
    again(take, of);
  }
};
for (let of = 0; of < sockets; of += 1) (tickets ? take : open)(of);
`;

/** From a thread of its own. @returns how to end it */
function sit(of: Sockets, { says, each, reads }: Manner): () => Promise<unknown> {
  const thread = new Worker(SOCKETS_OF, { eval: true, workerData: { ...of, says, each, reads } });
  return () => thread.terminate();
}

/** To listen as much, as loudly and as carelessly as one may, and beyond that; by a company of its own. */
export async function waysToListen(of: Place): Promise<Record<string, Begin>> {
  const { api, companyId } = await openCompany(of);
  const { url } = of.api;
  const keys = await keysOf(api);
  for (let n = 0; n < CLIENTS; n += 100)
    await api.post('/clients/bulk', {
      mode: 'atomic',
      items: Array.from({ length: 100 }, (_, i) => ({ firstName: `Listed ${n + i}` })),
    });
  const crowd: Sockets = { url, companyId, keys, sockets: SOCKETS };
  const signal = JSON.stringify({ type: 'signal', topic: 'clients', data: 'x'.repeat(8000) });
  const presence = JSON.stringify({ type: 'presence', state: 'x'.repeat(1000) });
  /** Twenty lists each that nobody else follows, from the beginning of the log. */
  const subscriptions = Array.from({ length: 500 }, (_, n) => {
    const queries = Array.from({ length: 20 }, (_, id) => ({
      id,
      path: `/clients?limit=${1 + ((n * 20 + id) % 100)}&search=${n}`,
    }));
    const resume = { epoch: '00000000-0000-7000-8000-000000000000', revision: 0 };
    return JSON.stringify({ type: 'subscribe', id: 2, companyId, queries, ...(n % 2 === 0 && { resume }) });
  });
  const again = JSON.stringify({ type: 'subscribe', id: 2, companyId, resume: { epoch: 'here', revision: 0 } });
  const blind = JSON.stringify({ type: 'ack', revision: Number.MAX_SAFE_INTEGER });
  const way =
    (says: string[], each: number, reads = true): Begin =>
    () =>
      sit(crowd, { says, each, reads });
  const [headers] = keys.map((key) => ({ Authorization: `Bearer ${key}` }));
  return {
    // A user's share of 50 a minute is that of five sockets.
    'subscriptions as many as allowed, 110 sockets': way(subscriptions, 6000),
    'subscriptions beyond that, 110 sockets': way(subscriptions, 50),
    // A user's share of five a second as well.
    'signals as many as allowed, 110 sockets': way([signal], 1000),
    'signals as many as allowed, which nobody reads, 110 sockets': way([signal], 1000, false),
    'signals beyond that, 110 sockets': way([signal], 50),
    'presences as many as allowed, 110 sockets': way([presence], 6000),
    'presences beyond that, 110 sockets': way([presence], 50),
    // All they are allowed in a minute, within the five seconds that are watched.
    'told again and again and confirming it, which nobody reads, 110 sockets': way([again, blind], 250, false),
    'tickets used and left, 110 loops': () => {
      const workerData = { ...crowd, says: [], each: 0, reads: true, tickets: true };
      const thread = new Worker(SOCKETS_OF, { eval: true, workerData });
      return () => thread.terminate();
    },
    'tickets for nothing, 24 loops': () =>
      flood({ url, loops: 24, method: 'POST', path: '/realtime/tickets', ...(headers && { headers }) }),
  };
}

async function keysOf(api: Api): Promise<string[]> {
  const made = Array.from({ length: KEYS }, (_, n) =>
    api.post('/api-keys', { name: `listens ${n}`, scopes: ['clients:read'] }),
  );
  return (await Promise.all(made)).map(({ json }) => String(json.secret));
}
