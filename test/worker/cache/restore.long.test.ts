import { expect, test } from 'vitest';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { make } from '../../support/routes.ts';
import { ownWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// A database restored to an earlier point goes on counting from there, so revisions name two histories.
// The epoch tells them apart: nothing of the old one may be served once the new one is known.

const world = await ownWorld();
const salon = await openCompany(world);
const here = salon.api;
const there = salon.api.at((await world.another()).url);

/** How much later than CACHE_MAX_STALENESS_MS a poll of a loaded machine may notice. */
const SLACK = 7000;

const min = (revision: number): Record<string, string> => ({ 'Min-Revision': String(revision) });
const COLUMNS =
  'first_name, last_name, email, phone, status, tags, notes, custom_fields, external_id, version, updated_at';

/** Keeps the company's clients and head; the answer puts them back, as a restore of the database would. */
async function savePoint(): Promise<() => Promise<void>> {
  const company = `'${uuidOf('comp', salon.companyId)}'`;
  await world.sql(`drop table if exists saved_clients, saved_head`);
  await world.sql(`create table saved_clients as select * from clients where company_id = ${company}`);
  await world.sql(`create table saved_head as select * from company_heads where company_id = ${company}`);
  return async () => {
    // No trigger runs during a restore: it brings back rows, log and head as they were.
    await world.sql(`
      set session_replication_role = replica;
      delete from clients c where company_id = ${company} and not exists (select from saved_clients s where s.id = c.id);
      update clients c set (${COLUMNS}) = (select ${COLUMNS} from saved_clients s where s.id = c.id) where company_id = ${company};
      delete from changes where company_id = ${company} and revision > (select revision from saved_head);
      update company_heads set epoch = uuidv7(), revision = (select revision from saved_head) where company_id = ${company};
      set session_replication_role = origin`);
  };
}

type Old = { point: number; id: string; path: string; last: Reply; etags: string[] };

/** Writes a history that will be undone, and leaves its answers in every tier of both isolates. */
async function oldHistory(): Promise<Old & { restore: () => Promise<void> }> {
  const id = await make(here, 'clients');
  const path = `/clients/${id}`;
  const kept = await here.patch(path, { notes: 'kept' });
  const restore = await savePoint();
  await here.patch(path, { notes: 'old 1' });
  const last = await here.patch(path, { notes: 'old 2' });
  const etags: string[] = [];
  for (const api of [here, there]) {
    for (const at of [path, '/clients']) {
      const read = await api.get(at, { headers: min(last.revision) });
      expect(read.text).toContain('old 2');
      etags.push(String(read.headers.get('etag')));
    }
  }
  return { point: kept.revision, id, path, last, etags, restore };
}

test('revisions that are written again never show the old history', async () => {
  const old = await oldHistory();
  await old.restore();
  const first = await here.patch(old.path, { notes: 'new 1' });
  expect(first.revision).toBe(old.point + 1);
  const second = await here.patch(old.path, { notes: 'new 2' });
  // The number is the one under which both isolates hold an entry of the old history.
  expect(second.revision).toBe(old.last.revision);
  for (const api of [here, there]) {
    for (const at of [old.path, '/clients']) {
      const headers = min(second.revision);
      // What this isolate read lately may be the old epoch for CACHE_MAX_STALENESS_MS, as after any write.
      await until(`the new history at ${at}`, async () => (await api.get(at, { headers })).text.includes('new 2'));
      const read = await api.get(at, { headers });
      expect(read.text).not.toContain('old');
      const ifNoneMatch = { ...headers, 'If-None-Match': old.etags.join(', '), 'Cache-Control': 'max-age=0' };
      const conditional = await api.get(at, { headers: ifNoneMatch });
      expect([conditional.status, conditional.text]).toEqual([200, read.text]);
    }
  }
  expect((await there.get('/events?limit=500')).text).not.toContain('old');
});

// A revision alone does not tell the histories apart, so an isolate that read the old epoch lately believes for
// CACHE_MAX_STALENESS_MS that it has reached the new number: here F1 holds for the writer's isolate, F2 for the others.
test('the first write after a restore is seen by its writer at once, elsewhere within CACHE_MAX_STALENESS_MS', async () => {
  const old = await oldHistory();
  await old.restore();
  const written = await here.patch(old.path, { notes: 'new' });
  expect((await here.get(old.path)).text).toContain('new');
  const headers = min(written.revision);
  await until(
    'the new history',
    async () => (await there.get(old.path, { headers })).text.includes('new'),
    2000 + SLACK,
  );
});

test('after a sweep the restored state shows without any write', async () => {
  const old = await oldHistory();
  await old.restore();
  await world.worker.sweep();
  for (const api of [here, there]) {
    await until('the state of the restore point', async () => (await api.get(old.path)).text.includes('kept'));
    const list = await until('the list of it', async () => {
      const read = await api.get('/clients');
      return !read.text.includes('old 2') && read;
    });
    expect(list.revision).toBe(old.point);
    const conditional = await api.get(old.path, {
      headers: { 'If-None-Match': old.etags.join(', '), 'Cache-Control': 'max-age=0' },
    });
    expect(conditional.status).toBe(200);
  }
});

test('a position in the old history is told apart: another epoch, or ahead', async () => {
  const before = await here.get('/events?limit=1');
  const old = await oldHistory();
  await old.restore();
  const events = await here.get(`/events?after=${old.point}&epoch=${before.json.epoch}`);
  expect([events.status, events.json.code]).toEqual([409, 'epoch_changed']);
  expect(events.json.epoch).not.toBe(before.json.epoch);
  expect(events.json.head).toBe(old.point);
  const now = await here.get(`/events?after=${old.point}&epoch=${events.json.epoch}`);
  expect([now.status, now.json.data]).toEqual([200, []]);
  await world.worker.sweep();
  await until('a revision beyond the new head is ahead', async () => {
    const read = await there.get('/clients', { headers: min(old.last.revision) });
    return read.json.code === 'revision_ahead';
  });
});
