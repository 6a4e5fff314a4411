import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freePort } from '../../../local/ports.ts';
import { Api, type Json, type Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { addFatClients } from '../../support/fat.ts';
import { type HeapWatch, watchHeap } from '../../support/heap.ts';
import { send } from '../../support/imports.ts';
import { until } from '../../support/until.ts';
import { type RunningWorker, startWorker } from '../../support/worker.ts';
import { openStack, type Stack } from '../../support/world.ts';

// A company with 1,000 clients of 100 kB each reads all of them in every way there is, beside another company at work.
// pieces.test.ts shows that what it reads is right.

const FAT = 1000;
const MOST_ANSWER = 8 * 1024 * 1024;
/** Of the 128 MB of an isolate: objects and buffers, garbage included. V8 collects as if it had little more than the half. */
const MOST_HEAP_MIB = 96;
const OLD_SPACE_MIB = 64;

let database: Stack;
let worker: RunningWorker;
let heap: HeapWatch;
let large: Tenant;
let calm: Tenant;
beforeAll(async () => {
  database = await openStack();
  process.env.MINIFLARE_WORKERD_V8_FLAGS = `--max-old-space-size=${OLD_SPACE_MIB} --max-semi-space-size=8`;
  const inspectorPort = await freePort();
  worker = await startWorker({ bundle: inject('bundle'), vars: database.vars, inspectorPort });
  delete process.env.MINIFLARE_WORKERD_V8_FLAGS;
  const place = { ...database, api: new Api(worker.url) };
  large = await openCompany(place);
  calm = await openCompany(place);
  for (let n = 0; n < 20; n += 1) await calm.api.post('/clients', { firstName: `Calm ${n}` });
  for (let n = 0; n < 10; n += 1) await addFatClients(database, large.companyId, FAT / 10, `${n}-`);
  heap = await watchHeap(inspectorPort);
});
afterAll(async () => {
  await heap?.stop();
  await worker?.stop();
  await database?.close();
});

const fresh = { 'Cache-Control': 'no-cache' };

/** Reads an answer without keeping it: this process has the bridge to Postgres in it, too. */
async function read(path: string, look: (piece: Buffer) => void = () => undefined): Promise<{ bytes: number }> {
  const response = await fetch(`${large.api.url}/api/v1${path}`, {
    headers: { Authorization: `Bearer ${large.api.token}`, ...fresh },
  });
  expect(response.status, path).toBe(200);
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    look(Buffer.from(piece));
  }
  return { bytes };
}

async function readLog(path: string): Promise<number> {
  let seen = 0;
  for (let after = 0; ; ) {
    const { json } = await large.api.get(`${path}?after=${after}&limit=500`);
    const data = json.data as Json[];
    if (data.length === 0) return seen;
    seen += data.length;
    after = Number(data.at(-1)?.revision);
  }
}

const abuses: Record<string, () => Promise<unknown>> = {
  async list() {
    for (let page = 1; page <= 10; page += 1) {
      const { bytes } = await read(`/clients?limit=100&page=${page}&sort=createdAt`);
      expect(bytes).toBeGreaterThan(10_000_000);
    }
  },
  async 'list, six at a time'() {
    await Promise.all([1, 2, 3, 4, 5, 6].map((page) => read(`/clients?limit=100&page=${page}&sort=createdAt`)));
  },
  events: async () => expect(await readLog('/events')).toBeGreaterThanOrEqual(FAT),
  audit: async () => expect(await readLog('/audit')).toBeGreaterThanOrEqual(FAT),
  async exports() {
    const lines = { ndjson: 0, csv: 0 };
    const count = (format: keyof typeof lines) => (piece: Buffer) => {
      for (const byte of piece) if (byte === 10) lines[format] += 1;
    };
    await Promise.all(
      (['ndjson', 'csv'] as const).map((format) => read(`/clients/export?format=${format}`, count(format))),
    );
    expect(lines).toEqual({ ndjson: FAT + 1, csv: FAT + 1 });
  },
  async import() {
    const rows = Array.from({ length: FAT }, (_, n) => `fat-${Math.floor(n / 100)}-${(n % 100) + 1},imported`);
    const { json } = await send(large.api, `externalId,notes\r\n${rows.join('\r\n')}\r\n`);
    const done = await until(
      'the import to end',
      async () => {
        const job = (await large.api.get(`/imports/${json.id}`)).json;
        return job.finishedAt === null ? null : job;
      },
      600_000,
    );
    expect(done).toMatchObject({ status: 'COMPLETED', updated: FAT });
  },
};

type Watched = { p95: number; statuses: Record<number, number> };

/** The other company at work: a read from Postgres and now and then a write, one after the other, until `done`. */
async function watch(done: () => boolean, least: number): Promise<Watched> {
  const took: number[] = [];
  const statuses: Record<number, number> = {};
  for (let n = 0; n < least || !done(); n += 1) {
    const began = performance.now();
    const { status } =
      n % 5 === 4
        ? await calm.api.post('/clients', { firstName: `Calm ${n}` })
        : await calm.api.get('/clients?limit=20', { headers: fresh });
    took.push(performance.now() - began);
    statuses[status] = (statuses[status] ?? 0) + 1;
    await pause(20);
  }
  took.sort((a, b) => a - b);
  return { p95: took[Math.floor(took.length * 0.95)] ?? 0, statuses };
}

test('everything answers in pieces, in little memory, and nobody else is touched', async () => {
  const table: Record<string, unknown>[] = [];
  await watch(() => true, 50);
  const quiet = await watch(() => true, 150);
  heap.most();
  const resting = await heap.now();
  for (const [name, abuse] of Object.entries(abuses)) {
    database.neon.forgetLargest();
    let over = false;
    const began = performance.now();
    const [watched] = await Promise.all([
      watch(() => over, 40),
      abuse().finally(() => {
        over = true;
      }),
    ]);
    const { largestAnswer } = database.neon.counts();
    const most = heap.most();
    table.push({
      abuse: name,
      seconds: Math.round((performance.now() - began) / 100) / 10,
      'largest answer, MB': Math.round(largestAnswer / 1e5) / 10,
      'heap, MB': Math.round(most / 1e6),
      'p95 of the other, ms': Math.round(watched.p95),
      'of quiet': Math.round((watched.p95 / quiet.p95) * 100) / 100,
      statuses: JSON.stringify(watched.statuses),
    });
    expect.soft(largestAnswer, name).toBeLessThan(MOST_ANSWER);
    expect
      .soft(
        Object.keys(watched.statuses).filter((status) => Number(status) >= 400),
        name,
      )
      .toEqual([]);
    expect.soft(most, name).toBeLessThan(MOST_HEAP_MIB * 1024 * 1024);
  }
  console.table(table);
  console.log(`quiet p95 ${Math.round(quiet.p95)} ms, at rest ${Math.round(resting / 1e6)} MB`);
});
