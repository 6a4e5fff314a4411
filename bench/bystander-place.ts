import pg from 'pg';
import { withDatabase } from '../local/roles.ts';
import { abuses, type Begin, type End } from '../test/support/abuses.ts';
import { waysToRead } from '../test/support/abuses-reads.ts';
import { waysToListen } from '../test/support/abuses-rooms.ts';
import { Api } from '../test/support/api.ts';
import { openCompany, type Place } from '../test/support/company.ts';
import { uuidOf } from '../test/support/people.ts';
import { obey } from './obey.ts';
import { fillCompanies } from './queries-rows.ts';
import { openBench } from './stack.ts';

/** To open it, to begin one of its abuses, to end that. */
export type PlaceOrder = { do: 'open' } | { do: 'begin'; name: string } | { do: 'end' } | { do: 'close' };
/** What an opened one is like: where it is, a company that abuses nothing, and what others may do to it. */
export type PlaceReport = { url: string; bystander: string; names: string[] };

/**
 * Limits as deployed, but for how many may sign up. Without the Cache API: Miniflare's is a Worker of its own in the thread that is
 * measured, and takes longer to keep an answer than ours to compute one.
 */
const LIMITS = { RATE_LIMIT_PER_MINUTE: '1000', LOGIN_LIMIT: '10', EDGE_CACHE: 'off' };
const BUSY = { visits: 20_000, people: 20_000 };

let begins: Record<string, Begin> = {};
let end: End = async () => undefined;
let close: End = async () => undefined;

obey(async (order: PlaceOrder): Promise<PlaceReport | object> => {
  if (order.do === 'open') return open();
  if (order.do === 'begin') end = await (begins[order.name] as Begin)();
  else await (order.do === 'end' ? end() : close());
  return {};
});

async function open(): Promise<PlaceReport> {
  const bench = await openBench();
  const { url } = await bench.start(LIMITS);
  const name = new URL(String(bench.vars.DATABASE_MIGRATION_URL)).pathname.slice(1);
  const pool = new pg.Pool({ connectionString: withDatabase(bench.adminUrl, name), max: 1 });
  const place: Place = {
    api: new Api(url),
    vars: { ...bench.vars },
    async sql<R extends pg.QueryResultRow>(text: string, values: unknown[] = [], role = 'none') {
      const client = await pool.connect();
      try {
        await client.query(`set role ${role}`);
        return (await client.query<R>(text, values)).rows;
      } finally {
        client.release();
      }
    },
  };
  const busy = await openCompany(place);
  await fillCompanies(
    withDatabase(bench.adminUrl, name),
    [String(uuidOf('comp', busy.companyId))],
    () => undefined,
    BUSY,
  );
  begins = { ...(await abuses(place)), ...(await waysToRead(place, busy)), ...(await waysToListen(place)) };
  close = async () => {
    await pool.end();
    await bench.close();
  };
  const { api } = await openCompany(place);
  return { url, bystander: String(api.token), names: Object.keys(begins) };
}
