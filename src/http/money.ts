import * as z from 'zod';
import { MAX_AMOUNT } from '../core/currency.ts';
import { currency } from './schemas.ts';

/** Money as bodies give it: whole minor units of a currency. */
export const money = (least: number) =>
  z.strictObject({
    amount: z
      .int('Must be whole minor units.')
      .min(least, `Must be at least ${least}.`)
      .max(MAX_AMOUNT, `Must be at most ${MAX_AMOUNT}.`),
    currency: currency(),
  });

/** Money as answers show it. */
export const moneyView = (description: string) =>
  z.object({ amount: z.int(), currency: z.string() }).describe(`${description} Minor units.`);
