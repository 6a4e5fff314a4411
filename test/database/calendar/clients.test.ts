import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  beginWrite,
  logOf,
  makeClient,
  openStage,
  pidOf,
  refusal,
  type Stage,
  undone,
  untilBlocked,
  write,
} from '../support.ts';
import { at, book, change, makeSalon, refused, type Salon } from './salon.ts';

// What calendars share with the rest: clients that are merged or erased, and guards by a field.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage);
});
afterAll(() => stage.close());

const clientOf = async (id: string): Promise<unknown> =>
  (await stage.sql('select client_id from appointments where id = $1', [id]))[0]?.client_id;

test('bookings move with a client that is merged, each as a revision', async () => {
  const [target, source] = [await makeClient(stage, salon.company), await makeClient(stage, salon.company)];
  const id = await book(app, salon, at('08:00'), { client: source });
  const { changes } = await write(app, salon.company, () =>
    app.query('select app.merge_clients($1, $2, null)', [target, source]),
  );
  expect(changes.map(({ entity, operation }) => `${entity} ${operation}`)).toEqual([
    'appointment UPDATE',
    'client UPDATE',
  ]);
  expect(await clientOf(id)).toBe(target);
});

test('what bookings say of an erased person is gone, in the log too, and of others it stays', async () => {
  const [gone, other] = [await makeClient(stage, salon.company), await makeClient(stage, salon.company)];
  const secret = 'pregnant';
  const id = await book(app, salon, at('10:00'), { client: gone });
  await change(app, salon, id, 'notes = $2', secret);
  await change(app, salon, id, `status = 'CANCELLED', status_reason = $2`, secret);
  const moved = await book(app, salon, at('12:00'), { client: gone });
  await change(app, salon, moved, 'notes = $2', secret);
  await change(app, salon, moved, 'client_id = $2, notes = $3', other, 'likes tea');
  await write(app, salon.company, () => app.query('select app.erase_client($1)', [gone]));
  const log = await logOf(stage, salon.company);
  expect(JSON.stringify(log)).not.toContain(secret);
  expect(JSON.stringify(log)).toContain('likes tea');
  const [row] = await stage.sql(
    `select notes, status, status_reason, status_history -> -1 ->> 'status' as last, client_id from appointments where id = $1`,
    [id],
  );
  expect(row).toEqual({ notes: null, status: 'CANCELLED', status_reason: null, last: 'CANCELLED', client_id: gone });
  const revisions = log.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.map((_, n) => n + 1));
});

test('a booking that waits behind a merge or an erasure finds what became of its client', async () => {
  const [kept, gone] = [await makeClient(stage, salon.company), await makeClient(stage, salon.company)];
  const [waiting, pid] = await stage.login().then(async (client) => [client, await pidOf(client)] as const);
  /** Books for `gone` while the other writer has not yet committed. */
  const meanwhile = async (statement: string, values: string[], start: string): Promise<string> => {
    await beginWrite(app, salon.company);
    await app.query(statement, values);
    const booked = book(waiting, salon, start, { client: gone });
    const settled = booked.catch(() => '');
    await untilBlocked(stage, pid);
    await app.query('select app.end_write()');
    await app.query('commit');
    await settled;
    return booked;
  };
  const merge = 'select app.merge_clients($1, $2, null)';
  expect(await clientOf(await meanwhile(merge, [kept, gone], at('14:00')))).toBe(kept);
  expect(await refused(meanwhile('select app.erase_client($1)', [kept], at('15:00')))).toMatchObject({
    code: 'erased',
  });
  // What a console wrote in between, with the triggers off, the next erasure takes out.
  const left = await book(app, salon, at('16:00'));
  await stage.sql(
    `alter table appointments disable trigger user; update appointments set client_id = '${kept}', notes = 'n' where id = '${left}';
    alter table appointments enable trigger user`,
    [],
    'cp_owner',
  );
  await write(app, salon.company, () => app.query('select app.erase_client($1)', [kept]));
  expect((await stage.sql('select notes from appointments where id = $1', [left]))[0]?.notes).toBeNull();
});

test('a guard by field fails for what was or is somebody’s, and for nobody else’s', async () => {
  const [ann = '', ben = ''] = salon.staff;
  const add = `insert into time_off (company_id, id, staff_id, starts_at, ends_at) values ($1, gen_random_uuid(), $2, $3, $4)`;
  const { head } = await write(app, salon.company, () =>
    app.query(add, [salon.company, ann, at('08:00'), at('09:00')]),
  );
  const guarded = (since: number, entities: unknown): Promise<string | null> =>
    undone(app, () => refusal(beginWrite(app, salon.company, { guard: { since, entities } })));
  const off = (...staff: string[]) => ({ 'time-off': { staff_id: staff } });
  expect(await guarded(head - 1, off(ben))).toBeNull();
  expect(await guarded(head - 1, off(ben, ann))).toBe('CP409');
  expect(await guarded(head, off(ann))).toBeNull();
  expect(await guarded(head - 1, { 'time-off': { resource_id: [ann] } })).toBeNull();
  // Given to somebody else: it concerns both, whoever asks.
  await write(app, salon.company, () => app.query('update time_off set staff_id = $2 where staff_id = $1', [ann, ben]));
  for (const staff of [ann, ben]) expect(await guarded(head, off(staff))).toBe('CP409');
  await write(app, salon.company, () => app.query('delete from time_off where staff_id = $1', [ben]));
  expect(await guarded(head + 1, off(ann))).toBeNull();
  expect(await guarded(head + 1, off(ben))).toBe('CP409');
  expect(await guarded(0, { 'time-off': { staff_id: ann } }), 'not a list').toBe('CP001');
});
