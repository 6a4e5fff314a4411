import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { Api, signUp, type Tenant } from '../test/support/api.ts';
import { uuidOf } from '../test/support/people.ts';
import { loadClients } from '../test/support/phone-book.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import type { Bench, BenchWorker } from './stack.ts';
import { median, round } from './statistics.ts';
import { table } from './table.ts';
import { residentBytes } from './workerd.ts';

const ROWS = 100_000;
/** What memory is compared with: as many rows in ten exports. V8 lets garbage lie for a while, the same of either. */
const REFERENCE_ROWS = 10_000;
const LIMIT_MS = 1000;
const SAMPLE_MS = 20;
const LF = 10;
/** A caller on a bad line: pause after each piece of the answer, ms. */
const SLOW_PAUSE_MS = 30;

type Kind = { name: string; format: 'ndjson' | 'csv'; gzip?: boolean; slow?: boolean };
const KINDS: readonly Kind[] = [
  { name: 'ndjson', format: 'ndjson' },
  { name: 'csv', format: 'csv' },
  { name: 'ndjsonGzip', format: 'ndjson', gzip: true },
  { name: 'csvSlowReader', format: 'csv', slow: true },
];

type Download = { firstByteMs: number; totalMs: number; bytes: number };
type Run = Download & { grownBytes: number };

/**
 * An export of 100,000 clients: how soon it begins, and how much the process of its Worker grows while it lasts, beside ten
 * of 10,000 one after another: equal, if neither keeps what it has sent. Each run has a Worker of its own, because V8 keeps
 * memory that it has once taken.
 */
export async function exporting({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const first = await bench.start();
  const [big, small] = [await company(bench, first, ROWS), await company(bench, first, REFERENCE_ROWS)];
  await first.stop();
  progress(`${ROWS} and ${REFERENCE_ROWS} clients stored`);
  const lines: (string | number)[][] = [['', 'first byte, ms', 'whole, s', 'MB', 'grown, MB', 'in ten, MB']];
  const figures: Record<string, unknown> = { limitFirstByteMs: LIMIT_MS };
  for (const kind of KINDS) {
    const measured: { round: number; long: Run; short: Run }[] = [];
    for (let number = 1; number <= rounds; number += 1) {
      const long = await alone(bench, big, kind, ROWS);
      measured.push({ round: number, long, short: await alone(bench, small, kind, REFERENCE_ROWS) });
      progress(`${kind.name}, round ${number} of ${rounds}`);
    }
    const of = (pick: (each: (typeof measured)[number]) => number): number => median(measured.map(pick));
    const [firstByteMs, totalMs] = [of(({ long }) => long.firstByteMs), of(({ long }) => long.totalMs)];
    const [grown, reference] = [of(({ long }) => long.grownBytes), of(({ short }) => short.grownBytes)];
    const bytes = of(({ long }) => long.bytes);
    lines.push([kind.name, round(firstByteMs, 0), round(totalMs / 1000, 1), mb(bytes), mb(grown), mb(reference)]);
    figures[kind.name] = {
      ...{ firstByteMs: round(firstByteMs, 1), totalMs: round(totalMs, 0), bytes },
      ...{ grownBytes: grown, referenceGrownBytes: reference, ratio: round(grown / reference) },
      rounds: measured,
    };
  }
  return { lines: table(lines), figures };
}

const mb = (bytes: number): number => round(bytes / 1e6, 1);

async function company(bench: Bench, worker: BenchWorker, rows: number): Promise<Tenant> {
  const tenant = await signUp(new Api(worker.url));
  const client = new pg.Client({ connectionString: bench.vars.DATABASE_MIGRATION_URL });
  await client.connect();
  try {
    await loadClients(client, uuidOf('comp', tenant.companyId), rows);
    await client.query('analyze clients');
  } finally {
    await client.end();
  }
  return tenant;
}

async function alone(bench: Bench, { api }: Tenant, kind: Kind, rows: number): Promise<Run> {
  const worker = await bench.start();
  try {
    // The first requests load code and keys; the memory of that is no export's.
    for (let n = 0; n < 3; n += 1) await api.at(worker.url).get('/clients/export?tag=none');
    return await measure(worker, String(api.token), kind, rows);
  } finally {
    await worker.stop();
  }
}

/** Exports these rows, as often as makes 100,000 of them. */
async function measure({ url, pid }: BenchWorker, token: string, kind: Kind, rows: number): Promise<Run> {
  const before = pid === null ? Number.NaN : await residentBytes(pid);
  let most = before;
  let running = true;
  const sampling = (async () => {
    while (running && pid !== null) {
      most = Math.max(most, await residentBytes(pid));
      await pause(SAMPLE_MS);
    }
  })();
  try {
    const runs: Download[] = [];
    for (let done = 0; done < ROWS; done += rows) runs.push(await download(url, token, kind, rows));
    const { firstByteMs, totalMs, bytes } = runs[0] as Download;
    return { firstByteMs, totalMs, bytes, grownBytes: most - before };
  } finally {
    running = false;
    await sampling;
  }
}

/** Reads one export to its end. @throws Error when it is not whole */
async function download(url: string, token: string, kind: Kind, rows: number): Promise<Download> {
  const started = performance.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'Accept-Encoding': kind.gzip === true ? 'gzip' : 'identity' };
    request(`${url}/api/v1/clients/export?format=${kind.format}`, { headers }, resolve).once('error', reject).end();
  });
  if (answer.statusCode !== 200) throw new Error(`the export answered ${answer.statusCode}`);
  let firstByteMs = Number.NaN;
  let [bytes, lines, tail] = [0, 0, ''];
  const text = kind.gzip === true ? createGunzip() : null;
  const read = (piece: Buffer): void => {
    for (const byte of piece) if (byte === LF) lines += 1;
    tail = (tail + piece.toString('latin1')).slice(-100);
  };
  text?.on('data', read);
  for await (const piece of answer as AsyncIterable<Buffer>) {
    if (bytes === 0) firstByteMs = performance.now() - started;
    bytes += piece.byteLength;
    if (text === null) read(piece);
    else if (!text.write(piece)) await once(text, 'drain');
    if (kind.slow === true) await pause(SLOW_PAUSE_MS);
  }
  const totalMs = performance.now() - started;
  if (text !== null) await finished(text.end());
  const whole = kind.format === 'csv' ? lines === rows + 1 : tail.endsWith(`{"_end":true,"count":${rows}}\n`);
  if (!whole) throw new Error(`the export of ${rows} rows is not whole: ${lines} lines`);
  return { firstByteMs, totalMs, bytes };
}
