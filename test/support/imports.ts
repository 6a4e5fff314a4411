import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Api, Json, Reply } from './api.ts';
import { until } from './until.ts';

export type Job = {
  id: string;
  status: string;
  total: number;
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  rows: { row: number; status: string; errors: { pointer: string; code: string; detail: string }[] }[];
  error: { code: string; detail: string } | null;
  finishedAt: string | null;
} & Json;

type Ask = { dryRun?: boolean; type?: string; headers?: Record<string, string>; resource?: string; query?: string };

/** Sends a file. */
export function send(
  api: Api,
  file: string | Uint8Array,
  { dryRun, type = 'text/csv', headers = {}, resource = 'clients', query: more = '' }: Ask = {},
): Promise<Reply> {
  const query = `resource=${resource}${dryRun === undefined ? '' : `&dryRun=${dryRun}`}${more}`;
  return api.ask('POST', `/imports?${query}`, { raw: file, headers: { 'Content-Type': type, ...headers } });
}

/** Waits until a job has ended. */
export function ended(api: Api, id: unknown, deadline = 20_000): Promise<Job> {
  return until(
    `${id} to end`,
    async () => {
      const { status, json, text } = await api.get(`/imports/${id}`);
      expect(status, text).toBe(200);
      const job = json as Job;
      return job.finishedAt === null ? null : job;
    },
    deadline,
  );
}

/** Sends a file and waits for the end of its job. */
export async function imported(api: Api, file: string | Uint8Array, ask: Ask = {}, deadline?: number): Promise<Job> {
  const reply = await send(api, file, ask);
  expect(reply.status, reply.text).toBe(202);
  return ended(api, reply.json.id, deadline);
}

/** The counts of a job, for comparing. */
export const counts = ({ status, total, created, updated, unchanged, failed }: Job) => ({
  status,
  total,
  created,
  updated,
  unchanged,
  failed,
});

/** What is wrong, by row: `pointer code`. */
export const faults = (job: Job): Record<number, string[]> =>
  Object.fromEntries(
    job.rows.map(({ row, errors }) => [row, errors.map(({ pointer, code }) => `${pointer} ${code}`).sort()]),
  );

/** The company's revision now, from the log itself. */
export const headOf = async (api: Api): Promise<number> => Number((await api.get('/events?limit=1')).json.head);

/** All clients, archived ones too, page by page. */
export async function allClients(api: Api): Promise<Json[]> {
  const found: Json[] = [];
  const head = await headOf(api);
  for (let cursor = ''; ; ) {
    const page = await api.get(`/clients?limit=100&sort=createdAt&status=ACTIVE,INACTIVE,ARCHIVED${cursor}`, {
      headers: { 'Min-Revision': String(head) },
    });
    found.push(...(page.json.data as Json[]));
    const { nextCursor } = page.json.pagination as { nextCursor: string | null };
    if (nextCursor === null) return found;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

const salon = join(import.meta.dirname, '../../../shared/data/salon');

/** Why the real salon's files cannot be used here; null when they can. */
export const salonMissing: string | null = existsSync(salon) ? null : `${salon} is not here: the real salon is skipped`;

/** The distinct client codes of the real salon's files, in order of appearance, with where each was seen. */
export async function salonCodes(): Promise<Map<string, string[]>> {
  const codes = new Map<string, string[]>();
  const files = { 'bookings.csv': 0, 'cancellations.csv': 1, 'no-shows.csv': 1, 'receipts.csv': 3 };
  for (const [file, column] of Object.entries(files)) {
    const lines = (await readFile(join(salon, file), 'utf8')).split('\n').slice(1);
    for (const line of lines) {
      // Descriptions are the only quoted cells and stand before the client.
      const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, bare]) => quoted ?? bare ?? '',
      );
      const code = (cells[column] ?? '').trim();
      if (code === '') continue;
      const seen = codes.get(code) ?? [];
      const name = file.replace('.csv', '');
      codes.set(code, seen.includes(name) ? seen : [...seen, name]);
    }
  }
  return codes;
}
