import { expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, faults, headOf, imported } from '../../support/imports.ts';
import { maker } from '../../support/made.ts';
import { sharedWorld } from '../../support/shared.ts';
import { yearLike } from '../../support/years.ts';

// What of an imported past meets: each other, what is booked here, a catalogue that changed, files of before.

const YEAR = yearLike(2030);
const world = await sharedWorld();
const salon = await openCompany(world);
const made = maker(salon.api);
const branchId = await made('/branches', { externalId: 'main', name: 'Main', timeZone: 'Europe/Vienna' });
const staff = await Promise.all(
  ['one', 'two', 'three'].map((externalId) =>
    made('/staff', { externalId, firstName: externalId, branchIds: [branchId] }),
  ),
);
const cut = {
  ...{
    externalId: 'cut',
    name: 'Cut',
    durationMinutes: 30,
    bufferAfterMinutes: 5,
    price: { amount: 3000, currency: 'EUR' },
  },
  staff: staff.map((staffId) => ({ staffId })),
};
const serviceId = await made('/services', cut);
await made('/services', { ...cut, externalId: 'chair', requires: ['CHAIR'] });
await made('/resources', { externalId: 'c1', name: 'Chair', kind: 'CHAIR', branchId });

const take = (rows: Json[]) =>
  imported(salon.api, rows.map((row) => JSON.stringify(row)).join('\n'), {
    resource: 'appointments',
    type: 'application/x-ndjson',
  });
type Shown = Json & {
  externalId: string;
  allowOverlap: boolean;
  version: number;
  status: string;
  resources: Json[];
  statusHistory: Json[];
};
async function all(): Promise<Map<string, Shown>> {
  const lines = (
    await salon.api.get(
      '/appointments/export?status=PENDING,CONFIRMED,CHECKED_IN,IN_PROGRESS,COMPLETED,CANCELLED,NO_SHOW',
    )
  ).text;
  const rows = lines
    .split('\n')
    .flatMap((line) => (line === '' || line.startsWith('{"_end"') ? [] : [JSON.parse(line) as Shown]));
  return new Map(rows.map((row) => [row.externalId, row]));
}
const MINUTE = 60_000;
const at = (day: string, minute: number): string =>
  new Date(Date.parse(`${day}T06:00:00Z`) + minute * MINUTE).toISOString();
const row = (externalId: string, startsAt: string, more: Json = {}): Json => ({
  ...{ externalId, branchExternalId: 'main', staffExternalId: 'one', serviceExternalIds: ['cut'], startsAt },
  ...{ status: 'COMPLETED', ...more },
});

/** Of minutes at which rows begin, in their order, which are outside: 30 minutes and 5 of buffer long, as few as can be. */
function outside(begins: readonly number[]): boolean[] {
  const inside: number[] = [];
  const inOrder = begins.map((minute, i) => ({ minute, i })).sort((a, b) => a.minute - b.minute || a.i - b.i);
  const marked = inOrder.filter(({ minute }) => {
    if (inside.some((other) => minute - other < 35)) return true;
    inside.push(minute);
    return false;
  });
  return begins.map((_, i) => marked.some((each) => each.i === i));
}

test('of those that overlap as few as can be are outside the rule, in one file or in many, in whatever order', async () => {
  const begins = Array.from({ length: 60 }, (_, i) => ((i * 37) % 60) * 11 + (i % 3));
  const day = '2019-05-06';
  const rowsOf = (who: string) =>
    begins.map((minute, i) => row(`${who}-${i}`, at(day, minute), { staffExternalId: who }));
  await take(rowsOf('one'));
  const pieces = rowsOf('two');
  for (let from = 0; from < pieces.length; from += 17) await take(pieces.slice(from, from + 17));
  const stored = await all();
  const expected = outside(begins);
  for (const who of ['one', 'two'])
    expect(begins.map((_, i) => stored.get(`${who}-${i}`)?.allowOverlap)).toEqual(expected);
  const head = await headOf(salon.api);
  expect(counts(await take([...rowsOf('one'), ...rowsOf('two')]))).toMatchObject({ unchanged: 120, failed: 0 });
  expect(await headOf(salon.api)).toBe(head);
});

