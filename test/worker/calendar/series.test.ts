import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// Series over HTTP: the wall clock is kept, each verdict is what booking alone answers, and edits reach what they name.

const world = await sharedWorld();
const { api } = await openCompany(world);
const salon = await openSalon(api);
const work = { branchId: salon.branchId, services: [{ serviceId: salon.serviceId }] };

type Occurrence = { localStart: string; startsAt: string | null; verdict: string; appointmentId?: string };

const made = maker(api);
/** Somebody whose calendar is empty. */
const somebody = (more: Json = {}): Promise<string> =>
  made('/staff', { firstName: 'Sue', branchIds: [salon.branchId], serviceIds: [salon.serviceId], ...more });
const occurrencesOf = (reply: Reply): Occurrence[] => {
  expect(reply.json.occurrences, reply.text).toBeDefined();
  return reply.json.occurrences as Occurrence[];
};
const verdicts = (reply: Reply): string[] => occurrencesOf(reply).map(({ verdict }) => verdict);
const series = (body: Json): Promise<Reply> => api.post('/appointments/series', { ...work, ...body });
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const head = async (): Promise<number> => Number((await api.get('/events?limit=1')).json.head);
const stored = async (reply: Reply): Promise<Json[]> => {
  const list = await api.get(
    `/appointments?seriesId=${reply.json.id}&status=PENDING,CANCELLED,COMPLETED&sort=startsAt&limit=100`,
  );
  return list.json.data as Json[];
};

