import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  addVisits,
  beginWrite,
  headOf,
  insertClient,
  logOf,
  makeClient,
  makeCompany,
  openStage,
  outcome,
  pidOf,
  type Stage,
  untilBlocked,
} from '../support.ts';

// The head first, for consoles as for the API: no deadlock, and no word of a name is lost.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await addVisits(stage);
});
afterAll(() => stage.close());

const quoted = pg.escapeLiteral;

type Statement = { setting?: string; text: string; values?: unknown[] };
/** A statement of a console about a client, in the ways its company can be known. */
const ways: [string, (company: string, client: string) => Statement][] = [
  [
    'names the company',
    (company) => ({ text: `update clients set notes = 'sql' where company_id = ${quoted(company)}` }),
  ],
  ['names the row', (_, client) => ({ text: `update clients set notes = 'sql' where id = ${quoted(client)}` })],
  [
    'has set the company',
    (company, client) => ({
      setting: company,
      text: `update clients set notes = 'sql' where id = $1`,
      values: [client],
    }),
  ],
  ['deletes', (_, client) => ({ text: `delete from clients where id = ${quoted(client)}` })],
];

test.each(ways)(
  'a console that %s takes the head before the row, so it is in no deadlock with the API',
  async (_, statement) => {
    const company = await makeCompany(stage);
    const client = await makeClient(stage, company);
    const [api, console] = [await stage.login(), await stage.console()];
    const pid = await pidOf(console);
    const { setting = '', text, values = [] } = statement(company, client);
    await beginWrite(api, company);
    await console.query('begin');
    await console.query(`select set_config('app.company_id', $1, true)`, [setting]);
    const waits = outcome(console.query(text, values));
    await untilBlocked(stage, pid);
    expect(await outcome(api.query(`update clients set notes = 'api' where id = $1`, [client]))).toBe(1);
    await api.query('commit');
    expect(await waits).toBe(1);
    await console.query('commit');
    expect((await logOf(stage, company)).map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
  },
);

test('a statement that names rows of two companies takes their heads in the order of their ids, before any row', async () => {
  const [low = '', high = ''] = [await makeCompany(stage), await makeCompany(stage)].sort();
  const [lowClient, highClient] = [await makeClient(stage, low), await makeClient(stage, high)];
  const [api, console] = [await stage.login(), await stage.console()];
  const pid = await pidOf(console);
  await beginWrite(api, high);
  const waits = outcome(
    console.query(`update clients set notes = 'sql' where id in (${quoted(highClient)}, ${quoted(lowClient)})`),
  );
  await untilBlocked(stage, pid);
  const other = await stage.login();
  await other.query(`set lock_timeout = '50ms'`);
  await expect(beginWrite(other, low)).rejects.toMatchObject({ code: '55P03' });
  expect(await outcome(api.query(`update clients set notes = 'api' where id = $1`, [highClient]))).toBe(1);
  await api.query('commit');
  expect(await waits).toBe(2);
});

test('what is only named takes no revision, and a text that is no id harms nothing', async () => {
  const company = await makeCompany(stage);
  const console = await stage.console();
  const none = `update clients set notes = 'sql' where company_id = ${quoted(company)} and notes = '${randomUUID()}'`;
  expect(await outcome(console.query(none))).toBe(0);
  expect(await outcome(console.query(`delete from clients where notes = 'zzzzzzzz-0000-0000-0000-000000000000'`))).toBe(
    0,
  );
  expect(await headOf(stage, company)).toBe(1);
});

/** The words of names as they are kept, and as they would be counted anew. */
async function words(company: string): Promise<{ kept: string; counted: string }> {
  const [row] = await stage.sql<{ kept: string; counted: string }>(
    `select (select string_agg(name || ' ' || uses, ',' order by name) from client_names where company_id = $1) kept,
       (select string_agg(w || ' ' || n, ',' order by w) from (select w, count(*) n from clients c,
          app.words_of_name(c.first_name, c.last_name) w where c.company_id = $1 group by 1) counted) counted`,
    [company],
  );
  return row ?? { kept: '', counted: '' };
}

test('a word that one console takes away while another brings it is kept', async () => {
  const company = await makeCompany(stage);
  const client = await makeClient(stage, company, 'Quentin');
  const [one, two] = [await stage.console(), await stage.console()];
  const pid = await pidOf(two);
  await one.query('begin');
  await one.query(insertClient, [company, randomUUID(), 'Quentin']);
  const waits = outcome(two.query(`update clients set first_name = 'Rosalind' where id = $1`, [client]));
  await untilBlocked(stage, pid);
  await one.query('commit');
  expect(await waits).toBe(1);
  expect(await words(company)).toEqual({ kept: 'quentin 1,rosalind 1', counted: 'quentin 1,rosalind 1' });
});

test('the words of names are those of the clients, whatever a statement does to many of them', async () => {
  const [company, other] = [await makeCompany(stage), await makeCompany(stage)];
  const console = await stage.console();
  const steps = [
    `insert into clients (company_id, id, first_name, last_name) select c, gen_random_uuid(), (array['Anna', 'Berta', 'Clara Berta', null])[1 + n % 4], 'Name' || (array['', 'n', ' Anna'])[1 + n % 3]
       from generate_series(0, 23) n, unnest(array['${company}', '${other}']::uuid[]) c`,
    `update clients set last_name = first_name, first_name = last_name where company_id = '${company}'`,
    `update clients set first_name = 'Dorothea' where company_id = '${company}' and first_name like 'Name%'`,
    `update clients set notes = 'nothing of a name' where company_id = '${company}'`,
    `update clients set first_name = null where company_id = '${company}' and last_name = 'Berta'`,
    `delete from clients where company_id = '${company}' and last_name is null`,
    `update clients set first_name = repeat('Long ', 3) || (select string_agg('word' || chr(97 + n), ' ') from generate_series(0, 25) n) where company_id = '${company}' and last_name = 'Anna'`,
    `delete from clients where company_id = '${company}'`,
  ];
  for (const step of steps) {
    await console.query(step);
    for (const each of [company, other]) {
      const { kept, counted } = await words(each);
      expect(kept, step).toBe(counted);
    }
  }
  expect((await words(company)).kept).toBeNull();
});

test('of a name twelve words are kept, the first ones', async () => {
  const company = await makeCompany(stage);
  const long = Array.from(
    { length: 66 },
    (_, i) => `w${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}rd`,
  );
  await makeClient(stage, company, long.join(' '));
  const { kept } = await words(company);
  expect(kept.split(',').sort()).toEqual(
    long
      .slice(0, 12)
      .map((word) => `${word} 1`)
      .sort(),
  );
});
