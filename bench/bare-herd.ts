import { DurableObject } from 'cloudflare:workers';

type Env = { ROOMS: DurableObjectNamespace<HerdRoom> };

const TICKET = 'ticket.';

/** The least a room can do for whoever comes back: a hibernating socket, a greeting, and an answer to `subscribe`. */
export class HerdRoom extends DurableObject<Env> {
  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.send('{"type":"welcome","companyId":"bare","epoch":"e","revision":1}');
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'Sec-WebSocket-Protocol': 'clientsplus.v1' },
    });
  }

  override webSocketMessage(socket: WebSocket): void {
    socket.send('{"type":"subscribed","id":1,"epoch":"e","revision":1,"recovered":true}');
  }
}

/** A ticket that names the room, or a socket in it. */
export default {
  fetch(request, env) {
    const offered = request.headers.get('Sec-WebSocket-Protocol');
    if (offered === null) {
      const room = request.headers.get('Authorization')?.slice('Bearer '.length);
      const url = `${request.url.slice(0, request.url.indexOf('/', 8)).replace('http', 'ws')}/realtime`;
      return Response.json({ url, ticket: room }, { status: 201 });
    }
    const name = offered.slice(offered.indexOf(TICKET) + TICKET.length);
    return env.ROOMS.get(env.ROOMS.idFromName(name)).fetch('https://room/', { headers: { Upgrade: 'websocket' } });
  },
} satisfies ExportedHandler<Env>;