describe('booking', () => {
  test.each([
    ['Europe/Vienna', '2028-03-24T09:00', 3, ['08:00', '07:00', '07:00']],
    ['America/New_York', '2028-10-31T18:30', 2, ['22:30', '23:30']],
    ['Australia/Lord_Howe', '2028-04-01T10:00', 2, ['23:00', '23:30']],
  ])('keeps the wall clock of %s where clocks change', async (timeZone, localStart, count, utc) => {
    const branchId = await made('/branches', { name: 'There', timeZone });
    const staffId = await somebody({ branchIds: [branchId] });
    const body = { branchId, staffId, localStart, rrule: `FREQ=DAILY;INTERVAL=5;COUNT=${count}` };
    const before = await head();
    const tried = await series({ ...body, dryRun: true });
    expect(tried.status, tried.text).toBe(200);
    expect(await head()).toBe(before);
    const reply = await series(body);
    expect(reply.status, reply.text).toBe(201);
    // One revision for each appointment, and one for the series.
    expect(await head()).toBe(before + count + 1);
    const each = occurrencesOf(reply);
    expect(each.map((one) => one.localStart.slice(11))).toEqual(Array(count).fill(localStart.slice(11)));
    expect(each.map((one) => one.startsAt?.slice(11, 16))).toEqual(utc);
    expect(each.map(({ appointmentId: _, ...one }) => one)).toEqual(occurrencesOf(tried));
    const shown = await stored(reply);
    expect(shown.map(({ id }) => id)).toEqual(each.map(({ appointmentId }) => appointmentId));
    expect(shown.map((one) => [one.localStart, one.seriesId])).toEqual(
      each.map((one) => [one.localStart, reply.json.id]),
    );
  });

  test('says of each what booking it alone would have been answered, and with SKIP leaves out what cannot be', async () => {
    const staffId = await somebody({ workingHours: [{ weekday: 7, start: '01:00', end: '12:00' }] });
    const holiday = { startsAt: '2028-04-09T00:00:00Z', endsAt: '2028-04-10T00:00:00Z' };
    expect((await api.post(`/staff/${staffId}/time-off`, holiday)).status).toBe(201);
    await made('/appointments', { ...work, staffId, startsAt: '2028-04-02T00:15:00Z' });
    // The 26th has no 02:30.
    const body = { staffId, localStart: '2028-03-12T02:30', rrule: 'FREQ=WEEKLY;COUNT=6' };
    const wanted = ['OK', 'OK', 'NONEXISTENT', 'SLOT_TAKEN', 'OUTSIDE_WORKING_HOURS', 'OK'];
    const before = await head();
    const refused = await series(body);
    expectProblem(refused, 'series_conflict', ['occurrences']);
    expect([verdicts(refused), await head()]).toEqual([wanted, before]);
    const alone = async (localStart: string): Promise<unknown> =>
      (await api.post('/holds', { ...work, staffId, localStart })).json.code ?? 'OK';
    const codes: unknown[] = [];
    for (const { localStart } of occurrencesOf(refused)) codes.push(await alone(localStart));
    expect(codes).toEqual(['OK', 'OK', 'nonexistent_local_time', 'slot_taken', 'outside_working_hours', 'OK']);
    await world.sql('delete from holds');
    const skipped = await series({ ...body, onConflict: 'SKIP', status: 'CONFIRMED', notes: 'Dog' });
    expect(skipped.status, skipped.text).toBe(201);
    expect(verdicts(skipped)).toEqual(wanted);
    expect(occurrencesOf(skipped).map(({ appointmentId }) => appointmentId !== undefined)).toEqual(
      wanted.map((verdict) => verdict === 'OK'),
    );
    const list = await api.get(
      `/appointments?seriesId=${skipped.json.id}&sort=startsAt&fields=status,notes,localStart`,
    );
    expect((list.json.data as Json[]).map(({ id: _, ...one }) => one)).toEqual(
      ['2028-03-12T02:30', '2028-03-19T02:30', '2028-04-16T02:30'].map((localStart) => ({
        ...{ localStart, status: 'CONFIRMED', notes: 'Dog' },
      })),
    );
    // Nothing of it is left to book.
    const again = await series({ ...body, onConflict: 'SKIP' });
    expectProblem(again, 'series_conflict', ['occurrences']);
  });

  test('has the one chair for one at a time, and a fold told by an instant or by name', async () => {
    const night = await made('/services', { name: 'Night', durationMinutes: 1440, requires: ['BED'] });
    const [anna, bea] = [await somebody({ serviceIds: [night] }), await somebody({ serviceIds: [night] })];
    const body = { services: [{ serviceId: night }], staffId: anna, localStart: '2028-06-01T12:00' };
    const none = await series({ ...body, rrule: 'FREQ=DAILY;COUNT=2', dryRun: true });
    expect(verdicts(none)).toEqual(['SLOT_TAKEN', 'SLOT_TAKEN']);
    await made('/resources', { name: 'Bed', kind: 'BED', branchId: salon.branchId });
    const odd = await series({ ...body, rrule: 'FREQ=DAILY;INTERVAL=2;COUNT=3' });
    expect(odd.status, odd.text).toBe(201);
    const daily = { ...body, staffId: bea, rrule: 'FREQ=DAILY;COUNT=6', onConflict: 'SKIP' };
    expect(verdicts(await series(daily))).toEqual(['SLOT_TAKEN', 'OK', 'SLOT_TAKEN', 'OK', 'SLOT_TAKEN', 'OK']);

    const staffId = await somebody();
    const fold = { staffId, rrule: 'FREQ=WEEKLY;COUNT=2', dryRun: true };
    const local = { ...fold, localStart: '2028-10-22T02:30' };
    expect(verdicts(await series(local))).toEqual(['OK', 'AMBIGUOUS']);
    expect(occurrencesOf(await series({ ...local, fold: 'LATER' }))[1]?.startsAt).toBe('2028-10-29T01:30:00.000Z');
    const instant = await series({ ...fold, startsAt: '2028-10-29T00:30:00Z' });
    expect(occurrencesOf(instant)[0]).toEqual({
      ...{ localStart: '2028-10-29T02:30', startsAt: '2028-10-29T00:30:00.000Z', verdict: 'OK' },
    });
  });

  test('with what was held for the first, which is never free in between, once', async () => {
    const staffId = await somebody();
    const hold = async (localStart: string): Promise<unknown> => await made('/holds', { ...work, staffId, localStart });
    const holdId = await hold('2028-02-01T09:00');
    const body = { staffId, localStart: '2028-02-01T09:00', rrule: 'FREQ=DAILY;COUNT=2' };
    expect(verdicts(await series(body))).toEqual(['SLOT_TAKEN', 'OK']);
    expect(verdicts(await series({ ...body, holdId, dryRun: true }))).toEqual(['OK', 'OK']);
    const booked = await series({ ...body, holdId });
    expect(booked.status, booked.text).toBe(201);
    expect(verdicts(booked)).toEqual(['OK', 'OK']);
    expect(verdicts(await series(body))).toEqual(['SLOT_TAKEN', 'SLOT_TAKEN']);
    const later = { ...body, localStart: '2028-02-08T09:00' };
    expectProblem(await series({ ...later, holdId }), 'hold_expired');
    // One that keeps another time, or somebody else's way, opens nothing but what it keeps.
    const elsewhere = await hold('2028-02-10T09:00');
    await made('/appointments', { ...work, staffId, localStart: '2028-02-08T09:00' });
    expect(verdicts(await series({ ...later, holdId: elsewhere }))).toEqual(['SLOT_TAKEN', 'OK']);
  });

  test('all that is wrong with a body is told at once, with all that is wrong with its rule', async () => {
    const rrule = 'FREQ=HOURLY;INTERVAL=0;BYDAY=XX;EXRULE=1;COUNT=3';
    const reply = await series({ rrule, staffId: 7, localStart: '2028-02-30T09:00', nonsense: 1 });
    const told = expectProblem(reply, 'invalid_body').map(({ pointer, code }) => `${pointer} ${code}`);
    expect(told.sort()).toEqual([
      ...['/localStart invalid_format', '/nonsense unknown_field', ...Array(4).fill('/rrule invalid_rrule')],
      '/staffId invalid_type',
    ]);
    const alone = await series({
      staffId: await somebody(),
      localStart: '2028-02-01T09:00',
      rrule: 'FREQ=WEEKLY;COUNT=2;UNTIL=20290101;BYMONTHDAY=1',
    });
    expect(expectProblem(alone, 'invalid_rrule').map(({ detail }) => detail)).toEqual([
      ...['COUNT and UNTIL exclude each other.', 'A week has no BYMONTHDAY.'],
    ]);
  });

  test('a rule without an end, or one that gives too much or nothing, is refused', async () => {
    const staffId = await somebody();
    for (const rrule of ['FREQ=WEEKLY', 'FREQ=DAILY;COUNT=367', 'FREQ=DAILY;UNTIL=20290101', 'FREQ=DAILY;UNTIL=2027']) {
      const reply = await series({ staffId, localStart: '2027-12-01T09:00', rrule });
      expect(expectProblem(reply, 'invalid_rrule')).toMatchObject([{ pointer: '/rrule' }]);
    }
    const late = await series({ staffId, localStart: '2199-01-01T09:00', rrule: 'FREQ=YEARLY;COUNT=2' });
    expect(expectProblem(late, 'invalid_rrule')).toMatchObject([{ pointer: '/rrule', code: 'out_of_range' }]);
  });
});

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

