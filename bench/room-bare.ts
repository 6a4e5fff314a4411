import { join } from 'node:path';
import { withClient, withDatabase } from '../local/roles.ts';
import { type PlainWorker, startPlain } from './bare.ts';
import { bundleOther } from './bundle.ts';
import type { Bench } from './stack.ts';

/** What stands in the bare room's transaction and in no other. */
export const BARE_WRITE = 'insert into bare_rooms';

/** Runs the bare Worker and its bare rooms as Clients+ is run, on the same Postgres, which it tells of each change as `event` is told. */
export async function startBareRooms({ dir, vars, neon }: Bench, event: string): Promise<PlainWorker> {
  const url = String(vars.DATABASE_URL);
  const { pathname, username } = new URL(url);
  await withClient(withDatabase(String(vars.DATABASE_MIGRATION_URL), pathname.slice(1)), async (client) => {
    await client.query(
      'create table bare_rooms (room text primary key, revision integer not null, notes text not null)',
    );
    await client.query(`grant select, insert, update on bare_rooms to "${username}"`);
  });
  const bundle = await bundleOther(join(import.meta.dirname, 'bare-room.ts'), join(dir, 'bare-room'));
  const bindings = { EVENT: event, SQL_URL: `http://127.0.0.1:${neon.port}/sql`, DATABASE_URL: url };
  return startPlain(bundle, bindings, { ROOMS: { className: 'BareRoom', useSQLite: true } });
}
