import { expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { maker } from '../../support/made.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// An answer has as many starts as anybody looks at; more are refused before one of them is made.

const world = await sharedWorld();
const { api } = await openCompany(world);
const made = maker(api);

test('fifty people, a month and quarter hours are answered, and of every minute that is refused with the way out', async () => {
  const branchId = await made('/branches', { name: 'Always open', timeZone: 'Europe/Vienna' });
  const serviceId = await made('/services', { name: 'Word', durationMinutes: 1 });
  const people = Array.from({ length: 50 }, (_, n) => ({
    ...{ firstName: `P${n}`, branchIds: [branchId], serviceIds: [serviceId] },
  }));
  const staff = await api.post('/staff/bulk', { mode: 'atomic', items: people });
  const [{ id: first } = { id: '' }] = staff.json.data as { id: string }[];
  const ask = (from: string, to: string, more: string) =>
    api.get(`/availability?branchId=${branchId}&serviceId=${serviceId}&from=${from}&to=${to}${more}`);
  const startsIn = (text: string): number => text.split('.000Z"').length - 1;

  // The last Sunday of October has 25 hours.
  const month = await ask('2028-10-01', '2028-11-01', '');
  expect([month.status, startsIn(month.text)]).toEqual([200, 50 * (31 * 24 + 1) * 4]);
  const minutes = await ask('2028-05-01', '2028-06-01', '&stepMinutes=1');
  const [fault] = expectProblem(minutes, 'invalid_parameter');
  expect(fault).toMatchObject({ parameter: 'stepMinutes', code: 'out_of_range' });
  expect(fault?.detail).toContain(`${50 * 31 * 1440} starts`);
  const days = await ask('2028-05-01', '2028-05-03', '&stepMinutes=1');
  const alone = await ask('2028-05-01', '2028-06-01', `&stepMinutes=1&staffId=${first}`);
  expect([days, alone].map(({ status, text }) => [status, startsIn(text)])).toEqual([
    [200, 50 * 2 * 1440],
    [200, 31 * 1440],
  ]);
});