test('of series for the same times at once each occurrence is booked once, and no answer is a 500', async () => {
  const staffId = await somebody();
  const body = { staffId, localStart: '2028-05-01T09:00', rrule: 'FREQ=DAILY;COUNT=20', onConflict: 'SKIP' };
  const at = (n: number) =>
    [api, ...world.elsewhere.map((url) => api.at(url))][n % (1 + world.elsewhere.length)] ?? api;
  const ask = (n: number, more: Json): Promise<Reply> =>
    at(n).post('/appointments/series', { ...work, ...body, ...more });
  const fails = await Promise.all(Array.from({ length: 6 }, (_, n) => ask(n, { onConflict: 'FAIL' })));
  expect(fails.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  for (const reply of fails.filter(({ status }) => status === 409)) {
    expectProblem(reply, 'series_conflict', ['occurrences']);
    expect(verdicts(reply)).toEqual(Array(20).fill('SLOT_TAKEN'));
  }
  // Every second day of one meets every third of the other.
  const [evens, thirds] = await Promise.all([
    ask(0, { localStart: '2028-06-01T09:00', rrule: 'FREQ=DAILY;INTERVAL=2;COUNT=30' }),
    ask(1, { localStart: '2028-06-01T09:10', rrule: 'FREQ=DAILY;INTERVAL=3;COUNT=20' }),
  ]);
  const booked = [evens, thirds].map((reply) => verdicts(reply).filter((verdict) => verdict === 'OK').length);
  expect([
    [30, 10],
    [20, 20],
  ]).toContainEqual(booked);
  for (const reply of [evens, thirds]) {
    const ids = occurrencesOf(reply).flatMap(({ appointmentId }) => appointmentId ?? []);
    expect((await stored(reply)).map(({ id }) => id)).toEqual(ids);
  }
});
