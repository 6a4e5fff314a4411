import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Database, openPostgres, type PostgresOptions } from '../../src/data/postgres.ts';
import { mapPostgresError } from '../../src/data/postgres-errors.ts';
import { openStack, type Stack } from '../support/world.ts';

export type Role = 'cp_app' | 'cp_auth' | 'cp_jobs';
const urlOf: Record<Role, string> = {
  cp_app: 'DATABASE_URL',
  cp_auth: 'DATABASE_AUTH_URL',
  cp_jobs: 'DATABASE_JOBS_URL',
};

/** A database with logins straight to Postgres, past the bridge: for transactions that stay open. */
export type Stage = Stack & {
  login(role?: Role): Promise<pg.Client>;
  /** A person at a SQL console: the administrator acting as cp_owner, without begin_write. */
  console(): Promise<pg.Client>;
};

export async function openStage(): Promise<Stage> {
  const database = await openStack();
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, Number);
  const clients: pg.Client[] = [];
  const connect = async (connectionString: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString, types });
    clients.push(client);
    await client.connect();
    return client;
  };
  return {
    ...database,
    login(role = 'cp_app') {
      const url = new URL(database.vars[urlOf[role]] ?? '');
      url.port = new URL(database.adminUrl).port;
      return connect(url.href);
    },
    async console() {
      const client = await connect(database.adminUrl);
      await client.query('set role cp_owner');
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.end()));
      await database.close();
    },
  };
}

/** Revision 1 of a new company is the company itself. */
export async function makeCompany(stage: Stage): Promise<string> {
  const id = randomUUID();
  await stage.sql(
    `insert into companies (id, name, currency, time_zone) values ($1, 'Salon', 'EUR', 'Europe/Vienna')`,
    [id],
  );
  return id;
}

export const insertClient = `insert into clients (company_id, id, first_name) values ($1, $2, $3)`;

/** Adds a client as a console does: one revision. */
export async function makeClient(stage: Stage, company: string, name: string = 'Ann'): Promise<string> {
  const id = randomUUID();
  await stage.sql(insertClient, [company, id, name]);
  return id;
}

/** A row of `app.end_write()`; `revision` is null when nothing was logged. */
export type EndRow = {
  epoch: string;
  head: number;
  revision: number | null;
  entity: string;
  entity_id: string;
  operation: string;
  schema_version: number;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  actor: string;
  request_id: string | null;
  changed_at: Date;
};

export type Order = {
  actor?: string | null;
  request?: string | null;
  credential?: unknown;
  guard?: unknown;
  begin?: string;
};

const asJson = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

/** Starts a transaction with begin_write and leaves it open, or aborted when that refuses. */
export async function beginWrite(
  client: pg.Client,
  company: string,
  order: Order = {},
): Promise<{ epoch: string; revision: number }> {
  const { actor = 'SYSTEM', request = null, credential = { system: true }, guard, begin = 'begin' } = order;
  await client.query(begin);
  const { rows } = await client.query('select * from app.begin_write($1, $2, $3, $4, $5)', [
    company,
    actor,
    request,
    asJson(credential),
    asJson(guard),
  ]);
  return rows[0] as { epoch: string; revision: number };
}

export const readTransaction = 'begin isolation level repeatable read read only';

/** Starts a transaction with begin_read and leaves it open. */
export async function beginRead(client: pg.Client, company: string): Promise<{ epoch: string; revision: number }> {
  await client.query(readTransaction);
  const { rows } = await client.query('select * from app.begin_read($1)', [company]);
  return rows[0] as { epoch: string; revision: number };
}

export type Written = { base: number; head: number; rows: EndRow[]; changes: EndRow[] };

/** A whole write transaction; rolled back when anything in it fails. */
export async function write(
  client: pg.Client,
  company: string,
  work: (client: pg.Client) => Promise<unknown>,
  order: Order = {},
): Promise<Written> {
  try {
    const { revision: base } = await beginWrite(client, company, order);
    await work(client);
    const { rows } = await client.query<EndRow>('select * from app.end_write()');
    await client.query('commit');
    const head = rows[0]?.head ?? Number.NaN;
    return { base, head, rows, changes: rows.filter(({ revision }) => revision !== null) };
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Runs `work` and rolls back whatever happened. */
export async function undone<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await client.query('rollback');
  }
}

/** The SQLSTATE `work` is refused with, or null. */
export async function refusal(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
    throw error;
  }
}

/** The SQLSTATE a statement is refused with, or the number of rows it got through with. */
export async function outcome(work: Promise<pg.QueryResult>): Promise<string | number> {
  return (await refusal(work)) ?? (await work).rowCount ?? 0;
}

/** Waits, by asking Postgres, until `client` waits for a lock. Its query must be under way. */
export async function untilBlocked(stage: Stage, pid: number): Promise<void> {
  for (;;) {
    const [row] = await stage.sql<{ blocked: boolean }>('select cardinality(pg_blocking_pids($1)) > 0 blocked', [pid]);
    if (row?.blocked === true) return;
  }
}

export async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() pid');
  return rows[0]?.pid ?? 0;
}

/** The whole log of a company as its administrator sees it. */
export function logOf(stage: Stage, company: string): Promise<EndRow[]> {
  return stage.sql<EndRow>(
    `select revision::int, entity, entity_id, operation, schema_version, before, after, actor, request_id, changed_at
     from changes where company_id = $1 order by revision`,
    [company],
  );
}

export async function headOf(stage: Stage, company: string): Promise<number> {
  const [head] = await stage.sql<{ revision: number }>(
    'select revision::int from company_heads where company_id = $1',
    [company],
  );
  return head?.revision ?? Number.NaN;
}

/**
 * A resource of the tests, as a migration would add one: `visits`, which go with their client, with a hidden column; and
 * the application may delete clients and visits.
 */
export async function addVisits(stage: Stage): Promise<void> {
  await stage.sql(
    `create table visits (company_id uuid not null, id uuid primary key, client_id uuid not null, note text,
       folded text generated always as (upper(note)) stored, version int not null default 1,
       created_at timestamptz(3) not null default clock_timestamp(),
       updated_at timestamptz(3) not null default clock_timestamp(),
       foreign key (company_id, client_id) references clients (company_id, id) on delete cascade);
     insert into app.tenant_tables (table_name, entity, schema_version, hidden, grants)
       values ('visits', 'visit', 7, '{folded}', 'select, insert, update, delete');
     update app.tenant_tables set grants = grants || ', delete' where table_name = 'clients'::regclass;
     select app.secure_tables()`,
    [],
    'cp_owner',
  );
}

/** The stage's database as the Worker reaches it, over HTTP. */
export function connect(stage: Stage, mode: 'read' | 'write', more: Partial<PostgresOptions> = {}): Database {
  return openPostgres({
    url: stage.vars.DATABASE_URL ?? '',
    mode,
    concurrency: 20,
    acquireTimeout: 1000,
    slowQueryThreshold: 60_000,
    onFailure: (error) => mapPostgresError(error, {}),
    ...more,
  });
}
