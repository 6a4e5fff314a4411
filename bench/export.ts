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
const LIMIT_MS = 1000;
/** V8's own plateau is about 50 MB; an export that kept the 35 MB of NDJSON it has sent grew by 85. */
const LIMIT_GROWN_BYTES = 64e6;
const SAMPLE_MS = 20;
const LF = 10;
/** A caller on a bad line: pause after each piece of the answer, ms. */
const SLOW_PAUSE_MS = 100;

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
 * An export of 100,000 clients: how soon it begins, and how much the process of its Worker grows while it lasts. Each has a
 * Worker of its own, because V8 keeps memory that it has once taken.
 */
export async function exporting({ rounds, stack, progress }: BenchOptions): Promise<BenchResult> {
  const bench = await stack();
  const first = await bench.start();
  const tenant = await company(bench, first);
  await first.stop();
  progress(`${ROWS} clients stored`);
  const lines: (string | number)[][] = [['', 'first byte, ms', 'whole, s', 'MB', 'grown, MB']];
  const figures: Record<string, unknown> = { limitFirstByteMs: LIMIT_MS, limitGrownBytes: LIMIT_GROWN_BYTES };
  for (const kind of KINDS) {
    const measured: Run[] = [];
    for (let number = 1; number <= rounds; number += 1) {
      measured.push(await alone(bench, tenant, kind));
      progress(`${kind.name}, round ${number} of ${rounds}`);
    }
    const of = (name: keyof Run): number => round(median(measured.map((each) => each[name])), 1);
    const run: Run = {
      ...{ firstByteMs: of('firstByteMs'), totalMs: of('totalMs'), bytes: of('bytes'), grownBytes: of('grownBytes') },
    };
    lines.push([kind.name, round(run.firstByteMs, 0), round(run.totalMs / 1000, 1), mb(run.bytes), mb(run.grownBytes)]);
    figures[kind.name] = { ...run, rounds: measured.map((each, index) => ({ round: index + 1, ...each })) };
  }
  return { lines: table(lines), figures };
}

const mb = (bytes: number): number => round(bytes / 1e6, 1);

async function company(bench: Bench, worker: BenchWorker): Promise<Tenant> {
  const tenant = await signUp(new Api(worker.url));
  const client = new pg.Client({ connectionString: bench.vars.DATABASE_MIGRATION_URL });
  await client.connect();
  try {
    await loadClients(client, uuidOf('comp', tenant.companyId), ROWS);
    await client.query('analyze clients');
  } finally {
    await client.end();
  }
  return tenant;
}

async function alone(bench: Bench, { api }: Tenant, kind: Kind): Promise<Run> {
  const worker = await bench.start();
  try {
    // The first requests load code and keys; the memory of that is no export's.
    for (let n = 0; n < 3; n += 1) await api.at(worker.url).get('/clients/export?tag=none');
    return await measure(worker, String(api.token), kind);
  } finally {
    await worker.stop();
  }
}

async function measure({ url, pid }: BenchWorker, token: string, kind: Kind): Promise<Run> {
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
    const whole = await download(url, token, kind);
    return { ...whole, grownBytes: most - before };
  } finally {
    running = false;
    await sampling;
  }
}

/** Reads one export to its end. @throws Error when it is not whole */
async function download(url: string, token: string, kind: Kind): Promise<Download> {
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
  const whole = kind.format === 'csv' ? lines === ROWS + 1 : tail.endsWith(`{"_end":true,"count":${ROWS}}\n`);
  if (!whole) throw new Error(`the export of ${ROWS} rows is not whole: ${lines} lines`);
  return { firstByteMs, totalMs, bytes };
}
