import type pg from 'pg';
import type { Company } from './company.ts';
import { GRACE, PROMISE } from './verify.ts';
import type { Testimony, Told } from './witness.ts';

/** What may be found broken; each is a line of the summary. */
export const CRIMES = {
  denied: 'no answer denies a write that is stored',
  lost: 'no answer claims a write that is not',
  doubled: 'a key stores its write once',
  late: 'every stored write is seen by others within 10 s',
  imports: 'no import is left behind, and each holds its rows',
  gapless: 'revisions without gap or duplicate',
} as const;
export type Crime = keyof typeof CRIMES;

/** First answers by what they told, and how many of those are stored. */
export type Tally = Record<Told, { told: number; stored: number }>;

export type Verdict = {
  writes: Tally;
  files: Tally;
  /** Keyed writes whose first outcome was not known, that a repetition found stored or stored. */
  repeated: number;
  /** From the change in the log to the first sight of it through another Worker, ms. */
  unseen: { median: number; most: number };
  crimes: Map<Crime, string[]>;
};

type Evidence = { writes: readonly Testimony[]; files: readonly Testimony[]; seen: ReadonlyMap<string, number> };

/** Holds what callers were told against the log. */
export async function judge(
  looker: pg.Pool,
  companies: readonly Company[],
  { writes, files, seen }: Evidence,
): Promise<Verdict> {
  const crimes = new Map<Crime, string[]>();
  const charge = (crime: Crime, what: string): void => void crimes.set(crime, [...(crimes.get(crime) ?? []), what]);
  const ids = companies.map(({ uuid }) => uuid);
  const { rows } = await looker.query<{ mark: string; at: number }>(
    `select after ->> 'notes' as mark, extract(epoch from changed_at)::float8 * 1000 as at from changes
      where company_id = any ($1) and operation = 'INSERT' and after ->> 'notes' is not null`,
    [ids],
  );
  const stored = new Map<string, number>();
  for (const { mark, at } of rows) {
    if (stored.has(mark)) charge('doubled', mark);
    stored.set(mark, at);
  }
  for (const testimony of writes) accuse(testimony, stored.has(testimony.mark), charge);
  const delays = [...stored].map(([mark, at]) => {
    const delay = (seen.get(mark) ?? Number.POSITIVE_INFINITY) - at;
    if (delay > PROMISE + GRACE) charge('late', `${mark} was seen after ${Math.round(delay)} ms`);
    return delay;
  });
  const jobs = await jobsOf(looker, ids, charge);
  for (const testimony of files) accuse(testimony, jobs.has(`${testimony.company.uuid} ${testimony.mark}`), charge);
  await checkLogs(looker, ids, charge);
  delays.sort((x, y) => x - y);
  return {
    writes: tally(writes, (testimony) => stored.has(testimony.mark)),
    files: tally(files, ({ company, mark }) => jobs.has(`${company.uuid} ${mark}`)),
    repeated: [...writes, ...files].filter(({ answers }) => answers.length > 1).length,
    unseen: { median: delays[delays.length >> 1] ?? 0, most: delays.at(-1) ?? 0 },
    crimes,
  };
}

function accuse({ mark, answers }: Testimony, stored: boolean, charge: (crime: Crime, what: string) => void): void {
  const [first] = answers;
  if (first?.told === 'denied' && stored) charge('denied', `${mark}: ${first.text}`);
  if (answers.at(-1)?.told === 'stored' && !stored) charge('lost', mark);
}

/** The jobs there are, by company and rows. */
async function jobsOf(
  looker: pg.Pool,
  ids: readonly string[],
  charge: (crime: Crime, what: string) => void,
): Promise<Set<string>> {
  const { rows } = await looker.query<{ job: string; total: number; status: string; created: number; rows: number }>(
    `select i.company_id || ' ' || i.total as job, i.total, i.status, i.created,
        (select count(*)::int from clients c where c.company_id = i.company_id and c.external_id like 'f' || i.total || '-%') as rows
      from imports i where i.company_id = any ($1)`,
    [ids],
  );
  const found = new Set<string>();
  for (const { job, total, status, created, rows: held } of rows) {
    if (found.has(job)) charge('doubled', `import ${job}`);
    found.add(job);
    if (status !== 'COMPLETED' || created !== total || held !== total)
      charge('imports', `${job}: ${status}, ${created} created, ${held} there of ${total}`);
  }
  return found;
}

async function checkLogs(
  looker: pg.Pool,
  ids: readonly string[],
  charge: (crime: Crime, what: string) => void,
): Promise<void> {
  const { rows } = await looker.query<{ broken: string }>(
    `select h.company_id || ': ' || h.revision || ' ' || count(c.*) || ' ' || max(c.revision) as broken
      from company_heads h left join changes c using (company_id) where h.company_id = any ($1)
      group by h.company_id, h.revision
      having count(distinct c.revision) <> h.revision or max(c.revision) <> h.revision or min(c.revision) <> 1`,
    [ids],
  );
  for (const { broken } of rows) charge('gapless', broken);
}

function tally(testimonies: readonly Testimony[], isStored: (testimony: Testimony) => boolean): Tally {
  const counts: Tally = {
    stored: { told: 0, stored: 0 },
    denied: { told: 0, stored: 0 },
    unknown: { told: 0, stored: 0 },
  };
  for (const testimony of testimonies) {
    const count = counts[testimony.answers[0]?.told ?? 'unknown'];
    count.told += 1;
    if (isStored(testimony)) count.stored += 1;
  }
  return counts;
}
