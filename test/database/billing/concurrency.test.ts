import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support.ts';
import { invoiceOf, line, makeInvoice, makeShop, of, pay, refund } from './books.ts';
import { atOnce, counted, issueMany, upTo } from './storm.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test('of thirty payments of 60.00 on 100.00 at once one is taken', async () => {
  const shop = await makeShop(stage);
  const id = await makeInvoice((text, values) => stage.sql(text, values), shop, [line(10_000)], { status: 'OPEN' });
  const jobs = upTo(30).map(() => (client: Parameters<typeof of>[0]) => pay(of(client), shop.company, id, 6000));
  expect(counted(await atOnce(stage, shop.company, 8, jobs))).toEqual({ done: 1, CP400: 29 });
  expect(await invoiceOf(stage, id)).toMatchObject({ paid: 6000, balance: 4000, payment_status: 'PARTIALLY_PAID' });
});

test('so are refunds at once, and payments and refunds of consoles', async () => {
  const shop = await makeShop(stage);
  const id = await makeInvoice((text, values) => stage.sql(text, values), shop, [line(10_000)], { status: 'OPEN' });
  const payment = await pay((text, values) => stage.sql(text, values), shop.company, id, 10_000);
  const consoles = await Promise.all(upTo(4).map(() => stage.console()));
  const outcomes = await Promise.allSettled([
    ...consoles.map((client) => refund(of(client), shop.company, payment, 6000)),
    atOnce(
      stage,
      shop.company,
      4,
      upTo(8).map(() => (client) => refund(of(client), shop.company, payment, 6000)),
    ),
  ]);
  expect(outcomes.length).toBe(5);
  expect(await invoiceOf(stage, id)).toMatchObject({ paid: 10_000, refunded: 6000 });
});

test('of sixty invoices issued at once, of which a third fail, the numbers have no gap', async () => {
  const shop = await makeShop(stage);
  const { outcomes, numbers } = await issueMany(stage, shop, 60, 8);
  expect(counted(outcomes)).toEqual({ done: 40, CP400: 20 });
  expect(numbers).toEqual(upTo(40));
});
