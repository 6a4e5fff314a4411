import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  beginRead,
  beginWrite,
  type EndRow,
  headOf,
  insertClient,
  logOf,
  makeClient,
  makeCompany,
  openStage,
  pidOf,
  refusal,
  type Stage,
  undone,
  untilBlocked,
  type Written,
  write,
} from '../support.ts';

// R1: commit order is revision order, without gaps, whoever writes and however it ends.

const WRITERS = 12;
const ROUNDS = inject('thorough') ? 24 : 8;

let stage: Stage;
let companies: string[];
beforeAll(async () => {
  stage = await openStage();
  companies = [await makeCompany(stage), await makeCompany(stage)];
});
afterAll(() => stage.close());

const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

class ChangedItsMind extends Error {}

/** One of a writer's transactions. A quarter of them fail after having written: half by a constraint, half by rollback. */
async function unit(client: pg.Client, company: string, own: string[], kind: number): Promise<Written | null> {
  const id = randomUUID();
  const work = async (): Promise<unknown> => {
    await client.query(
      `insert into clients (company_id, id, first_name, external_id) values ($1, $2, 'x', $2::uuid::text)`,
      [company, id],
    );
    if (kind === 0) {
      const again = `insert into clients (company_id, id, external_id) values ($1, gen_random_uuid(), $2)`;
      return client.query(again, [company, id]);
    }
    if (kind === 1) throw new ChangedItsMind();
    if (kind === 2) {
      const seven = `insert into clients (company_id, id, first_name) select $1, gen_random_uuid(), 'm' from generate_series(1, 7)`;
      return client.query(seven, [company]);
    }
    const change = kind === 3 ? `notes = coalesce(notes, '') || 'n'` : 'notes = notes';
    return client.query(`update clients set ${change} where id = any($1)`, [own]);
  };
  try {
    const written = await write(client, company, work, { request: id });
    own.push(id);
    return written;
  } catch (error) {
    const expected = kind === 0 ? error instanceof pg.DatabaseError && error.code === '23505' : kind === 1;
    if (!expected) throw error;
    return null;
  }
}

async function writer(company: string, number: number): Promise<(Written | null)[]> {
  const client = await stage.login();
  const own: string[] = [];
  const done: (Written | null)[] = [];
  for (const round of range(1, ROUNDS)) done.push(await unit(client, company, own, (number + round) % 8));
  return done;
}

/** Statements of their own, without begin_write: they take the head when they log, not before. */
async function person(company: string): Promise<void> {
  const client = await stage.console();
  for (const _ of range(1, ROUNDS)) await client.query(insertClient, [company, randomUUID(), 'sql']);
}

type Snapshot = { head: number; newest: number; total: number; clients: number; inserted: number };

/** Reads snapshots until the writers are done, once more then. Answers what was wrong, and how often it looked. */
async function poller(company: string, done: () => boolean): Promise<{ wrong: string[]; snapshots: number }> {
  const client = await stage.login();
  const wrong: string[] = [];
  let seen = 0;
  for (let snapshots = 1; ; snapshots += 1) {
    const last = done();
    const { revision: head } = await beginRead(client, company);
    const { rows } = await client.query<Snapshot>(
      `select max(revision) newest, count(*) total, (select count(*) from clients where company_id = $1) clients,
         count(*) filter (where entity = 'client' and operation = 'INSERT') inserted
       from changes where company_id = $1`,
      [company],
    );
    const fresh = await client.query<{ revision: number }>(
      'select revision from changes where company_id = $1 and revision > $2 order by revision',
      [company, seen],
    );
    await client.query('commit');
    const { newest, total, clients, inserted } = rows[0] ?? { newest: 0, total: 0, clients: 0, inserted: 0 };
    if (head !== newest || head !== total) wrong.push(`head ${head}, newest ${newest}, ${total} in all`);
    if (clients !== inserted) wrong.push(`${clients} clients, ${inserted} logged at ${head}`);
    const revisions = fresh.rows.map(({ revision }) => revision);
    if (String(revisions) !== String(range(seen + 1, head))) wrong.push(`after ${seen} came ${revisions}`);
    seen = head;
    if (last) return { wrong, snapshots };
  }
}