test('who comes back into the rule, and who does not', async () => {
  const day = '2019-05-07';
  const chain = [0, 30, 60, 90].map((minute, i) => row(`chain-${i}`, at(day, minute), { staffExternalId: 'three' }));
  const marks = async (): Promise<unknown[]> => {
    const stored = await all();
    return chain.map(({ externalId }) => stored.get(String(externalId))?.allowOverlap);
  };
  // The last two first: the one behind is outside until the one before is.
  await take(chain.slice(2));
  expect((await marks()).slice(2)).toEqual([false, true]);
  await take(chain.slice(1));
  expect((await marks()).slice(1)).toEqual([false, true, false]);
  await take(chain);
  expect(await marks()).toEqual([false, true, false, true]);
  // One that goes elsewhere leaves its place to those behind.
  await take([{ ...chain[0], startsAt: at('2019-05-08', 0) }]);
  expect(await marks()).toEqual([false, false, true, false]);
  // Whom somebody wanted outside stays there, and whom somebody has changed since.
  await take([{ ...chain[2], allowOverlap: true }]);
  const touched = (await all()).get('chain-2');
  expect(touched?.allowOverlap).toBe(true);
  const patched = await salon.api.patch(`/appointments/${touched?.id}`, { notes: 'on purpose' });
  expect(patched.status, patched.text).toBe(200);
  await take([{ ...chain[1], startsAt: at('2019-05-08', 60) }]);
  expect(await marks()).toEqual([false, false, true, false]);
});

test('what is booked here gives way to nobody, and no chair is refused to what was', async () => {
  const startsAt = `${YEAR}-01-07T10:00:00.000Z`;
  await made('/appointments', { branchId, staffId: staff[2], services: [{ serviceId }], startsAt });
  const job = await take([
    row('beside', `${YEAR}-01-07T09:50:00Z`, { staffExternalId: 'three', status: 'CONFIRMED' }),
    row('gone', `${YEAR}-01-07T10:00:00Z`, { staffExternalId: 'three', status: 'CANCELLED' }),
    row('seated', `${YEAR}-01-08T10:00:00Z`, { serviceExternalIds: ['chair'], status: 'CONFIRMED' }),
    row('standing', `${YEAR}-01-08T10:00:00Z`, {
      serviceExternalIds: ['chair'],
      staffExternalId: 'two',
      status: 'CONFIRMED',
    }),
  ]);
  expect(faults(job)).toEqual({});
  const stored = await all();
  const overlaps = ['beside', 'gone', 'seated', 'standing'].map((id) => stored.get(id)?.allowOverlap);
  expect(overlaps).toEqual([true, false, false, true]);
  for (const id of ['seated', 'standing'])
    expect(stored.get(id)?.resources).toEqual([
      { kind: 'CHAIR', resourceId: expect.stringMatching(/^rsrc_/), resourceExternalId: 'c1' },
    ]);
});

test('what was booked is frozen; statuses go on, step by step, and never back', async () => {
  const told = [
    { status: 'PENDING', at: '2019-01-01T10:00:00.000Z', by: 'ADMIN', reason: null },
    { status: 'CONFIRMED', at: '2019-01-02T10:00:00.000Z', reason: 'by phone' },
  ];
  const first = row('frozen', at('2019-06-03', 0), { staffExternalId: 'two', status: null, statusHistory: told });
  const open = row('open', at('2019-06-03', 60), { staffExternalId: 'two', status: 'CONFIRMED' });
  expect(counts(await take([first, open]))).toMatchObject({ created: 2 });
  await salon.api.patch(`/services/${serviceId}`, {
    name: 'Dearer',
    price: { amount: 9900, currency: 'EUR' },
    durationMinutes: 60,
  });
  expect(counts(await take([first, open]))).toMatchObject({ unchanged: 2, failed: 0 });
  const cancelled = { ...told[1], status: 'CANCELLED', at: '2019-06-02T10:00:00.000Z', reason: 'ill' };
  expect(
    counts(
      await take([
        { ...first, statusHistory: [...told, cancelled] },
        { ...open, status: 'COMPLETED' },
      ]),
    ),
  ).toMatchObject({ updated: 2 });
  const stored = await all();
  expect(stored.get('frozen')).toMatchObject({
    ...{ status: 'CANCELLED', statusReason: 'ill', source: 'IMPORT', services: [{ name: 'Cut', durationMinutes: 30 }] },
    statusHistory: [told[0], { ...told[1], by: 'IMPORT' }, { ...cancelled, by: 'IMPORT' }],
  });
  expect(stored.get('open')?.statusHistory.map(({ status }) => status)).toEqual([
    'CONFIRMED',
    'CHECKED_IN',
    'IN_PROGRESS',
    'COMPLETED',
  ]);
  // A file of before knows less, and says nothing against it.
  expect(counts(await take([first]))).toMatchObject({ unchanged: 1 });
  expect(faults(await take([{ externalId: 'open', status: 'NO_SHOW' }]))).toEqual({
    1: ['/status illegal_transition'],
  });
  // Nothing else is said, so nothing else changes; an earlier time is another one.
  expect(counts(await take([{ externalId: 'open', notes: 'late', localStart: '2019-06-03T08:55' }]))).toMatchObject({
    updated: 1,
  });
  expect((await all()).get('open')).toMatchObject({
    notes: 'late',
    startsAt: '2019-06-03T06:55:00.000Z',
    price: cut.price,
  });
});
