import { type Ask, accepted } from './api.ts';

/** Rows of one resource, as a line of NDJSON says them. */
export type Import = { resource: string; rows: readonly object[] };

/** What an import did, and in how long. */
export type Loaded = {
  resource: string;
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  seconds: number;
};

type Job = { id: string; status: string; finishedAt: string | null } & Record<
  'created' | 'updated' | 'unchanged' | 'failed',
  number
> & {
    error: unknown;
    rows: unknown[];
  };

const LOOK_AGAIN_MS = 50;

/** Imports rows and waits for the end. @throws Error when a row was not taken */
export async function load(ask: Ask, { resource, rows }: Import): Promise<Loaded> {
  const began = Date.now();
  const file = { type: 'application/x-ndjson', text: rows.map((row) => JSON.stringify(row)).join('\n') };
  let job = accepted(await ask('POST', `/imports?resource=${resource}`, { file }), resource).json as Job;
  while (job.finishedAt === null) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    job = accepted(await ask('GET', `/imports/${job.id}`), resource).json as Job;
  }
  const { status, created, updated, unchanged, failed } = job;
  if (status !== 'COMPLETED' || failed > 0) {
    const told = [job.error, ...job.rows.slice(0, 3)]
      .filter((each) => each !== null)
      .map((each) => JSON.stringify(each));
    throw new Error(`${resource}: ${failed} of ${rows.length} rows were not taken\n${told.join('\n')}`);
  }
  return { resource, rows: rows.length, created, updated, unchanged, seconds: (Date.now() - began) / 1000 };
}
