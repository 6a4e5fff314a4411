import { neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type NeonDbError, openProxy } from '../../../src/data/neon.ts';
import { clients } from '../../../src/people/clients/table.ts';

// What goes to the SQL proxy and what comes back is the same as by the package it stands in for.

const URL_OF = 'postgres://cp_app:secret@ep-quiet-1.eu-central-1.aws.neon.tech/clientsplus';

type Sent = { url: string; init: RequestInit };

/** A proxy that gives this answer, and what it was asked. */
function proxy(status: number, body: string) {
  const sent: Sent[] = [];
  const ask = async (url: unknown, init: unknown): Promise<Response> => {
    sent.push({ url: String(url), init: init as RequestInit });
    return new Response(body, { status });
  };
  vi.stubGlobal('fetch', ask);
  neonConfig.fetchFunction = ask;
  return sent;
}

afterEach(() => void vi.unstubAllGlobals());

const ours = (statements: readonly SQL[], readOnly = false) =>
  openProxy({ url: URL_OF, readOnly, deadline: 1000 })(statements);

async function theirs(statements: readonly SQL[], readOnly = false): Promise<unknown[]> {
  const db = drizzle(neon(URL_OF, readOnly ? { isolationLevel: 'RepeatableRead', readOnly } : {}));
  const results = await db.batch(
    statements.map((each) => db.execute(each)) as unknown as Parameters<typeof db.batch>[0],
  );
  return (results as unknown as { rows: unknown[] }[]).map(({ rows }) => rows);
}

const answer = (...results: unknown[]): string => JSON.stringify({ results });
const empty = { fields: [], rows: [], command: 'SELECT', rowCount: 0, rowAsArray: true };

describe('a request', () => {
  const statements = [
    sql`select ${1}, ${'a "text"'}, ${null}, ${true}, ${1.5}, ${undefined} from ${sql.identifier('clients')}`,
    sql`select 1 where ${clients.email} = ${'x'} and id in ${['a', 'b']} and ${sql.raw("'raw'")} = 'raw'`,
    sql`select ${sql.param([])}::text[], ${sql.param(['a', 'b"c', 'd\\e', 'f,{g}', '', 'null', null])}::text[], ${sql.param([1, 2])}::int[]`,
    sql`select ${sql.param([
      ['a', 'b'],
      ['c', null],
    ])}::text[], ${sql.param({ a: [1, { b: null }] })}::jsonb, ${sql.param([{ a: 1 }])}::jsonb[]`,
    sql`${sql`nested ${1} ${sql.join([sql`${2}`, sql`${3}`], sql`, `)}`} and ${4}`,
  ];

  it.each([true, false])('has the same address, headers and body (read-only: %s)', async (readOnly) => {
    const sent = proxy(200, answer(...statements.map(() => empty)));
    await ours(statements, readOnly);
    await theirs(statements, readOnly);
    const [own, other] = sent.map(({ url, init }) => {
      const headers = { ...(init.headers as Record<string, string>) };
      // The package names itself to Postgres.
      const connection = String(headers['Neon-Connection-String'])
        .replace(/^postgres:/, 'postgresql:')
        .split('?')[0];
      return {
        url,
        method: init.method,
        body: init.body,
        headers: { ...headers, 'Neon-Connection-String': connection },
      };
    });
    expect(own).toEqual(other);
  });

  it('goes to this machine when the database is here', async () => {
    const sent = proxy(200, answer(empty));
    await openProxy({ url: 'postgres://a:b@127.0.0.1:5433/c', readOnly: false, deadline: 1000 })([sql`select 1`]);
    expect(sent[0]?.url).toBe('http://127.0.0.1:5433/sql');
  });
});

describe('an answer', () => {
  const of = (dataTypeID: number, ...values: (string | null)[]) => ({
    ...empty,
    fields: [{ name: 'value', dataTypeID }],
    rows: values.map((value) => [value]),
  });

  // By the number of the type: bool, the integers, oid, floats, json, and those that are their text.
  it.each([
    [16, ['t', 'f', null]],
    ...[21, 23, 26].map((type): [number, string[]] => [type, ['0', '-7', '32767']]),
    ...[700, 701].map((type): [number, string[]] => [type, ['0.5', '1e+30', 'NaN', '-Infinity']]),
    ...[114, 3802].map((type): [number, (string | null)[]] => [type, ['{"a":[1,null]}', 'null', '"text"', '12', null]]),
    [20, ['9007199254740993']],
    ...[1700, 25, 1043, 1042, 2950, 19, 2278].map((type): [number, string[]] => [type, ['', '1.50', 'text']]),
    ...[1082, 1114, 1184, 1083, 1186].map((type): [number, string[]] => [type, ['2026-03-02 09:30:00+00']]),
  ])('of type %i is read the same', async (type, values) => {
    proxy(200, answer(of(type, ...values), empty));
    const statements = [sql`select 1`, sql`select 2`];
    expect(await ours(statements)).toEqual(await theirs(statements));
  });

  it.each([
    [400, { message: 'm', code: '23505', severity: 'ERROR', detail: 'd', constraint: 'c', column: 'l', hint: null }],
    [400, { message: 'connection closed', code: '' }],
    [400, {}],
    [500, { message: 'no place', code: '53300' }],
    [502, '<html>Bad Gateway</html>'],
    [507, ''],
    [200, { results: 'none' }],
    [200, '<html>'],
  ])('of %i with %j is the same error', async (status, body) => {
    proxy(status, typeof body === 'string' ? body : JSON.stringify(body));
    const caught = (run: Promise<unknown>) =>
      run.then(
        () => null,
        (error: NeonDbError) => error,
      );
    const [own, other] = [await caught(ours([sql`select 1`])), await caught(theirs([sql`select 1`]))];
    const told = (error: NeonDbError | null) => {
      const { name, code, severity, detail, constraint, column, hint, table } = error ?? {};
      const message = error?.message.replace('Neon internal error: ', '');
      return { name, message, code, severity, detail, constraint, column, hint, table };
    };
    expect(own).not.toBeNull();
    expect(told(own)).toEqual(told(other));
  });

  it('that never comes is an error of the connection', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('Network connection lost.')));
    await expect(ours([sql`select 1`])).rejects.toMatchObject({
      name: 'NeonDbError',
      message: 'Error connecting to database: TypeError: Network connection lost.',
    });
  });
});
