import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CatalogueRow, catalogueQuery, loadedOf, type Wanted } from '../../../src/calendar/load-catalogue.ts';
import { NOBODY } from '../../../src/core/id.ts';
import { beginRead, openStage, type Stage } from '../support.ts';
import { at, book, hold, makeSalon, type Salon } from './salon.ts';

// Catalogue and calendar as the pure rules take them, in one statement.

let stage: Stage;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  app = await stage.login();
  salon = await makeSalon(stage, 3);
});
afterAll(() => stage.close());

const minute = (time: string): number => Date.parse(at(time)) / 60_000;

async function load(more: Partial<Wanted> = {}) {
  const { company, branch, service, staff } = salon;
  const span = { first: minute('00:00'), last: minute('23:00') };
  const wanted = { companyId: company, branchId: branch, serviceIds: [service], staffIds: staff, ...span, ...more };
  const { sql, params } = new PgDialect().sqlToQuery(catalogueQuery(wanted));
  await beginRead(app, company);
  const { rows } = await app.query<CatalogueRow>(sql, params);
  await app.query('commit');
  const [row] = rows;
  if (row === undefined) throw new Error('no row');
  return loadedOf(row, 7);
}

test('what is asked for comes as the rules take it, absences and bookings in minutes', async () => {
  const [ann = '', ben = '', eve = ''] = salon.staff;
  const [chair = ''] = salon.chairs;
  await stage.sql(
    `insert into time_off (company_id, id, staff_id, starts_at, ends_at) values ($1, uuidv7(), $2, $3, $4)`,
    [...[salon.company, ann, at('12:00'), at('13:00')]],
  );
  await book(app, salon, at('08:00'), { after: 15, resources: [{ kind: 'CHAIR', resourceId: chair }] });
  await hold(app, salon, at('15:00'), { staff: ben });
  const known = await load({ kinds: ['CHAIR'], busy: true });
  expect(known).toMatchObject({ revision: 7, branch: { id: salon.branch, timeZone: 'Europe/Vienna', isActive: true } });
  expect([...known.services.keys()]).toEqual([salon.service]);
  expect([...known.staff.keys()].sort()).toEqual([...salon.staff].sort());
  expect(known.resources.map(({ id }) => id)).toEqual(salon.chairs);
  expect(known.timeOff.get(ann)).toEqual([minute('12:00'), minute('13:00')]);
  expect(known.busy.get(ann)).toEqual([minute('08:00'), minute('09:15')]);
  expect(known.busy.get(chair)).toEqual([minute('08:00'), minute('09:15')]);
  expect([known.busy.get(ben), known.busy.get(eve)]).toEqual([[minute('15:00'), minute('16:00')], undefined]);
  expect(known.busyUntil).toBeGreaterThan(Date.now());
  const plain = await load();
  expect([plain.resources, plain.busy.size, plain.busyUntil]).toEqual([[], 0, null]);
});

test('whoever offers it all at the branch is found; what nobody has finds nothing', async () => {
  const [ann = '', ben = '', eve = ''] = salon.staff;
  await stage.sql(`update staff set is_active = false where id = $1`, [ann]);
  await stage.sql(`update staff set service_ids = '{}' where id = $1`, [ben]);
  expect([...(await load({ staffIds: null })).staff.keys()]).toEqual([eve]);
  const none = await load({ branchId: NOBODY, serviceIds: [NOBODY], staffIds: [NOBODY] });
  expect([none.branch, none.services.size, none.staff.size, none.resources.length]).toEqual([null, 0, 0, 0]);
});
