import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureDatabase } from '../local/databases.ts';
import { freePort, portTaken } from '../local/ports.ts';
import { startRedis } from '../local/redis.ts';
import { withClient, withDatabase } from '../local/roles.ts';
import { until } from '../test/support/until.ts';
import type { RoomTarget } from './room-load.ts';

/** The system beside ours: Express, Prisma and Socket.IO with its Redis adapter, as its folder starts it. */
export type Peer = { url: string; pid: number | null; rooms: readonly RoomTarget[]; stop(): Promise<void> };

const DATABASE = 'peer';
const SECRET = 'a secret for a benchmark alone';
const CLIENTS = 20;
/** So that no limit is what is measured. */
const LIMITS = { RATE_LIMIT: '1000000000', WS_RATE_LIMIT: '1000000000' };

/**
 * Starts the peer of this folder (with its `node_modules`) on a database of its own in our Postgres, with so many companies, and
 * a Redis of its own of the kind that ours has.
 * @param adminUrl of the Postgres, for its administrator
 */
export async function startPeer(folder: string, adminUrl: string, companies: number): Promise<Peer> {
  const root = resolve(folder);
  await ensureDatabase(adminUrl, DATABASE);
  const databaseUrl = withDatabase(adminUrl, DATABASE);
  const schema = await readFile(join(root, 'sql/schema.sql'), 'utf8');
  const rooms = Array.from({ length: companies }, (_, at) => targetOf(at + 1));
  await withClient(databaseUrl, async (client) => {
    await client.query(schema);
    await client.query(`insert into "Company" (id, name) select id::uuid, 'Salon' from unnest($1::text[]) id`, [
      rooms.map(({ company }) => company),
    ]);
    for (const { company, clients } of rooms)
      await client.query(
        `insert into "Client" (id, "companyId", "firstName", "lastName", email)
           select id::uuid, $1::uuid, 'Vorname ' || n, 'Nachname ' || n, 'client-' || n || '@example.com'
           from unnest($2::text[]) with ordinality each (id, n)`,
        [company, clients],
      );
  });
  const [redis, port] = await Promise.all([startRedis(), freePort()]);
  const child = spawn('sh', [join(root, 'start.sh')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ ...process.env, ...LIMITS, PROFILE: 'tuned', JWT_SECRET: SECRET, DATABASE_URL: databaseUrl },
      ...{ REDIS_URL: `redis://127.0.0.1:${redis.port}`, PORT: String(port) },
    },
  });
  await until(
    'the peer listens',
    () => {
      if (child.exitCode !== null) throw new Error(`the peer ended with ${child.exitCode}`);
      return portTaken(port);
    },
    60_000,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? null,
    rooms,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await redis.stop();
    },
  };
}

function targetOf(number: number): RoomTarget {
  const id = (kind: number, n: number): string => `01900000-${hex(kind, 4)}-7${hex(number, 3)}-8000-${hex(n, 12)}`;
  const company = id(1, 0);
  return {
    company,
    key: tokenOf({ companyId: company, role: 'ADMIN', sub: id(2, 0), exp: Math.floor(Date.now() / 1000) + 86_400 }),
    clients: Array.from({ length: CLIENTS }, (_, n) => id(6, n)),
  };
}

const hex = (value: number, length: number): string => value.toString(16).padStart(length, '0');

/** An access token as the peer signs them. */
function tokenOf(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const said = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${said}.${createHmac('sha256', SECRET).update(said).digest('base64url')}`;
}
