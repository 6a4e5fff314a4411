import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support.ts';
import { makeShop } from './books.ts';
import { counted, issueMany, upTo } from './storm.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test('of a thousand invoices issued at once, of which a third fail, the numbers have no gap', async () => {
  const shop = await makeShop(stage);
  const { outcomes, numbers } = await issueMany(stage, shop, 1000, 40);
  expect(counted(outcomes)).toEqual({ done: 667, CP400: 333 });
  expect(numbers).toEqual(upTo(667));
});
