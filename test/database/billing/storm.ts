import type pg from 'pg';
import { refusal, type Stage, write } from '../support.ts';
import { line, makeInvoice, of, type Shop } from './books.ts';

/** Hands the jobs out to so many logins of the application at once; each job is a write, refused or committed. */
export async function atOnce(
  stage: Stage,
  company: string,
  logins: number,
  jobs: readonly ((client: pg.Client) => Promise<unknown>)[],
): Promise<string[]> {
  const queue = [...jobs];
  const outcomes: string[] = [];
  const work = async (): Promise<void> => {
    const client = await stage.login();
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const own = job;
      outcomes.push((await refusal(write(client, company, own))) ?? 'done');
    }
  };
  await Promise.all(Array.from({ length: logins }, work));
  return outcomes;
}

/** Issues so many drafts at once, of which every third fails after it had its number. Answers what became of them. */
export async function issueMany(
  stage: Stage,
  shop: Shop,
  count: number,
  logins: number,
): Promise<{ outcomes: string[]; numbers: number[] }> {
  const [first] = [await makeInvoice((text, values) => stage.sql(text, values), shop, [line(100)])];
  await stage.sql(
    `insert into invoices (company_id, id, branch_id, lines) select company_id, gen_random_uuid(), branch_id, lines from invoices, generate_series(2, $2::int) where id = $1`,
    [first, count],
  );
  const drafts = await stage.sql<{ id: string }>('select id from invoices where company_id = $1', [shop.company]);
  const jobs = drafts.map(({ id }, n) => async (client: pg.Client): Promise<void> => {
    await of(client)(`update invoices set status = 'OPEN' where id = $1`, [id]);
    if (n % 3 === 2) await client.query(`select app.refuse(true, 'conflict')`);
  });
  const outcomes = await atOnce(stage, shop.company, logins, jobs);
  const issued = await stage.sql<{ number: number }>(
    'select number::int from invoices where company_id = $1 and number is not null order by 1',
    [shop.company],
  );
  return { outcomes, numbers: issued.map(({ number }) => number) };
}

export const counted = (outcomes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
};
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
