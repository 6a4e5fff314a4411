import { expect, test } from 'vitest';
import * as z from 'zod';
import { invalidBody } from '../../../src/http/body.ts';

test('what stands in the place of what is taken is told in words', () => {
  const schema = z.strictObject({
    amount: z.int(),
    name: z.string(),
    isActive: z.boolean(),
    tags: z.array(z.string()),
  });
  const body = { amount: 45.5, name: 1, isActive: 'yes', tags: {} };
  const { faults } = invalidBody(schema.safeParse(body).error?.issues ?? [], body);
  expect(Object.fromEntries(faults.map(({ pointer, detail }) => [pointer, detail]))).toEqual({
    '/amount': 'Must be a whole number.',
    '/name': 'Must be a string.',
    '/isActive': 'Must be true or false.',
    '/tags': 'Must be an array.',
  });
});
