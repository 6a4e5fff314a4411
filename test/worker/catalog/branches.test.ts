import { describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await openCompany(world, 'Other');

const WHOLE = {
  name: 'Mitte',
  timeZone: 'Europe/Vienna',
  address: { line1: 'Ring 1', line2: 'Top 2', city: 'Wien', postalCode: '1010', country: 'AT' },
  phone: '+4315551234',
  openingHours: [
    { weekday: 1, start: '09:00', end: '12:00' },
    { weekday: 1, start: '12:00', end: '24:00' },
    { weekday: 1, start: '08:00', end: '10:00', validFrom: '2027-01-01', validTo: '2027-01-31' },
  ].slice(0, 2),
  holidays: [{ date: '2026-12-25', name: 'Christmas' }],
  externalId: 'mitte',
};

const create = async (body: Json, tenant = salon): Promise<Json> => {
  const reply = await tenant.api.post('/branches', body);
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
};
const faults = (reply: { json: Json }) =>
  ((reply.json.errors ?? []) as Json[]).map(({ pointer, code }) => `${pointer} ${code}`);

describe('a branch', () => {
  test('is created whole and read back as it was sent', async () => {
    const reply = await salon.api.post('/branches', WHOLE);
    expect(reply.status, reply.text).toBe(201);
    expect(reply.json).toMatchObject({ ...WHOLE, isActive: true, version: 1 });
    expect(reply.headers.get('location')).toBe(`/api/v1/branches/${reply.json.id}`);
    expect(String(reply.json.id)).toMatch(/^brch_/);
    const read = await salon.api.get(`/branches/${reply.json.id}`, {
      headers: { 'Min-Revision': String(reply.revision) },
    });
    expect(read.json).toEqual(reply.json);
  });

  test('needs a name and a zone only, and answers every field', async () => {
    const branch = await create({ name: 'Small', timeZone: 'UTC' });
    expect(branch).toMatchObject({
      address: null,
      phone: null,
      isActive: true,
      openingHours: [],
      holidays: [],
      externalId: null,
    });
  });

  test('is patched part by part, and a patch that changes nothing takes no revision', async () => {
    const { id, version } = await create({ ...WHOLE, externalId: 'patched' });
    const patched = await salon.api.patch(`/branches/${id}`, {
      address: { city: 'Graz', line2: null },
      phone: null,
      holidays: null,
    });
    expect(patched.status, patched.text).toBe(200);
    expect(patched.json).toMatchObject({
      address: { line1: 'Ring 1', city: 'Graz', postalCode: '1010', country: 'AT' },
      phone: null,
      holidays: [],
      version: Number(version) + 1,
    });
    expect(patched.json.address).not.toHaveProperty('line2');
    const same = await salon.api.patch(`/branches/${id}`, { name: 'Mitte', address: { city: 'Graz' } });
    expect(same.json.version).toBe(patched.json.version);
    expect(same.revision).toBe(patched.revision);
  });

  test('refuses the part of an address where there is none', async () => {
    const { id } = await create({ name: 'Nowhere', timeZone: 'UTC' });
    const reply = await salon.api.patch(`/branches/${id}`, { address: { city: 'Graz' } });
    expect(reply.status).toBe(422);
    expect(faults(reply)).toEqual(['/address invalid_body']);
  });

  test('is archived, hidden, still readable, and restored', async () => {
    const { id } = await create({ name: 'Closing', timeZone: 'UTC', externalId: 'closing' });
    const archived = await salon.api.delete(`/branches/${id}`);
    expect(archived.status).toBe(200);
    expect(archived.json.isActive).toBe(false);
    const again = await salon.api.delete(`/branches/${id}`);
    expect([again.status, again.revision]).toEqual([200, archived.revision]);
    const names = async (query: string, min = archived.revision) => {
      const headers = { 'Min-Revision': String(min) };
      const list = await salon.api.get(`/branches?externalId=closing${query}`, { headers });
      return (list.json.data as Json[]).map((b) => b.name);
    };
    expect(await names('')).toEqual([]);
    expect(await names('&isActive=false')).toEqual(['Closing']);
    expect((await salon.api.get(`/branches/${id}`)).json.isActive).toBe(false);
    const restored = await salon.api.post(`/branches/${id}/restore`);
    expect(restored.json.isActive).toBe(true);
    expect(await names('', restored.revision)).toEqual(['Closing']);
    const events = await salon.api.get(`/events?after=${archived.revision - 1}`);
    expect((events.json.data as Json[]).map((e) => e.type)).toEqual(['branch.archived', 'branch.restored']);
  });

  test('honours If-Match and the uniqueness of external ids', async () => {
    const { id } = await create({ name: 'Versioned', timeZone: 'UTC', externalId: 'v1' });
    const stale = await salon.api.patch(`/branches/${id}`, { name: 'x' }, { headers: { 'If-Match': '"9"' } });
    expect(stale.status).toBe(412);
    const taken = await salon.api.post('/branches', { name: 'x', timeZone: 'UTC', externalId: 'v1' });
    expect([taken.status, taken.json.code]).toEqual([409, 'external_id_taken']);
    expect(faults(taken)).toEqual(['/externalId external_id_taken']);
  });
});

describe('faults of a body', () => {
  const refused = async (body: Json) => {
    const reply = await salon.api.post('/branches', { name: 'x', timeZone: 'UTC', ...body });
    expect(reply.status, reply.text).toBe(422);
    return faults(reply);
  };

  test('are named all at once, by pointer', async () => {
    const reply = await salon.api.post('/branches', {
      timeZone: 'CET',
      phone: '123',
      address: { line1: '', city: 'Wien', postalCode: '1', country: 'XX' },
      openingHours: [{ weekday: 8, start: '9:00', end: '24:01' }],
      holidays: [{ date: '2026-02-30', name: 'never' }],
      colour: 'red',
    });
    expect(reply.status).toBe(422);
    expect(faults(reply).sort()).toEqual(
      [
        '/name required',
        '/timeZone invalid_time_zone',
        '/phone invalid_format',
        '/address/line1 too_small',
        '/address/country invalid_country',
        '/openingHours/0/weekday too_big',
        '/openingHours/0/start invalid_format',
        '/openingHours/0/end invalid_format',
        '/holidays/0/date invalid_format',
        '/colour unknown_field',
      ].sort(),
    );
  });

  test('an interval ends after it starts', async () => {
    const hours = (start: string, end: string) => ({ openingHours: [{ weekday: 1, start, end }] });
    expect(await refused(hours('09:00', '09:00'))).toEqual(['/openingHours/0/end out_of_range']);
    expect(await refused(hours('18:00', '09:00'))).toEqual(['/openingHours/0/end out_of_range']);
    expect(await refused(hours('24:00', '24:00'))).toEqual(['/openingHours/0/start invalid_format']);
  });

  test.each([
    ['same day', { weekday: 1, start: '11:59', end: '13:00' }, ['/openingHours/1 overlap']],
    ['touching', { weekday: 1, start: '12:00', end: '13:00' }, null],
    ['another day', { weekday: 2, start: '09:00', end: '12:00' }, null],
    [
      'validity from its last day',
      { weekday: 1, start: '09:00', end: '12:00', validFrom: '2027-01-31' },
      ['/openingHours/1 overlap'],
    ],
    ['validity after it', { weekday: 1, start: '09:00', end: '12:00', validFrom: '2027-02-01' }, null],
    ['validity before it', { weekday: 1, start: '09:00', end: '12:00', validTo: '2026-12-31' }, null],
    [
      'validity turned round',
      { weekday: 1, start: '13:00', end: '14:00', validFrom: '2027-01-02', validTo: '2027-01-01' },
      ['/openingHours/1/validTo out_of_range'],
    ],
  ])('overlap: %s', async (_name, second, expected) => {
    const first = { weekday: 1, start: '09:00', end: '12:00', validFrom: '2027-01-01', validTo: '2027-01-31' };
    if (expected === null) await create({ name: 'x', timeZone: 'UTC', openingHours: [first, second] });
    else expect(await refused({ openingHours: [first, second] })).toEqual(expected);
  });

  test('a holiday is named once', async () => {
    const day = { date: '2026-12-25', name: 'Christmas' };
    expect(await refused({ holidays: [day, { date: '2026-12-26', name: 'x' }, day] })).toEqual([
      '/holidays/2/date duplicate_value',
    ]);
  });
});

describe('walls', () => {
  test("another company's branch is as absent as none", async () => {
    const { id } = await create({ name: 'Ours', timeZone: 'UTC' });
    const none = id === undefined ? '' : `${String(id).slice(0, -1)}${String(id).endsWith('0') ? '1' : '0'}`;
    for (const ask of [
      (path: string) => other.api.get(path),
      (path: string) => other.api.patch(path, { name: 'Theirs' }),
      (path: string) => other.api.delete(path),
      (path: string) => other.api.post(`${path}/restore`),
    ]) {
      const [foreign, absent] = [await ask(`/branches/${id}`), await ask(`/branches/${none}`)];
      expect(foreign.status).toBe(404);
      const { instance: _a, requestId: _b, ...foreignBody } = foreign.json;
      const { instance: _c, requestId: _d, ...absentBody } = absent.json;
      expect(foreignBody).toEqual(absentBody);
    }
    const list = await other.api.get('/branches');
    expect(list.json.data).toEqual([]);
    expect((await salon.api.get(`/branches/${id}`)).json.name).toBe('Ours');
  });
});
