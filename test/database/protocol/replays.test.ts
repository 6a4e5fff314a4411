import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { logOf, makeCompany, openStage, type Stage } from '../support.ts';
import { keyedWrites } from './keyed-writes.ts';

// What a repeated key is answered: the object as it was, however much of the log is gone.

let stage: Stage;
let app: pg.Client;
let company: string;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
});
afterAll(() => stage.close());
beforeEach(async () => {
  company = await makeCompany(stage);
});

const { once, replayOf } = keyedWrites(() => ({ app, company }));

describe('the image of a replay', () => {
  const rename = (id: string, name: string) => (client: pg.Client) =>
    client.query('update clients set first_name = $2 where id = $1', [id, name]);

  test('is the state at its own revision, whatever happened since', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    await once({ key: 'again', id, status: 200, work: rename(id, 'Cy') });
    await stage.sql('delete from clients where id = $1', [id]);
    const seen = [
      await replayOf({ key: 'add', id }),
      await replayOf({ key: 'rename', id }),
      await replayOf({ key: 'again', id }),
    ];
    expect(
      seen.map(({ status, revision, image }) => [status, revision, image?.row.first_name, image?.row.version]),
    ).toEqual([
      [201, 2, 'Ann', 1],
      [200, 3, 'Bo', 2],
      [200, 4, 'Cy', 3],
    ]);
    const log = await logOf(stage, company);
    expect(seen.map(({ image }) => image?.row)).toEqual(log.slice(1, 4).map(({ after }) => after));
  });

  test('of a write that changed nothing is the state it found', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'other' });
    await once({ key: 'same', id, work: rename(id, 'Ann') });
    await stage.sql(`update clients set first_name = 'Bo' where id = $1`, [id]);
    expect(await replayOf({ key: 'same', id })).toMatchObject({
      revision: 3,
      image: { row: { first_name: 'Ann', version: 1 } },
    });
  });

  test('of a deletion is what was deleted', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    // Only the owner deletes clients; the key is stored as the application would have.
    await stage.sql('delete from clients where id = $1', [id]);
    await once({ key: 'gone', entity: id, work: () => app.query('select 1') });
    expect((await replayOf({ key: 'gone' })).image?.row).toMatchObject({ id, first_name: 'Ann' });
  });

  const trim = (revision: number) =>
    stage.sql('delete from changes where company_id = $1 and revision <= $2', [company, revision]);

  test('of a write that changed nothing outlives the trimmed log, whatever happens afterwards', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'same', id, status: 200, work: rename(id, 'Ann') });
    const before = await replayOf({ key: 'same', id });
    await trim(2);
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    await once({ key: 'other' });
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    expect(await replayOf({ key: 'same', id })).toEqual(before);
    expect(before.image?.row.first_name).toBe('Ann');
  });

  test('of a real change whose part of the log is gone is exact, or says that it is of today', async () => {
    const id = randomUUID();
    await once({ key: 'add', id });
    await once({ key: 'rename', id, status: 200, work: rename(id, 'Bo') });
    const before = await replayOf({ key: 'add', id });
    await trim(2);
    expect(await replayOf({ key: 'add', id })).toEqual(before);
    await once({ key: 'again', id, status: 200, work: rename(id, 'Cy') });
    await trim(3);
    // Revision 3 might have been of anything: what it found is not known any more.
    const now = await replayOf({ key: 'add', id });
    expect([now.status, now.revision, now.entityId, now.image?.row.first_name]).toEqual([201, 4, id, 'Cy']);
  });

  test('is null where the answer names no entity, or one that the log does not know', async () => {
    await once({ key: 'none', entity: null, result: [1, 'two'] });
    expect(await replayOf({ key: 'none' })).toEqual({
      status: 201,
      revision: 2,
      entityId: null,
      result: [1, 'two'],
      image: null,
    });
    const stranger = randomUUID();
    await once({ key: 'stranger', entity: stranger });
    expect(await replayOf({ key: 'stranger' })).toMatchObject({ entityId: stranger, result: null, image: null });
  });
});