test('writers of two companies leave no gap, and no snapshot ever shows one', async () => {
  let writing = true;
  const pollers = companies.flatMap((company) => range(1, 2).map(() => poller(company, () => !writing)));
  const writers = companies.map(async (company) => {
    const people = person(company);
    const done = await Promise.all(range(1, WRITERS).map((number) => writer(company, number)));
    await people;
    return done.flat();
  });
  const written = await Promise.all(writers);
  writing = false;
  const polled = await Promise.all(pollers);
  expect(polled.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(Math.min(...polled.map(({ snapshots }) => snapshots))).toBeGreaterThan(20);

  for (const [index, company] of companies.entries()) {
    const log = await logOf(stage, company);
    const committed = (written[index] ?? []).filter((each) => each !== null);
    expect(written[index]?.length, 'a quarter failed').toBe((committed.length * 4) / 3);
    expect(log.map(({ revision }) => revision)).toEqual(range(1, log.length));
    expect(await headOf(stage, company)).toBe(log.length);
    expectOwnRows(committed, log);
    const times = log.map(({ changed_at }) => changed_at.getTime());
    expect(times, 'times run with the revisions').toEqual(times.toSorted((a, b) => a - b));
    await expectUpdatedAtRuns(company);
  }
});

/** Every write was answered the rows it logged itself, all of them, and they are what the log says. */
function expectOwnRows(committed: Written[], log: EndRow[]): void {
  const answered = committed.flatMap(({ base, head, changes }) => {
    expect(changes.map(({ revision }) => revision)).toEqual(range(base + 1, head));
    expect(new Set(changes.map(({ request_id }) => request_id)).size).toBe(1);
    return changes;
  });
  const ours = log
    .filter(({ actor }) => actor === 'SYSTEM')
    .map(({ revision, entity_id }) => `${revision} ${entity_id}`);
  expect(ours.length).toBe(log.length - ROUNDS - 1);
  expect(new Set(answered.map(({ revision, entity_id }) => `${revision} ${entity_id}`))).toEqual(new Set(ours));
  expect(answered.length).toBe(ours.length);
}

/** What syncs by `updatedAfter` needs: no write of the application is stamped earlier than one committed before it. */
async function expectUpdatedAtRuns(company: string): Promise<void> {
  const backwards = await stage.sql(
    `with stamped as (select min(revision) revision, min(stamp) first, max(stamp) last
       from (select revision, request_id, (after ->> 'updated_at')::timestamptz stamp from changes
             where company_id = $1 and actor = 'SYSTEM') c group by request_id)
     select * from (select *, max(last) over (order by revision rows unbounded preceding exclude current row) before from stamped) s
     where first < before`,
    [company],
  );
  expect(backwards).toEqual([]);
}

test('a statement that waited for a row logs the row it found, not the one it had seen', async () => {
  const [app, console] = await Promise.all([stage.login(), stage.console()]);
  const company = await makeCompany(stage);
  const id = await makeClient(stage, company, 'one');
  const pid = await pidOf(console);
  let waiting: Promise<unknown> | undefined;
  const { head } = await write(app, company, async () => {
    await app.query(`update clients set first_name = 'two' where id = $1`, [id]);
    waiting = console.query(`update clients set last_name = first_name where id = $1`, [id]);
    await untilBlocked(stage, pid);
  });
  await waiting;
  const log = await logOf(stage, company);
  expect(log.length).toBe(head + 1);
  expect(log.at(-1)).toMatchObject({ before: log.at(-2)?.after, after: { name: 'two two', version: 3 } });
});

test('a write that waited for the head starts from the revision it found', async () => {
  const [first, second] = await Promise.all([stage.login(), stage.login()]);
  const company = await makeCompany(stage);
  const pid = await pidOf(second);
  let waiting: Promise<Written> | undefined;
  const insert = (client: pg.Client) => client.query(insertClient, [company, randomUUID(), 'x']);
  const one = await write(first, company, async () => {
    waiting = write(second, company, insert);
    await untilBlocked(stage, pid);
    await insert(first);
  });
  const two = await waiting;
  expect([one.base, one.head, two?.base, two?.head]).toEqual([1, 2, 2, 3]);
  expect([one, two].map((each) => each?.changes.map(({ revision }) => revision))).toEqual([[2], [3]]);
});

test('a statement over two companies takes their heads in the order of their ids, so two of them never deadlock', async () => {
  const [app, other, console] = await Promise.all([stage.login(), stage.login(), stage.console()]);
  const [low = '', high = ''] = [await makeCompany(stage), await makeCompany(stage)].sort();
  const clients = [await makeClient(stage, high), await makeClient(stage, low)];
  const pid = await pidOf(console);
  await other.query(`set lock_timeout = '20ms'`);
  const free = (company: string): Promise<boolean> =>
    undone(other, async () => (await refusal(beginWrite(other, company))) === null);
  for (const [held, beside] of [
    [low, true],
    [high, false],
  ] as const) {
    let waiting: Promise<unknown> | undefined;
    await write(app, held, async () => {
      waiting = console.query(`update clients set notes = $2 where id = any($1)`, [clients, held]);
      await untilBlocked(stage, pid);
      expect(await free(held === low ? high : low), 'the other head').toBe(beside);
    });
    await waiting;
  }
});
