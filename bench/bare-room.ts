import { DurableObject } from 'cloudflare:workers';

type Env = {
  ROOMS: DurableObjectNamespace<BareRoom>;
  /** A change as rooms of Clients+ send it, as JSON. */
  EVENT: string;
  SQL_URL: string;
  DATABASE_URL: string;
};

/** The least a room can do: hibernating sockets, and the same bytes to each of them. It keeps nothing and knows nobody. */
export class BareRoom extends DurableObject<Env> {
  override fetch({ headers }: Request): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment(headers.get('Revision'));
    server.send('{"type":"welcome","companyId":"bare"}');
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, frame: string): void {
    if (!frame.includes('"subscribe"')) return;
    socket.send(`{"type":"subscribed","revision":${socket.deserializeAttachment()}}`);
  }

  tell(text: string): void {
    for (const socket of this.ctx.getWebSockets()) if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }
}

/** A socket, or a write: one transaction, then the room, then the answer. */
export default {
  async fetch(request, env, ctx) {
    const name = new URL(request.url).pathname;
    const room = env.ROOMS.get(env.ROOMS.idFromName(name));
    if (request.headers.get('Upgrade') !== null) {
      const headers = { Upgrade: 'websocket', Revision: String(await commit(env, name, '', 0)) };
      return room.fetch(request.url, { headers });
    }
    const { notes, count } = (await request.json()) as { notes: string; count: number };
    const revision = await commit(env, name, notes, count);
    const now = Date.now();
    const event = { ...(JSON.parse(env.EVENT) as object), at: new Date(now).toISOString() };
    const prev = revision - count;
    const messages = Array.from({ length: count }, (_, n) => JSON.stringify({ ...event, revision: prev + 1 + n }));
    const head = `{"type":"batch_update","prev":${prev},"revision":${revision}`;
    ctx.waitUntil(room.tell(`${head},"messages":[${messages.join()}],"timestamp":${now}}`));
    return new Response('{}', { headers: { Revision: String(revision) } });
  },
} satisfies ExportedHandler<Env>;

const SQL = `insert into bare_rooms (room, revision, notes) values ($1, $3::int, $2)
  on conflict (room) do update set revision = bare_rooms.revision + $3::int, notes = $2 returning revision`;

/** @returns the number of the last change; of none, what it is */
async function commit({ SQL_URL, DATABASE_URL }: Env, room: string, notes: string, count: number): Promise<number> {
  const reply = await fetch(SQL_URL, {
    method: 'POST',
    headers: { 'Neon-Connection-String': DATABASE_URL, 'Neon-Array-Mode': 'true', 'Neon-Raw-Text-Output': 'true' },
    body: JSON.stringify({ queries: [{ query: SQL, params: [room, notes, String(count)] }] }),
  });
  if (!reply.ok) throw new Error(`the database answered ${reply.status}: ${await reply.text()}`);
  const { results } = (await reply.json()) as { results: { rows: string[][] }[] };
  return Number(results[0]?.rows[0]?.[0]);
}
