import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { sharedWorld } from '../../support/shared.ts';

// Who offers what is said on both sides, and asked from both; references inside of objects are public ids.

const world = await sharedWorld();

test('a staff member offers what either side says, and lists follow at once', async () => {
  const { api } = await openCompany(world);
  const made = maker(api);
  const branch = await made('/branches', { name: 'Mitte', timeZone: 'Europe/Vienna' });
  const cut = await made('/services', { name: 'Cut', durationMinutes: 30 });
  const colour = await made('/services', { name: 'Colour', durationMinutes: 90 });
  const hours = [{ weekday: 1, start: '09:00', end: '17:00', branchId: branch }];
  const anna = await made('/staff', { firstName: 'Anna', branchIds: [branch], serviceIds: [cut], workingHours: hours });
  const ids = async (path: string): Promise<unknown[]> =>
    ((await api.get(path)).json as { data: { id: string }[] }).data.map(({ id }) => id);
  expect((await api.get(`/staff/${anna}`)).json).toMatchObject({
    name: 'Anna',
    branchIds: [branch],
    serviceIds: [cut],
    workingHours: hours,
  });
  expect(await ids(`/staff?serviceId=${cut}&branchId=${branch}`)).toEqual([anna]);
  expect(await ids(`/staff?serviceId=${colour}`)).toEqual([]);
  expect(await ids(`/services?staffId=${anna}`)).toEqual([cut]);
  const terms = [{ staffId: anna, price: { amount: 9900, currency: 'EUR' }, durationMinutes: 120 }];
  expect((await api.patch(`/services/${colour}`, { staff: terms })).json.staff).toEqual(terms);
  expect(await ids(`/staff?serviceId=${colour}`)).toEqual([anna]);
  await api.patch(`/staff/${anna}`, { serviceIds: null });
  expect(await ids(`/services?staffId=${anna}`)).toEqual([colour]);
  const stranger = { weekday: 2, start: '09:00', end: '17:00', branchId: 'brch_01h455vb4pex5vsknk084sn02q' };
  const refused = await api.patch(`/staff/${anna}`, { workingHours: [stranger] });
  expect([refused.status, refused.json.code]).toEqual([422, 'unknown_reference']);
});
