import { expect, test } from 'vitest';
import { newCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();

test('what a service costs is told in the currency of the company', async () => {
  const { api } = await newCompany(world);
  const { currency } = (await api.get('/company')).json;
  const cut = { name: 'Cut', durationMinutes: 30 };
  const foreign = { amount: 5000, currency: currency === 'USD' ? 'EUR' : 'USD' };
  const made = await api.post('/services', { ...cut, price: { amount: 5000, currency } });
  expect(made.status, made.text).toBe(201);
  const refused = await api.post('/services', { ...cut, price: foreign });
  expect(expectProblem(refused, 'invalid_body')).toMatchObject([{ pointer: '/price/currency' }]);
  expect((await api.patch(`/services/${made.json.id}`, { price: foreign })).status).toBe(422);
  const staff = (await api.post('/staff', { firstName: 'Mia' })).json.id;
  const terms = await api.post('/services', { ...cut, staff: [{ staffId: staff, price: foreign }] });
  expect(expectProblem(terms, 'invalid_body')).toMatchObject([{ pointer: '/staff/0/price/currency' }]);
});
