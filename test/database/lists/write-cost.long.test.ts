import type pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { fill } from '../../support/many-rows.ts';
import { bookAll, bookingRow, makeSalon } from '../calendar/salon.ts';
import { makeCompany, openStage, type Stage, write as written } from '../support.ts';

// What writes pay for what the indexes of sorts hold besides their keys, and for rows that are kept for lists alone, beside the same
// without it. Bytes of the log are asserted; times are printed, because they are the machine's.

const stages: Stage[] = [];
afterAll(() => Promise.all(stages.map((stage) => stage.close())));

/** A database with a hundred thousand clients. */
async function filled(covering: boolean): Promise<{ client: pg.Client; company: string }> {
  const stage = await openStage();
  stages.push(stage);
  const company = await makeCompany(stage);
  const client = await stage.console();
  await client.query('reset role');
  if (!covering) {
    const { rows } = await client.query<{ name: string; definition: string }>(
      `select indexname as name, indexdef as definition from pg_indexes where tablename = 'clients' and indexdef like '%INCLUDE%'`,
    );
    expect(rows).toHaveLength(5);
    for (const { name, definition } of rows)
      await client.query(`drop index ${name}; ${definition.replace(/ INCLUDE \([^)]*\)/, '')}`);
  }
  await fill(client, 'clients', company, { own: 20_000, others: 80_000 });
  await client.query('set role cp_owner');
  return { client, company };
}

type Cost = { ms: number; bytes: number };

/** What `work` took, and what the backend of `writer` wrote to the log meanwhile: others, autovacuum too, write it as well. */
async function costOf(writer: pg.Client, work: () => Promise<unknown>): Promise<Cost> {
  const written = async (): Promise<number> => {
    await writer.query('select pg_stat_force_next_flush()');
    const { rows } = await writer.query<{ bytes: string }>(
      'select wal_bytes as bytes from pg_stat_get_backend_wal(pg_backend_pid())',
    );
    return Number(rows[0]?.bytes);
  };
  const [before, began] = [await written(), performance.now()];
  await work();
  return { ms: performance.now() - began, bytes: (await written()) - before };
}

/** Ten thousand clients inserted, five hundred a statement, and two thousand of them changed. */
async function write({ client, company }: { client: pg.Client; company: string }, round: number) {
  const pieces = Array.from({ length: 20 }, (_, i) => round * 10_000 + i * 500);
  const inserted = await costOf(client, async () => {
    for (const first of pieces)
      await client.query(
        `insert into clients (company_id, id, first_name, last_name, email, external_id)
         select $1, gen_random_uuid(), 'F' || i * 7919 % 997, 'L' || i * 104729 % 5003, 'q' || i || '@example.com', 'Y' || i
         from generate_series($2::bigint, $2::bigint + 499) i`,
        [company, first],
      );
  });
  const changed = await costOf(client, async () => {
    for (const first of pieces)
      await client.query(
        `update clients set notes = 'changed' where company_id = $1
         and external_id = any(select 'Y' || i from generate_series($2::bigint, $2::bigint + 99) i)`,
        [company, first],
      );
  });
  return { inserted, changed };
}

const shown = ({ ms, bytes }: Cost): string => `${ms.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`;

test('what the sorts of clients hold besides makes an insert no dearer by half, and a change not twice as dear', async () => {
  const [bare, covering] = [await filled(false), await filled(true)];
  const table: Record<string, string>[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [without, held] = [await write(bare, round), await write(covering, round)];
    for (const kind of ['inserted', 'changed'] as const)
      table.push({ kind, without: shown(without[kind]), held: shown(held[kind]) });
    expect(held.inserted.bytes / without.inserted.bytes).toBeLessThan(1.5);
    expect(held.changed.bytes / without.changed.bytes).toBeLessThan(2);
  }
  console.table(table);
}, 600_000);

test('what is kept of who does an appointment makes neither a booking nor its next status dearer by half', async () => {
  const stage = await openStage();
  stages.push(stage);
  const app = await stage.login();
  const admin = await stage.console();
  const table: Record<string, string>[] = [];
  const bytes = { booked: { kept: 0, bare: 0 }, confirmed: { kept: 0, bare: 0 } };
  for (let round = 0; round < 4; round += 1) {
    // What is kept goes first every other time: what comes later finds fuller pages, which split more often.
    for (const kept of round % 2 === 0 ? [false, true] : [true, false]) {
      const salon = await makeSalon(stage, 1);
      for (const name of ['staff_insert', 'staff_update'])
        await admin.query(`alter table appointments ${kept ? 'enable' : 'disable'} trigger ${name}`);
      const day = (n: number): string => new Date(Date.UTC(2027, 0, 1 + n, 9)).toISOString();
      const booked = await costOf(app, async () => {
        for (let n = 0; n < 200; n += 1) await bookAll(app, salon, [bookingRow(salon, day(n), { status: 'PENDING' })]);
      });
      const { rows } = await admin.query<{ id: string }>('select id from appointments where company_id = $1', [
        salon.company,
      ]);
      const confirmed = await costOf(app, async () => {
        for (const { id } of rows)
          await written(app, salon.company, () =>
            app.query(`update appointments set status = 'CONFIRMED' where id = $1`, [id]),
          );
      });
      bytes.booked[kept ? 'kept' : 'bare'] += booked.bytes;
      bytes.confirmed[kept ? 'kept' : 'bare'] += confirmed.bytes;
      table.push({ kept: String(kept), booked: shown(booked), confirmed: shown(confirmed) });
    }
  }
  console.table(table);
  for (const [kind, { kept, bare }] of Object.entries(bytes)) expect(kept / bare, kind).toBeLessThan(1.5);
}, 600_000);
