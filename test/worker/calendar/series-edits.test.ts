import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { type Occurrence, occurrencesOf, openSeries, verdicts } from './series-world.ts';

// Edits of series reach what they name, and nothing that is over.

const world = await sharedWorld();
const { api } = await openCompany(world);
const { salon, work, made, somebody, series, stored } = await openSeries(api);
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const head = async (): Promise<number> => Number((await api.get('/events?limit=1')).json.head);

test('an edit may tell its time on another clock', async () => {
  const staffId = await somebody();
  const { json } = await series({ staffId, localStart: '2028-03-20T09:00', rrule: 'FREQ=WEEKLY;COUNT=2' });
  const [first] = json.occurrences as Occurrence[];
  const edit = (body: Json): Promise<Reply> =>
    api.patch(`/appointments/series/${json.id}`, { scope: 'FOLLOWING', appointmentId: first?.appointmentId, ...body });
  const moved = await edit({ localStart: '2028-03-20T10:30', timeZone: 'Europe/London' });
  expect(moved.status, moved.text).toBe(200);
  expect(occurrencesOf(moved).map(({ localStart }) => localStart)).toEqual(['2028-03-20T11:30', '2028-03-27T11:30']);
  const own = await edit({ localStart: '2028-03-20T10:00', timeZone: 'Europe/Vienna' });
  expect(occurrencesOf(own).map(({ localStart }) => localStart)).toEqual(['2028-03-20T10:00', '2028-03-27T10:00']);
  const clock = { timeZone: 'America/New_York' };
  expectProblem(await edit({ localStart: '2028-03-12T02:30', ...clock }), 'nonexistent_local_time', ['suggestions']);
  expectProblem(await edit({ localStart: '2028-11-05T01:30', ...clock }), 'ambiguous_local_time', ['instants']);
  expect(expectProblem(await edit({ startsAt: '2028-03-20T10:00:00Z', ...clock }), 'invalid_body')).toMatchObject([
    { pointer: '/timeZone', code: 'conflict' },
  ]);
});

