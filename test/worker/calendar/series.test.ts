import { describe, expect, test } from 'vitest';
import type { Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { occurrencesOf, openSeries, verdicts } from './series-world.ts';

// Series over HTTP: the wall clock is kept, and each verdict is what booking alone answers.

const world = await sharedWorld();
const { api } = await openCompany(world);
const { salon, work, made, somebody, series, stored } = await openSeries(api);
const head = async (): Promise<number> => Number((await api.get('/events?limit=1')).json.head);

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
