import { expect, test } from 'vitest';
import * as z from 'zod';
import { AppError } from '../../../src/core/errors.ts';
import { omittedOf } from '../../../src/http/faults.ts';
import { readItems } from '../../../src/resources/bulk-items.ts';
import { unknown } from '../../support/heavy.ts';

const Client = z.strictObject({ firstName: z.string() });
const items = Array.from({ length: 500 }, () => ({ firstName: 'x', ...unknown(180) }));

test('of the faults of five hundred items those that no answer shows are counted and not made', async () => {
  const { refused } = await readItems({ create: () => Client }, { mode: 'partial', items });
  const made = refused.reduce((sum, { error }) => sum + error.faults.length, 0);
  expect(refused).toHaveLength(500);
  expect(made).toBeLessThanOrEqual(1000);
  for (const { error } of refused) expect(error.faults.length + omittedOf(error)).toBe(180);
});

test('an atomic bulk that is refused makes the faults it shows, and counts the others', async () => {
  const error = await readItems({ create: () => Client }, { mode: 'atomic', items }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  if (!(error instanceof AppError)) return;
  expect(error.faults).toHaveLength(50);
  expect(omittedOf(error)).toBe(500 * 180 - 50);
});