describe('edits', () => {
  const edit = (id: unknown, body: Json): Promise<Reply> => api.patch(`/appointments/series/${id}`, body);
  const localOf = async (reply: Reply): Promise<unknown[]> => (await stored(reply)).map(({ localStart }) => localStart);
  const days = (month: string, time: string, ...dates: number[]): string[] =>
    dates.map((date) => `${month}-${String(date).padStart(2, '0')}T${time}`);

  test('move one, those from it on, or all as far on the wall clock, and never what is over', async () => {
    const staffId = await somebody();
    const reply = await series({ staffId, localStart: '2028-10-15T09:00', rrule: 'FREQ=WEEKLY;COUNT=5' });
    const { id } = reply.json;
    const [first, second, third, , last] = occurrencesOf(reply).map(({ appointmentId }) => appointmentId);
    const one = await edit(id, { scope: 'THIS', appointmentId: second, localStart: '2028-10-23T10:00' });
    expect(one.status, one.text).toBe(200);
    expect(one.json).toMatchObject({ id, localStart: '2028-10-15T09:00', rrule: 'FREQ=WEEKLY;COUNT=5' });
    // What is moved is found by where the series has it: the second of five.
    for (const status of ['CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED'])
      await api.post(`/appointments/${third}/status`, { status });
    const before = await head();
    const from = await edit(id, { scope: 'FOLLOWING', appointmentId: second, localStart: '2028-10-23T11:30' });
    expect(from.status, from.text).toBe(200);
    expect(occurrencesOf(from)).toMatchObject([
      { appointmentId: second, localStart: '2028-10-23T11:30', verdict: 'OK' },
      { localStart: '2028-11-05T10:30', startsAt: '2028-11-05T09:30:00.000Z' },
      { appointmentId: last, localStart: '2028-11-12T10:30' },
    ]);
    expect(await head()).toBe(before + 3);
    // A week later, all at once: each takes the place that the next one leaves.
    const all = await edit(id, { scope: 'ALL', appointmentId: first, startsAt: '2028-10-22T07:00:00Z' });
    expect(all.status, all.text).toBe(200);
    expect(await localOf(reply)).toEqual([
      '2028-10-22T09:00',
      '2028-10-29T09:00',
      '2028-10-30T11:30',
      ...['2028-11-12T10:30', '2028-11-19T10:30'],
    ]);
    const late = await edit(id, { scope: 'THIS', appointmentId: third, notes: 'x' });
    expectProblem(late, 'appointment_closed');
  });

  test('change who, what and words; with one chair for all of them', async () => {
    const cut = await made('/services', { name: 'Cut', durationMinutes: 60, requires: ['STOOL'], price: euros(30) });
    const long = await made('/services', { name: 'Long', durationMinutes: 90, requires: ['STOOL'], price: euros(50) });
    await made('/resources', { name: 'Stool', kind: 'STOOL', branchId: salon.branchId });
    const [anna, bea] = [await somebody({ serviceIds: [cut, long] }), await somebody({ serviceIds: [cut, long] })];
    const asked = { services: [{ serviceId: cut }], staffId: anna, localStart: '2028-07-03T09:00' };
    const reply = await series({ ...asked, rrule: 'FREQ=DAILY;COUNT=3' });
    const { id } = reply.json;
    const [first, second] = occurrencesOf(reply).map(({ appointmentId }) => appointmentId);
    // Where the next one stood there is the same stool.
    const moved = await edit(id, { scope: 'ALL', appointmentId: first, localStart: '2028-07-04T09:00' });
    expect(moved.status, moved.text).toBe(200);
    expect(await localOf(reply)).toEqual(days('2028-07', '09:00', 4, 5, 6));
    const hers = await edit(id, { scope: 'FOLLOWING', appointmentId: second, staffId: bea, notes: 'Bea' });
    expect(hers.status, hers.text).toBe(200);
    const both = (await stored(reply)).map((each) => [each.staffId, each.notes, (each.price as Json).amount]);
    expect(both).toEqual([
      [anna, null, 30],
      [bea, 'Bea', 30],
      [bea, 'Bea', 30],
    ]);
    expect((await api.get(`/appointments/series/${id}`)).json).toMatchObject({
      notes: null,
      services: [{ staffId: anna }],
    });
    const longer = await edit(id, { scope: 'ALL', services: [{ serviceId: long }], staffId: bea });
    expect(longer.status, longer.text).toBe(200);
    expect(longer.json.services).toEqual([{ serviceId: long, staffId: bea }]);
    const ends = (await stored(reply)).map((each) => [each.endsAt, (each.price as Json).amount]);
    expect(ends).toEqual(['04', '05', '06'].map((day) => [`2028-07-${day}T08:30:00.000Z`, 50]));
    const plain = await edit(id, {
      scope: 'ALL',
      clientId: await made('/clients', { firstName: 'Cleo' }),
      notes: null,
    });
    expect(plain.json).toMatchObject({ notes: null, clientId: (await stored(reply))[2]?.clientId });
  });

  test('are refused or skip what is in the way; a dry run only says so', async () => {
    const staffId = await somebody();
    const reply = await series({ staffId, localStart: '2028-08-07T09:00', rrule: 'FREQ=DAILY;COUNT=3' });
    const { id } = reply.json;
    const [first] = occurrencesOf(reply).map(({ appointmentId }) => appointmentId);
    await made('/appointments', { ...work, staffId, localStart: '2028-08-10T09:00' });
    const forwards = { scope: 'ALL', appointmentId: first, localStart: '2028-08-08T09:00' };
    const before = await head();
    const refused = await edit(id, forwards);
    expectProblem(refused, 'series_conflict', ['occurrences']);
    // The last cannot leave its place, so the one before cannot take it, nor the first the place of that one.
    expect(verdicts(refused)).toEqual(Array(3).fill('SLOT_TAKEN'));
    const later = { ...forwards, localStart: '2028-08-07T09:30' };
    await made('/appointments', { ...work, staffId, localStart: '2028-08-08T09:45' });
    const tried = await edit(id, { ...later, onConflict: 'SKIP', dryRun: true });
    expect([tried.status, verdicts(tried), await head()]).toEqual([200, ['OK', 'SLOT_TAKEN', 'OK'], before + 1]);
    const skipped = await edit(id, { ...later, onConflict: 'SKIP', notes: 'Later' });
    expect(verdicts(skipped)).toEqual(['OK', 'SLOT_TAKEN', 'OK']);
    expect((await stored(reply)).map(({ localStart, notes }) => [localStart, notes])).toEqual([
      ['2028-08-07T09:30', 'Later'],
      ['2028-08-08T09:00', null],
      ['2028-08-09T09:30', 'Later'],
    ]);
  });

  test('cancel from one on, and what is left; cancelled ones are edited no more', async () => {
    const staffId = await somebody();
    const reply = await series({ staffId, localStart: '2028-09-04T09:00', rrule: 'FREQ=DAILY;COUNT=4' });
    const { id } = reply.json;
    const [, second, third] = occurrencesOf(reply).map(({ appointmentId }) => appointmentId);
    const cancel = { status: 'CANCELLED', reason: 'Moves away' };
    const from = await edit(id, { scope: 'FOLLOWING', appointmentId: third, ...cancel, notes: 'Was nice' });
    expect(verdicts(from)).toEqual(['OK', 'OK']);
    const states = async (): Promise<unknown[]> =>
      (await stored(reply)).map((each) => [each.status, each.statusReason]);
    const gone = ['CANCELLED', 'Moves away'];
    expect(await states()).toEqual([['PENDING', null], ['PENDING', null], gone, gone]);
    const one = await edit(id, { scope: 'THIS', appointmentId: second, ...cancel });
    expect(one.status, one.text).toBe(200);
    const rest = await api.delete(`/appointments/series/${id}`);
    expect(occurrencesOf(rest)).toHaveLength(1);
    expect(await states()).toEqual([['CANCELLED', null], gone, gone, gone]);
    const none = await edit(id, { scope: 'ALL', notes: 'Nobody' });
    expect([none.status, none.json.notes, occurrencesOf(none)]).toEqual([200, 'Nobody', []]);
    expect((await stored(reply)).map(({ notes }) => notes)).toEqual([null, null, 'Was nice', 'Was nice']);
  });

  test('name what they mean, and say one thing at a time', async () => {
    const staffId = await somebody();
    const reply = await series({ staffId, localStart: '2028-09-11T09:00', rrule: 'FREQ=DAILY;COUNT=2' });
    const other = await series({ staffId, localStart: '2028-09-21T09:00', rrule: 'FREQ=DAILY;COUNT=2' });
    const [foreign] = occurrencesOf(other).map(({ appointmentId }) => appointmentId);
    const { id } = reply.json;
    const pointers = (answer: Reply, code: 'invalid_body' | 'unknown_reference') =>
      expectProblem(answer, code).map(({ pointer, code: own }) => `${pointer} ${own}`);
    const ask = async (body: Json) => pointers(await edit(id, body), 'invalid_body');
    expect(await ask({ scope: 'THIS', notes: 'x' })).toEqual(['/appointmentId required']);
    expect(await ask({ scope: 'ALL', localStart: '2028-09-11T10:00' })).toEqual(['/appointmentId required']);
    expect(await ask({ scope: 'ALL' })).toEqual(['/status required']);
    expect(await ask({ scope: 'ALL', status: 'CANCELLED', staffId })).toEqual(['/staffId conflict']);
    expect(await ask({ scope: 'ALL', notes: 'x', reason: 'x', allowOverlap: true })).toEqual([
      ...['/allowOverlap conflict', '/reason conflict'],
    ]);
    const theirs = await edit(id, { scope: 'THIS', appointmentId: foreign, notes: 'x' });
    expect(pointers(theirs, 'unknown_reference')).toEqual(['/appointmentId unknown_reference']);
  });
});
